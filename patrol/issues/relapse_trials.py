"""What another version of the rule of relapses would have linked, told before it is written. Nothing here writes."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import load_only

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.lifecycle import State
from patrol.issues.models import Issue, number_of
from patrol.issues.policies import RelapseRule
from patrol.issues.policies_held import current_policies
from patrol.issues.policy_dry_runs import issue_in_short, visible_items
from patrol.issues.relapse_models import RelapsePolicy
from patrol.issues.relapses import closed_near
from patrol.people.actor import Actor

MOST_REPORTS = 5_000
"""How many reports are looked at: each asks twice for what was closed near by."""
REPORTS_ONLY = Text(
    "新版本只用于自生效日起收到的问题，已有的关联不变；以下为近期收到的问题若按新版本会有的不同（不论是否已受理）",
    "It counts for what is reported from its first day on, links that there are stay; here is which reports of late would be linked otherwise, accepted or not",
)
_COUNTED = tuple(code for code, row in CATEGORIES.items() if row.radius_m)
_NEEDED = (Issue.serial, Issue.state, Issue.severity, Issue.category, Issue.latitude, Issue.longitude, Issue.recorded_at, Issue.received_at)
_NO_TROUBLE = (State.REJECTED.value, State.MERGED.value)


def relapses_changed_by(version: RelapsePolicy, *, actor: Actor, first: int, days: int, today: date) -> dict[str, Any]:
    """Return which issues reported in the last `days` days would count as a relapse otherwise with an unsaved version.

    Both the rule in force on `today` and the new one are asked of what is closed now, so that only the rules differ.
    """
    old, new = current_policies().relapse_on(today), RelapseRule(version.days, version.radius_m)
    since, seen, shown = clock.now() - timedelta(days=days), Counter[str](), list[dict[str, Any]]()
    issues = db.session.scalars(
        select(Issue).where(Issue.received_at >= since, Issue.category.in_(_COUNTED), Issue.state.not_in(_NO_TROUBLE))
        .order_by(Issue.received_at.desc(), Issue.id.desc()).limit(MOST_REPORTS + 1).options(load_only(*_NEEDED))
    ).all()  # fmt: skip
    for issue in issues[:MOST_REPORTS]:
        before, after = (next(closed_near(issue, rule), None) for rule in (old, new))
        seen.update([*(["linked_before"] if before else []), *(["linked_after"] if after else [])])
        if before != after:
            seen["changed"] += 1
            if len(shown) < first:
                shown.append({"issue": issue_in_short(issue.id, issue.serial, issue.state, issue.severity, issue.category),
                              "before": before, "after": after})  # fmt: skip
    numbers = _numbers_of(shown)
    items = [{**row, "before": numbers.get(row["before"]), "after": numbers.get(row["after"])} for row in visible_items(shown, actor)]
    return {
        "applies": REPORTS_ONLY, "since": since, "looked_at": min(len(issues), MOST_REPORTS), "cut_off": len(issues) > MOST_REPORTS,
        **{name: seen[name] for name in ("linked_before", "linked_after", "changed")}, "items": items,
    }  # fmt: skip


def _numbers_of(shown: list[dict[str, Any]]) -> dict[Any, str]:
    ids = {row[side] for row in shown for side in ("before", "after") if row[side]}
    rows = db.session.execute(select(Issue.id, Issue.serial).where(Issue.id.in_(ids))) if ids else ()
    return {issue_id: number_of(serial) for issue_id, serial in rows}
