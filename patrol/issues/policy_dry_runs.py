"""What a version of a policy would change, told before it is written. Nothing here writes.

Only open issues are looked at, the soonest due first, and so many at most; the answer says when it was cut off.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import false, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.paging import Order, past
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity, Source
from patrol.issues.dispatching import Decision, Rule, goes_straight_to_the_chief
from patrol.issues.due import chinese_calendar, deadline_as_data
from patrol.issues.escalating import ladder_on, rungs_reached
from patrol.issues.escalation import DefaultRung, planned_moments
from patrol.issues.escalation_models import Escalation, EscalationPolicy
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.issues.policies import DayOrigin, Policies
from patrol.issues.policies_held import current_policies, dated_limit, dated_rule
from patrol.issues.policy_actions import Version
from patrol.issues.policy_models import CalendarOverride, DeadlinePolicy, DispatchPolicy
from patrol.issues.queries import visible_to
from patrol.issues.recounting import READ_AT_ONCE, Recount, rungs_at_once, running_issues
from patrol.people.actor import Actor
from patrol.people.permissions import Permission

MOST_LOOKED_AT = 50_000
"""How many issues a dry run looks at: a second or two of one process."""
MOST_REPORTED = 20_000
"""How many reports a dry run of dispatching looks at: their routing is read whole."""
_LATEST = Order("reported", (Issue.received_at, Issue.id), descending=True)

NO_RETROACTION = Text(
    "新版本只用于生效后计算的期限（新问题、级别或类别变更、重新办理）；已计算的期限不变，除非另行下达重新计算（POST /policies/apply-to-open）。以下为重新计算时的变化",
    "A new version counts for what is counted while it is in force (new issues, changes of severity or category, reopening). Due dates that stand "
    "stay, unless a recount is ordered (POST /policies/apply-to-open): what it would change is told here",
)
NEW_REPORTS_ONLY = Text(
    "新版本只用于生效后上报的问题；以下为近期上报的问题若按新版本会有的不同",
    "It counts for what is reported once it is in force; here is what would have gone another way of late"
)
AHEAD_ONLY = Text(
    "生效后对未办结的问题也适用，但只触发其时点在生效之后的一级；时点已过的不再触发",
    "Once in force it counts for open issues too, for moments that lie ahead; a moment that lies before is passed over",
)


def due_dates_moved_by(version: DeadlinePolicy | CalendarOverride, *, actor: Actor, first: int, timezone: str, today: date) -> dict[str, Any]:
    """Return how the due dates of open issues would move with an unsaved version of a limit or of a day.

    They are counted as on the day when it comes into force. `first` is how many moved ones are shown, of those that
    `actor` may see.
    """
    on = max(today, version.valid_from) if isinstance(version, DeadlinePolicy) else today
    return recount_all(_with(version), on, actor=actor, first=first, timezone=timezone) | {"applies": NO_RETROACTION}


def recount_all(policies: Policies, on: date, *, actor: Actor, first: int, timezone: str) -> dict[str, Any]:
    """Return how the due dates of open issues would move if they were counted again by `policies` as on a day."""
    recount, now, seen = Recount(policies, on, timezone), clock.now(), Counter[str]()
    columns = (Issue.serial, Issue.state, Issue.severity, Issue.category, Issue.due_rule)
    shown: list[dict[str, Any]] = []
    late_ones: list[tuple[UUID, datetime]] = []
    for due_at, issue_id, serial, state, severity, category, rule in running_issues(*columns, most=MOST_LOOKED_AT + 1):
        seen["looked_at"] += 1
        if seen["looked_at"] > MOST_LOOKED_AT:
            break
        counted = recount.again(severity, category, rule)
        if counted is None or counted[0].due_at == due_at:
            seen["kept" if counted is None else "unchanged"] += 1
            continue
        new = counted[0].due_at
        late = new <= now < due_at
        late_ones += [(issue_id, due_at)] if new <= now else []
        seen.update(("moved", "earlier" if new < due_at else "later", *(["late_at_once"] if late else [])))
        if len(shown) < first:
            before = {"due_at": due_at, **_rule_in_short(rule)}
            after = {"due_at": new, **_rule_in_short(deadline_as_data(*counted))}
            shown.append({"issue": issue_in_short(issue_id, serial, state, severity, category), "before": before, "after": after, "late_at_once": late})
    names = ("kept", "unchanged", "moved", "earlier", "later", "late_at_once")
    return {
        "on": on, **_looked(seen, MOST_LOOKED_AT), **{name: seen[name] for name in names}, "rungs": _rungs_of(late_ones, ladder_on(clock.today(timezone))),
        "items": visible_items(shown, actor),
    }  # fmt: skip


def _rungs_of(late: Sequence[tuple[UUID, datetime]], ladder: Sequence[EscalationPolicy]) -> dict[str, int]:
    """Count, rung by rung, how many would be reached at once by issues whose due date would move into the past from the one given."""
    found = Counter({rung.code: 0 for rung in ladder})
    for begin in range(0, len(late), READ_AT_ONCE):
        batch = late[begin:begin + READ_AT_ONCE]
        reached = rungs_reached([issue_id for issue_id, _ in batch])
        found.update(code for issue_id, due in batch for code in rungs_at_once(ladder, issue_id, due, reached))
    return dict(found)


def dispatch_changed_by(version: DispatchPolicy, *, actor: Actor, first: int, days: int, today: date) -> dict[str, Any]:
    """Return which issues reported in the last `days` days would have gone another way with an unsaved version of a rule.

    Category and severity are those of the report; what was decided then is compared with all the rules in force on the
    day when the version comes into force.
    """
    rules = _with(version).rules_on(max(today, version.valid_from))
    since, seen, shown = clock.now() - timedelta(days=days), Counter[str](), list[dict[str, Any]]()
    for issue_id, serial, state, source, routing, changes in _reports_since(since, MOST_REPORTED + 1):
        seen["looked_at"] += 1
        if seen["looked_at"] > MOST_REPORTED:
            break
        category, severity = changes["category"]["to"], changes["severity"]["to"]
        before = routing.get("policy")
        after = _decision(Source(source), category, Severity(severity), routing, rules)
        if before is None or before["straight"] == after.straight:
            continue
        seen.update(("changed", "to_chief" if after.straight else "to_office"))
        if len(shown) < first:
            now = {"straight": after.straight, "rule": after.rule, "version": after.version, "reason": after.reason._asdict()}
            shown.append({
                "issue": issue_in_short(issue_id, serial, state, severity, category), "before": {"version": None, **before}, "after": now,
            })  # fmt: skip
    names = ("changed", "to_chief", "to_office")
    return {
        "applies": NEW_REPORTS_ONLY, "since": since, **_looked(seen, MOST_REPORTED), **{name: seen[name] for name in names},
        "items": visible_items(shown, actor),
    }  # fmt: skip


def rungs_reached_by(version: EscalationPolicy, *, actor: Actor, first: int, timezone: str, today: date) -> dict[str, Any]:
    """Return for how many open issues the rung would be reached at once, later, or never, or was reached already.

    `never` is what has its moment before the version begins, or what loses the rung because it is switched off.
    """
    zone, calendar, now = ZoneInfo(timezone), chinese_calendar(), clock.now()
    begins = clock.beginning_of_day(version.valid_from, timezone)
    new = DefaultRung(version.code, version.basis, version.amount, version.order_kind, version.name)
    old = [rung for rung in ladder_on(today) if rung.code == version.code]
    seen, shown = Counter[str](), list[dict[str, Any]]()
    for rows in _in_batches(running_issues(Issue.serial, Issue.state, Issue.severity, Issue.category, Issue.due_rule, most=MOST_LOOKED_AT + 1)):
        reached = _reached_already([row[1] for row in rows], version.code)
        for due_at, issue_id, serial, state, severity, category, rule in rows:
            seen["looked_at"] += 1
            if seen["looked_at"] > MOST_LOOKED_AT:
                break
            since = datetime.fromisoformat(rule["since"])
            [(moment, _)] = planned_moments([new], since, due_at, calendar, zone)
            before = next((planned for planned, _ in planned_moments(old, since, due_at, calendar, zone)), None)
            outcome = _outcome(moment if version.enabled else None, begins, now, (issue_id, due_at) in reached)
            seen[outcome] += 1
            if outcome != "reached" and len(shown) < first and (outcome != "later" or before != moment):
                after = moment if outcome in ("at_once", "later") else None
                shown.append({"issue": issue_in_short(issue_id, serial, state, severity, category), "outcome": outcome, "before": before, "after": after})
    names = ("at_once", "later", "never", "reached")
    return {
        "applies": AHEAD_ONLY, "begins": begins, **_looked(seen, MOST_LOOKED_AT), **{name: seen[name] for name in names},
        "items": visible_items(shown, actor),
    }  # fmt: skip


def _outcome(moment: datetime | None, begins: datetime, now: datetime, reached: bool) -> str:
    if reached:
        return "reached"
    if moment is None or moment < begins:
        return "never"
    return "at_once" if moment <= now else "later"


def _with(version: Version) -> Policies:
    policies = current_policies()
    if isinstance(version, DeadlinePolicy):
        return policies.with_limit(dated_limit(version))
    if isinstance(version, DispatchPolicy):
        return policies.with_rule(dated_rule(version))
    assert isinstance(version, CalendarOverride)
    return policies.with_day(version.day, DayOrigin(version.origin), version.works, Text(version.name_zh, version.name_en), version.enabled)


def _decision(source: Source, category: str, severity: Severity, routing: Mapping[str, Any], rules: Sequence[Rule]) -> Decision:
    # That the chief could not take it is told by the decision of then: the account may have changed since.
    vacant = (routing.get("policy") or {}).get("rule") == "vacant_to_office"
    return goes_straight_to_the_chief(
        source, category, severity, routing["confidence_label"], routing["chief_id"] is not None and not vacant, rules=rules
    )


def _reports_since(since: datetime, most: int) -> Iterator[Any]:
    columns = (Issue.received_at, Issue.id, Issue.serial, Issue.state, Issue.source, Issue.routing, HistoryEntry.changes)
    first = (
        select(*columns).join(HistoryEntry, (HistoryEntry.issue_id == Issue.id) & (HistoryEntry.seq == 1))
        .where(Issue.received_at >= since).order_by(*_LATEST.clauses())
    )  # fmt: skip
    last, left = None, most
    while left > 0:
        statement = first.limit(min(READ_AT_ONCE, left))
        rows = db.session.execute(statement if last is None else statement.where(past((last[0], last[1]), _LATEST))).all()
        yield from (row[1:] for row in rows)
        left -= len(rows)
        if len(rows) < READ_AT_ONCE:
            return
        last = rows[-1]


def _in_batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == READ_AT_ONCE:
            yield batch
            batch = []
    yield batch


def _reached_already(issue_ids: Sequence[UUID], code: str) -> set[tuple[UUID, datetime]]:
    rows = db.session.execute(select(Escalation.issue_id, Escalation.due_at).where(Escalation.issue_id.in_(issue_ids), Escalation.code == code))
    return {(row[0], row[1]) for row in rows}


def _looked(seen: Counter[str], most: int) -> dict[str, Any]:
    return {"looked_at": min(seen["looked_at"], most), "cut_off": seen["looked_at"] > most}


def issue_in_short(issue_id: UUID, serial: int, state: str, severity: str, category: str) -> dict[str, Any]:
    """Return how an issue reads in a dry run."""
    return {"id": issue_id, "number": number_of(serial), "state": state, "severity": severity, "category": category}


def _rule_in_short(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": rule["rule"], "version": rule.get("version"), "last_day": rule["last_day"], "explanation": rule["explanation"]}


def visible_items(shown: Sequence[dict[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Leave out the issues that the actor may not see: who sets policies need not read issues."""
    if not actor.may(Permission.SEE_ISSUES):
        return []
    ids = [row["issue"]["id"] for row in shown]
    statement = visible_to(actor).with_only_columns(Issue.id)
    seen = set(db.session.scalars(statement.where(Issue.id.in_(ids) if ids else false())))
    return [row for row in shown if row["issue"]["id"] in seen]
