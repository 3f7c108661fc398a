"""What another share of look-backs would have drawn, told before it is written: the past drawings, drawn again. Nothing here writes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.look_back_models import LookBackPolicy
from patrol.issues.models import Issue
from patrol.issues.policy_dry_runs import issue_in_short, visible_items
from patrol.people.actor import Actor
from patrol.supervision.drawing import is_drawn
from patrol.supervision.models import Draw
from patrol.supervision.reasons import LOOK_BACK

DRAWINGS_AHEAD = Text(
    "新版本用于生效日起的抽取，已抽取的不变；以下为近期各次抽取按其种子和候选对象、以新比例会有的不同",
    "It counts for drawings from its first day on, what was drawn stays; here is what the drawings of late would have picked with the new share, "
    "each by its own seed and candidates",
)


def drawings_changed_by(version: LookBackPolicy, *, actor: Actor, first: int, days: int, today: date) -> dict[str, Any]:
    """Return what the drawings of the last `days` days would have picked with an unsaved version's share.

    After how many days is drawn, and within how many it is to be done, changes when and not what: the candidates of then stand.
    """
    begun, share = (today - timedelta(days=days)).isoformat(), version.share_percent if version.enabled else 0.0
    draws = db.session.scalars(select(Draw).where(Draw.kind == LOOK_BACK, Draw.period > begun).order_by(Draw.period.desc())).all()
    candidates = before = after = 0
    changed: list[tuple[UUID, bool]] = []
    for draw in draws:
        drawn = draw.facts.get("by_severity", {}).get(version.severity, {})
        picked = set(drawn.get("picked", ()))
        for text in drawn.get("candidates", ()):
            was, now = text in picked, is_drawn(draw.seed, UUID(text), share)
            candidates, before, after = candidates + 1, before + was, after + now
            changed += [(UUID(text), now)] if was != now else []
    return {
        "applies": DRAWINGS_AHEAD, "looked_at": len(draws), "cut_off": False, "candidates": candidates, "drawn_before": before, "drawn_after": after,
        "changed": len(changed), "items": visible_items(_shown(changed[:first]), actor),
    }  # fmt: skip


def _shown(changed: list[tuple[UUID, bool]]) -> list[dict[str, Any]]:
    ids = [issue_id for issue_id, _ in changed]
    rows = db.session.execute(select(Issue.id, Issue.serial, Issue.state, Issue.severity, Issue.category).where(Issue.id.in_(ids))) if ids else ()
    known = {row[0]: issue_in_short(*row) for row in rows}
    return [{"issue": known[issue_id], "before": not drawn, "after": drawn} for issue_id, drawn in changed if issue_id in known]
