"""An issue's life written down a second time, from the contract and the documents, for the random walk to compare with.

Nothing here asks the product's tables what is allowed. A verb more in the contract's table is a row more in `ROWS` and,
when it does more than change the state, an entry among the effects in `take`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

CHINA, NEVER, TICK = ZoneInfo("Asia/Shanghai"), datetime.min.replace(tzinfo=UTC), timedelta(microseconds=1)
RUNNING = ("submitted", "accepted", "dispatched", "in_progress")
IN_WORK = ("dispatched", "in_progress")
OPEN = (*RUNNING, "rectified", "verified", "suspended")
ENDED = ("closed", "rejected", "merged")
WITHOUT_DUE = ("rejected", "merged", "suspended")
CHARGE = "F"
GRADES = ("general", "serious", "major", "urgent")
# Of docs/duplicates.md: how long a merging can be undone, and for how long after a closing the trouble may come back.
UNDO_WITHIN, RELAPSE_WITHIN = timedelta(hours=24), timedelta(days=90)

# Who holds what, from docs/permissions.md.
OFFICE, CHIEF = {"office"}, {"chief", "supervisor"}
HANDLES = {"patroller", "chief", "office", "handler"}
REVIEWS = {"office", "supervisor"}
SUPERVISES = {"chief", "supervisor"}
REPORTS = {"citizen_chief", "patroller", "chief", "office", "handler", "supervisor"}
PATROLS = {"citizen_chief", "patroller", "chief"}
SEES = REPORTS | {"auditor"}


def source_of(roles) -> str:
    """What a report comes from when none is named: found on patrol, by an inspection, or by a bureau."""
    return "patrol" if roles & PATROLS else "inspection" if roles & REVIEWS else "department"


READS_CHARGES = {"office", "supervisor", "auditor"}
OVERSEES = frozenset({"office", "supervisor", "chief", "auditor"})


@dataclass(eq=False)
class Somebody:
    """An account: what the law needs to know of it. `signs` is the path of the district whose chief it is."""

    name: str
    id: str
    username: str
    roles: set[str]
    path: str
    department: str | None = None
    signs: str | None = None
    enabled: bool = True
    disabled_at: datetime | None = None
    # Whom one acts for by a delegation, or who acts for one, with the first and the last day.
    partners: list[tuple["Somebody", date, date]] = field(default_factory=list)

    def covers(self, path: str) -> bool:
        return path.startswith(self.path)


@dataclass(eq=False)
class Reach:
    """A reach with its region and, while that account is enabled, its chief."""

    id: str
    path: str
    chief: Somebody | None


@dataclass(eq=False)
class Case:
    """An issue as it must stand."""

    id: str
    number: str
    category: str
    severity: str
    path: str
    reach: Reach | None
    reporter: Somebody | None
    accused: Somebody | None = None
    # Whom the charge that it was merged into was about before: whoever that was sees it never more.
    once_accused: list[Somebody] = field(default_factory=list)
    # Where and when it was seen: the places of the walk lie kilometres apart, so that two are the same or far.
    spot: str = ""
    received: datetime = NEVER
    state: str = "submitted"
    entries: list[str] = field(default_factory=list)
    lead: Somebody | None = None
    routed: Somebody | None = None
    helpers: list[Somebody] = field(default_factory=list)
    department: str | None = None
    rectified_by: Somebody | None = None
    # Whoever worked on it, or was put in charge of it once.
    workers: list[Somebody] = field(default_factory=list)
    dispatched_at: datetime | None = None
    declined: bool = False
    stopped_at: datetime | None = None
    dispatched_before: bool = False
    # Who is chief of its district, whoever else there is.
    district_chiefs: list[Somebody] = field(default_factory=list)
    # By when a request for more time is decided, and whether it was noted that this is late.
    more_time_by: datetime | None = None
    more_time_noted: bool = False
    # By when a plan is owed, when it was reported, and for which of these dates it was noted as late.
    plan_due: datetime | None = None
    plan_reported: datetime | None = None
    plan_noted: set[datetime] = field(default_factory=set)
    is_reached: bool = False
    returned: int = 0
    reopened: int = 0
    photos: set[str] = field(default_factory=set)
    # The clock: the due moment, in what it was counted, and from where the ladder climbs.
    due: datetime = NEVER
    unit: str | None = None
    last_day: date = date.min
    since: datetime = NEVER
    stage: str = ""
    climbs_from: datetime | None = None
    # The rungs reached for this due date; and, after a pause of what was late, its last day before lateness, and what it had climbed.
    reached: frozenset[str] = frozenset()
    late: date | None = None
    climbed: frozenset[str] = frozenset()
    # Time granted on top of the limit, in order: ("pause" | "review", from, to) or ("more", before, until).
    grants: list[tuple] = field(default_factory=list)
    # What the office graded it, what each duplicate raised it to since, and how the clock stood before each raise.
    graded: str = ""
    raises: list[tuple["Case", str]] = field(default_factory=list)
    saved: dict | None = None
    rectified_at: datetime | None = None
    # When the office is late to decide, what of it was noted, and the days of the ledger.
    waits: list[datetime] = field(default_factory=list)
    noted: int = 0
    # What of both a case that was accepted had before it was merged.
    kept_waits: tuple[list[datetime], int] | None = None
    ledger: list[date] = field(default_factory=list)
    followers: int = 0
    extensions: list[dict] = field(default_factory=list)
    orders: list[dict] = field(default_factory=list)
    # What its complainant holds and said.
    code: str | None = None
    closed_at: datetime | None = None
    ratings: dict[int, tuple] = field(default_factory=dict)
    requests: list[dict] = field(default_factory=list)
    # A tree: into what it was merged itself. What it shows as its original is the root of that tree.
    parent: "Case | None" = None
    merged_at: datetime | None = None
    merged_from: str = ""
    climbed_to: datetime | None = None
    relapse_of: "Case | None" = None
    relapses: list["Case"] = field(default_factory=list)

    @property
    def version(self) -> int:
        return len(self.entries)

    @property
    def shown_due(self) -> datetime | None:
        return None if self.state in WITHOUT_DUE else self.due

    def shown_plan(self, now: datetime) -> tuple[datetime | None, datetime | None, bool] | None:
        due, by_now = None if self.state in WITHOUT_DUE else self.plan_due, self.plan_reported or (now if self.state in IN_WORK else None)
        return (due, self.plan_reported, bool(due and by_now and due <= by_now)) if due or self.plan_reported else None

    @property
    def original(self) -> "Case":
        """What tells how this one goes: itself, unless it is merged."""
        return self.parent.original if self.parent else self

    @property
    def relapsed_in(self) -> "Case | None":
        """Where its trouble came back last: what tells how that goes, if not what tells of this one."""
        return next((one.original for one in reversed(self.relapses) if one.original is not self.original), None)


# Relations -----------------------------------------------------------------------------------------------------------


def leads(case: Case, who: Somebody, _now: datetime = NEVER) -> bool:
    if case.lead is not None:
        return who is case.lead
    return who.covers(case.path) and ("office" in who.roles or called(case, who))


def called(case: Case, who: Somebody) -> bool:
    return case.department is not None and who.department == case.department


def helps(case: Case, who: Somebody, _now: datetime) -> bool:
    return leads(case, who) or who in case.helpers or (called(case, who) and who.covers(case.path))


def handled(case: Case, who: Somebody, now: datetime) -> bool:
    """Whether it is one's own work, or that of somebody linked to one by people who acted for each other since the dispatch."""
    since, today = (case.dispatched_at or case.received).astimezone(UTC).date(), local_day(now)
    eyes = [who]
    for one in eyes:
        eyes += [other for other, first, last in one.partners if first <= today and last >= since and other not in eyes]
    return any(one in (case.lead, case.rectified_by, *case.helpers, *case.workers, case.accused, *case.once_accused) for one in eyes)


def reviews(case: Case, who: Somebody, now: datetime) -> bool:
    return not handled(case, who, now) and who.covers(case.path)


def chief_signs(case: Case) -> bool:
    """What is major ends by the district's chief, who sees no charge against a chief: there the office above signs."""
    return case.severity == "major" and not case.category.startswith(CHARGE)


def general_chief(case: Case, who: Somebody, everybody: Sequence[Somebody], now: datetime) -> bool:
    """Who can sign a case: its district's chief, or a supervisor where that chief worked on it; nobody checks own work."""
    chiefs = [one for one in everybody if one.enabled and one.signs and case.path.startswith(one.signs) and not handled(case, one, now)]
    able = chiefs or [one for one in everybody if one.enabled and "supervisor" in one.roles and one.covers(case.path) and not handled(case, one, now)]
    return who in able


def signs(case: Case, who: Somebody, now: datetime = NEVER) -> bool:
    as_chief = who.signs is not None and case.path.startswith(who.signs)
    in_stead = "supervisor" in who.roles and general_chief(case, who, [*case.district_chiefs, who], now)
    return who.covers(case.path) and (not chief_signs(case) or as_chief or in_stead)


def closes(case: Case, who: Somebody, now: datetime) -> bool:
    return reviews(case, who, now) and signs(case, who, now)


def stands_above(case: Case, who: Somebody, _now: datetime) -> bool:
    is_larger = who.path != case.path or bool(who.roles & REVIEWS)
    return who.covers(case.path) and is_larger and who is not case.lead and who not in case.helpers


def covers(case: Case, who: Somebody, _now: datetime) -> bool:
    return who.covers(case.path)


def oversees(case: Case, who: Somebody) -> bool:
    """Orders and lateness: for those who supervise, receive, review or audit, and for whoever it is given to."""
    if who is case.lead or who in case.helpers or bool(who.roles & OVERSEES):
        return sees(case, who)
    return called(case, who) and bool(who.roles & HANDLES) and sees(case, who)


def sees(case: Case, who: Somebody) -> bool:
    """Rows of one's subtree, what one's department was called in to, and one's own; charges only for those above who decide."""
    if who is case.accused or who in case.once_accused:
        return False
    if who is case.reporter or who is case.lead or who in case.helpers:
        return True
    if case.category.startswith(CHARGE):
        return bool(who.roles & READS_CHARGES) and who.covers(case.path)
    return who.covers(case.path) or (called(case, who) and bool(who.roles & HANDLES))


# Which department answers where nobody is chief, from docs/departments.md: the narrowest category decides.
OWNERS = {
    "A": "water", "A17": "agriculture", "A22": "natural_resources", "A3": "urban_management", "A32": "ecology", "A33": "water", "B": "ecology",
    "B1": "housing", "B4": "agriculture", "B5": "agriculture", "C": "urban_management", "C3": "agriculture", "C4": "agriculture", "C5": "water",
    "D1": "water", "D2": "water", "D4": "emergency", "D5": "water", "E": "water", "E3": "agriculture", "E4": "forestry",
}  # fmt: skip


def owner(case: Case, precedents: list[tuple[str, str, str]]) -> str | None:
    """The department for a case: a ruling on the same category at or above its place, the deepest and latest one; else the row for everywhere."""
    by_row = max((prefix for prefix in OWNERS if case.category.startswith(prefix)), key=len, default=None)
    rulings = [row for row in precedents if row[0] == case.category and case.path.startswith(row[1])]
    if rulings and by_row != case.category:
        deepest = max(len(path) for _, path, _ in rulings)
        return [department for _, path, department in rulings if len(path) == deepest][-1]
    return OWNERS[by_row] if by_row else None


# The table -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of the contract's table; `major` are the roles that a major issue needs instead."""

    verb: str
    sources: tuple[str, ...]
    target: str | None
    roles: set[str]
    relation: Callable[[Case, Somebody, datetime], bool]
    must: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    due: str = "keeps"
    major: set[str] | None = None

    def roles_for(self, case: Case) -> set[str]:
        return self.major if self.major and chief_signs(case) else self.roles

    @property
    def may_call(self) -> set[str]:
        """Whoever may ask at all: where severity decides, everybody who sees issues."""
        return SEES if self.major else self.roles


ROWS = (
    Row("accept", ("submitted",), "accepted", OFFICE, covers, due="sets"),
    Row("reject", ("submitted",), "rejected", OFFICE, covers, must=("ground", "reason")),
    Row("reject", ("accepted",), "rejected", OFFICE, closes, must=("ground", "reason"), major=CHIEF),
    Row("merge", ("submitted", "accepted", "dispatched"), "merged", OFFICE, covers, must=("into", "reason")),
    Row("unmerge", ("merged",), None, OFFICE, covers, must=("reason",)),
    Row("dispatch", ("accepted",), "dispatched", OFFICE, covers, due="recomputes"),
    Row("transfer", ("accepted", "dispatched"), "accepted", OFFICE, covers, must=("reason",), one_of=("reach_id", "region"), due="recomputes"),
    Row("decline", ("dispatched",), "accepted", HANDLES, leads, must=("ground", "reason", "suggested_owner")),
    Row("start", ("dispatched",), "in_progress", HANDLES, helps),
    Row("progress", ("in_progress",), None, HANDLES, helps, must=("note",)),
    Row("rectify", IN_WORK, "rectified", HANDLES, leads, must=("note", "photo_ids")),
    Row("verify", ("rectified",), "verified", REVIEWS, reviews),
    Row("return", ("rectified", "verified"), "in_progress", REVIEWS, reviews, must=("reason",), due="restores"),
    Row("close", ("verified",), "closed", OFFICE, closes, major=CHIEF),
    Row("suspend", ("accepted", *IN_WORK), "suspended", OFFICE, closes, must=("reason", "review_on", "milestones"), due="stops", major=CHIEF),
    Row("resume", ("suspended",), "in_progress", OFFICE, signs, due="restores", major=CHIEF),
    Row("reopen", ("closed", "rejected"), "accepted", REVIEWS, covers, must=("reason",), due="sets"),
    Row("supervise", OPEN, None, SUPERVISES, stands_above, must=("kind", "text")),
)
VERBS = tuple(dict.fromkeys(row.verb for row in ROWS))


def row_for(state: str, verb: str) -> Row | None:
    return next((row for row in ROWS if row.verb == verb and state in row.sources), None)


def too_late(row: Row, case: Case, now: datetime) -> bool:
    """A lead declines once, within 24 hours of the dispatch; a merging is undone within 24 hours."""
    if row.verb == "unmerge":
        return now - case.merged_at > UNDO_WITHIN
    if row.verb != "decline":
        return False
    return case.declined or (case.dispatched_at is not None and now - case.dispatched_at > timedelta(hours=24))


def allowed(case: Case, who: Somebody, now: datetime) -> list[str]:
    """The steps that somebody may take now."""
    return [
        row.verb for row in ROWS
        if case.state in row.sources and who.roles & row.roles_for(case) and row.relation(case, who, now) and not too_late(row, case, now)
    ]


def answer_to_step(case: Case, who: Somebody, verb: str, body: dict, etag: int | None, now: datetime) -> int:
    """The status that a step must get before anything of its content is looked at beyond what it must bring."""
    may_call = set[str]().union(*(row.may_call for row in ROWS if row.verb == verb))
    if not who.enabled:
        return 401
    if not who.roles & may_call:
        return 403
    if "no such field" in body:
        return 422
    if not sees(case, who):
        return 404
    if etag is not None and etag != case.version:
        return 412
    row = row_for(case.state, verb)
    if row is None:
        return 409
    if not who.roles & row.roles_for(case) or not row.relation(case, who, now):
        return 403
    if too_late(row, case, now):
        return 409
    brought = {name for name, value in body.items() if value not in (None, "", " ", [])}
    if set(row.must) - brought or (row.one_of and len(brought & set(row.one_of)) != 1):
        return 422
    return 200


# Due dates -----------------------------------------------------------------------------------------------------------

LIMITS = {
    ("acceptance", "urgent"): (2, "hours"), ("acceptance", "general"): (1, "working"), ("acceptance", "serious"): (1, "working"),
    ("acceptance", "major"): (1, "working"), ("rectification", "urgent"): (24, "hours"), ("rectification", "general"): (10, "working"),
    ("rectification", "serious"): (20, "working"), ("rectification", "major"): (60, "calendar"),
}


def works(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5 and (day.month, day.day) not in {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}


def plus(day: date, amount: int, unit: str) -> date:
    if unit == "calendar":
        return day + timedelta(days=amount)
    while amount:
        day += timedelta(days=1)
        amount -= works(day)
    return day


def back(day: date) -> date:
    """The working day before."""
    day -= timedelta(days=1)
    return day if works(day) else back(day)


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), CHINA).astimezone(UTC)


def local_day(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()


def set_due(case: Case, due: datetime, unit: str | None, last_day: date, now: datetime) -> None:
    if due != case.due:
        case.climbs_from = now
        case.reached = case.climbed = frozenset()
        case.late = None
    case.due, case.unit, case.last_day = due, unit, last_day


def counted(case: Case, stage: str, since: datetime) -> tuple[datetime, str | None, date]:
    amount, unit = LIMITS[stage, case.severity]
    if unit == "hours":
        due = since + timedelta(hours=amount)
        return due, unit, local_day(due)
    last = plus(local_day(since), amount, unit)
    return end_of(last), unit, last


def count_due(case: Case, stage: str, since: datetime, now: datetime) -> None:
    case.stage, case.since, case.grants, case.saved = stage, since, [], None
    case.late, case.climbed = None, frozenset()
    set_due(case, *counted(case, stage, since), now)


def count_again(case: Case, now: datetime) -> None:
    """Another severity: the new limit from the old beginning, and whatever time was granted since.

    What is late by it climbs at once; graver orders count from then on, or from when it was late before.
    """
    found, before = counted(case, case.stage, case.since), case.due
    late, climbed = min(case.late or local_day(before - TICK), local_day(now - TICK)), case.climbed | case.reached
    for kind, begun, ended in case.grants:
        if kind == "more":
            found = found[0] + (ended - begun), None, local_day(found[0] + (ended - begun) - TICK)
        else:
            found = restored(found, begun, ended, at_least=kind == "review")
    case.saved, case.late, case.climbed = None, None, frozenset()
    set_due(case, *found, now)
    if case.due != before and case.due <= now and case.state in RUNNING:
        case.late, case.climbed, case.climbs_from = late, climbed, case.due


def name_due(case: Case, moment: datetime, now: datetime) -> None:
    """The office decides on a moment."""
    set_due(case, moment, None, local_day(moment - TICK), now)


def extend(case: Case, until: datetime, now: datetime) -> None:
    """The office grants more time."""
    case.grants.append(("more", case.due, until))
    name_due(case, until, now)


def by_policy(case: Case, severity: str, since: datetime) -> datetime:
    """When a case of a severity would have to be rectified, counted from a moment."""
    amount, unit = LIMITS["rectification", severity]
    return since + timedelta(hours=amount) if unit == "hours" else end_of(plus(local_day(since), amount, unit))


def can_name(case: Case, severity: str, due: datetime, reason: bool, now: datetime) -> bool:
    """The office names a later date than policy's only for a reason, and none beyond twice the limit."""
    policy = by_policy(case, severity, case.since)
    standing = case.due if severity == case.severity else policy
    if case.dispatched_before and due > (case.due if severity == case.severity else graded_anew(case, severity, now)):
        return False
    return now < due <= now + 2 * (by_policy(case, severity, now) - now) and (reason or due <= max(policy, standing))


def graded_anew(case: Case, severity: str, now: datetime) -> datetime:
    """When a case would be due with another severity, and the time that was granted since."""
    other = replace(case, severity=severity, grants=list(case.grants))
    count_again(other, now)
    return other.due


def lowers(case: Case, severity: str | None) -> bool:
    return severity is not None and GRADES.index(severity) < GRADES.index(case.severity)


def moves_later(case: Case, severity: str | None, named: datetime | None, now: datetime) -> bool:
    """Whether another grade of what is accepted gives more time than there was, which nobody gets without a reason."""
    return severity not in (None, case.severity) and (named or graded_anew(case, severity, now)) > case.due


def unsigned(case: Case, who: Somebody, severity: str | None) -> bool:
    """Whether what is major would become something else without the district's chief."""
    return chief_signs(case) and severity not in (None, "major") and not (who.signs and case.path.startswith(who.signs))


def restored(found: tuple[datetime, str | None, date], stopped: datetime, now: datetime, *, at_least: bool) -> tuple[datetime, str | None, date]:
    """Whole days left are counted again from the day on which work goes on; everything else moves by the pause.

    After a review there is one working day at least.
    """
    due, named, last_day = found
    unit = "calendar" if named is None and due == end_of(last_day) else named
    if unit in (None, "hours") or due <= stopped:
        due = due + (now - stopped)
        last_day = local_day(due)
    else:
        between = [local_day(stopped) + timedelta(days=n) for n in range(1, (last_day - local_day(stopped)).days + 1)]
        left = len(between) if unit == "calendar" else sum(works(day) for day in between)
        last_day = plus(local_day(now), left, unit)
        due = end_of(last_day)
    least = plus(local_day(now), 1, "working")
    return (end_of(least), "working", least) if at_least and end_of(least) > due else (due, named, last_day)


def restore_due(case: Case, kind: str, stopped: datetime, now: datetime) -> None:
    late, climbed = case.late or (local_day(case.due - TICK) if case.due <= stopped else None), case.climbed | case.reached
    case.grants.append((kind, stopped, now))
    set_due(case, *restored((case.due, case.unit, case.last_day), stopped, now, at_least=kind == "review"), now)
    case.climbs_from = now
    if late is None:
        return
    # What was late stays so: the working days before the pause count, those of the pause do not.
    first, stops = local_day(now), local_day(stopped)
    for _ in range(sum(works(late + timedelta(days=n)) for n in range(1, (stops - late).days))):
        first = back(first)
    case.late, case.climbed = first - timedelta(days=1), climbed


# The plan of what is major ---------------------------------------------------------------------------------------------


def owe_plan(case: Case, now: datetime) -> None:
    """Within ten working days of the dispatch, or of when an issue in work became major."""
    if case.severity == "major" and case.plan_due is None and case.state in IN_WORK:
        case.plan_due = end_of(plus(local_day(now), 10, "working"))


def renew_plan(case: Case, before: str, stopped: datetime | None, now: datetime) -> None:
    """A new lead has the time anew; after a pause what was left goes on, and what was late stays so."""
    if "accepted" in (case.state, before) and case.state in ("accepted", *IN_WORK):
        case.plan_due = case.plan_reported = None
    if case.state in IN_WORK and before not in (*IN_WORK, "merged"):
        if case.plan_due and not case.plan_reported and case.plan_due > stopped:
            case.plan_due = restored((case.plan_due, "working", local_day(case.plan_due - TICK)), stopped, now, at_least=False)[0]
        owe_plan(case, now)


def grade_plan(case: Case, now: datetime) -> None:
    """Another severity: what is major now owes a plan, what is not so any more owes none."""
    case.plan_due = case.plan_due if case.severity == "major" else None
    owe_plan(case, now)


def plan_late(case: Case, now: datetime) -> list[str]:
    """The superior chief hears of it once for each date."""
    late = case.state in IN_WORK and case.plan_due and not case.plan_reported and case.plan_due <= now and case.plan_due not in case.plan_noted
    case.plan_noted |= {case.plan_due} if late else set()
    case.entries += ["escalate"] if late else []
    return ["plan_late"] if late else []


# The ladder ----------------------------------------------------------------------------------------------------------


def ladder(case: Case) -> list[tuple[datetime, str]]:
    """The rungs of a new installation, by the moment at which each is reached."""
    last = local_day(case.due - timedelta(microseconds=1))
    rungs = [(case.since + (case.due - case.since) / 2, "half_time"), (end_of(back(last) - timedelta(days=1)), "day_before"), (case.due, "overdue")]
    rungs += [(end_of(plus(case.late or last, days, "working")), code) for days, code in ((3, "letter"), (10, "listed"), (20, "talk"))]
    return sorted(rungs, key=lambda rung: rung[0])


def wait_for_office(case: Case, now: datetime) -> None:
    """The office dispatches within a working day (what is urgent within two hours), checks within 3, closes within 5, and looks at the ledger on its days."""
    days = {"accepted": 1, "rectified": 3, "verified": 5}.get(case.state)
    ends = [end_of(plus(local_day(now), days, "working"))] if days else []
    if case.state == "accepted" and case.severity == "urgent":
        ends = [now + timedelta(hours=2)]
    case.waits, case.noted = [end_of(day) for day in sorted(set(case.ledger))] if case.state == "suspended" else ends, 0


def reach_milestone(case: Case) -> None:
    """What was reached is waited for no more; what was noted already is not noted again."""
    noted = set(case.waits[: case.noted])
    case.ledger = case.ledger[:1]
    case.waits = [end_of(day) for day in case.ledger]
    case.noted = len([moment for moment in case.waits if moment in noted])


def wait_for_answer(case: Case, asked: list[datetime]) -> None:
    """A "not fixed" is answered within 5 working days; of several the first one counts."""
    waits = [end_of(plus(local_day(min(asked)), 5, "working"))] if asked else []
    if waits != case.waits:
        case.waits, case.noted = waits, 0


def climb(case: Case, now: datetime) -> list[str]:
    """Let the sweep pass at `now`, or whoever moves the case on before it does; return the rungs that are reached."""
    noted = ["office"] if case.more_time_by and not case.more_time_noted and case.more_time_by <= now else []
    case.entries += ["escalate"] * len(noted)
    case.more_time_noted |= bool(noted)
    return [*noted, *plan_late(case, now), *climb_otherwise(case, now)]


def ask_for_time(case: Case, now: datetime) -> None:
    """The office decides on more time within a working day."""
    case.more_time_by, case.more_time_noted = end_of(plus(local_day(now), 1, "working")), False


def climb_otherwise(case: Case, now: datetime) -> list[str]:
    late = [moment for moment in case.waits[case.noted:] if moment <= now]
    case.noted += len(late)
    case.entries += ["escalate"] * len(late)
    office = ["office"] * len(late)
    if case.state not in RUNNING or case.climbs_from is None or case.climbs_from > now:
        return office
    rungs = [rung for rung in ladder(case) if rung[0] >= case.climbs_from and rung[1] not in case.climbed | case.reached]
    reached = [code for moment, code in rungs if moment <= now]
    case.climbs_from = next((moment for moment, _ in rungs if moment > now), None)
    case.entries += ["escalate"] * len(reached)
    case.reached |= set(reached)
    case.orders += [{"to": case.lead, "answered": False, "id": None} for code in reached if code in ("letter", "listed", "talk")]
    return [*office, *reached]


# Duplicates and relapses ---------------------------------------------------------------------------------------------


def below(case: Case, cases: Sequence[Case]) -> list[Case]:
    """What is merged into a case, and what is merged into that."""
    own = [one for one in cases if one.parent is case]
    return [*own, *(further for one in own for further in below(one, cases))]


def can_take_in(original: Case | None, case: Case, who: Somebody) -> bool:
    """Whether a case can be merged into another by somebody."""
    if original is None or original is case or not sees(original, who) or not who.covers(original.path):
        return False
    if original.state in ("merged", "rejected") or (original.closed_at and case.received > original.closed_at):
        return False
    if CHARGE in (case.category[0], original.category[0]):
        return case.category == original.category and case.accused is original.accused
    return True


def above(who: Somebody | None, reach: Reach) -> str:
    """The region above a chief: above where he works and where he is chief, if there is one above; the highest of all where there is no chief."""
    if who is None:
        return reach.path[: reach.path.index("/", 1) + 1]
    parts = min(who.path, reach.path, key=len).strip("/").split("/")
    return "/" + "/".join(parts[:-1] or parts) + "/"


def chief_of(reach: Reach | None, case: Case) -> Somebody | None:
    """Who answers for a reach: of a charge on the day of the report, also where that account was disabled on a later one."""
    chief = reach.chief if reach else None
    if chief is None or chief.enabled:
        return chief
    was_there = case.category.startswith(CHARGE) and chief.disabled_at and chief.disabled_at >= end_of(local_day(case.received))
    return chief if was_there else None


def let_duplicates_follow(case: Case, cases: Sequence[Case]) -> None:
    """What is merged into a charge is part of it: about the same chief, in the same region, and nobody from below is in charge of it."""
    for child in below(case, cases) if case.category.startswith(CHARGE) else []:
        if (child.category, child.accused, child.path) == (case.category, case.accused, case.path):
            continue
        child.once_accused += [child.accused] if child.accused not in (None, case.accused) else []
        child.category, child.accused, child.path = case.category, case.accused, case.path
        call_back(child)
        child.merged_from = "accepted" if child.merged_from == "dispatched" else child.merged_from
        withdraw_relapse(child)
        child.entries.append("join_charge")


def passed_on(case: Case, reach: Reach) -> bool:
    """Whether a case may go to another reach: a charge only where all whom it was about so far stay below, and did not report it."""
    if not case.category.startswith(CHARGE):
        return True
    chief = chief_of(reach, case)
    path, former = above(chief, reach), case.accused
    if not case.path.startswith(path):
        return False
    return chief is None or former in (None, chief) or not (former.covers(path) or former is case.reporter)


def may_handle(case: Case, who: Somebody) -> bool:
    """A charge is handled by people of the regions above the accused."""
    return not case.category.startswith(CHARGE) or (who is not case.accused and case.path.startswith(who.path))


def keeps_major(case: Case, original: Case, raised: str | None) -> bool:
    """What is major, of the two, is major afterwards: merging spares no signature."""
    return "major" not in (case.severity, original.severity) or (raised or original.severity) == "major"


def can_raise(original: Case, severity: str) -> bool:
    return original.state not in ENDED and GRADES.index(severity) > GRADES.index(original.severity)


def put_into(case: Case, original: Case, now: datetime, cases: Sequence[Case], raised: str | None) -> None:
    """Merge: what was merged into the case goes along, and the original counts all of them."""
    named = {old: old.relapsed_in for old in cases if old.relapses}
    for child in below(case, cases):
        child.entries.append("move_along")
    case.parent, case.merged_at, case.merged_from = original, now, case.state
    tell_renamed(named, (case, original, *below(case, cases)))
    case.climbed_to = min(case.climbs_from or now, now)
    case.kept_waits = (case.waits, case.noted) if case.state == "accepted" else None
    if raised:
        climb(original, now)
    original.entries.append("take_in")
    if raised:
        kept = {name: getattr(original, name) for name in ("severity", "due", "unit", "last_day", "climbs_from", "saved", "late", "climbed", "reached")}
        original.severity = raised
        original.raises.append((case, raised))
        if original.state in RUNNING:
            count_again(original, now)
            original.saved = kept | {"raised_to": original.due}
        grade_plan(original, now)


def tell_renamed(named: dict[Case, Case | None], told: Sequence[Case]) -> None:
    """An old case says so when it names another relapse than it `named`; those that are merged are `told` by that."""
    for old, before in named.items():
        if old.relapsed_in is not before and old not in told:
            old.entries.append("relapse_moved")


def lower(case: Case, original: Case, now: datetime) -> bool:
    """Take back what merging a case raised, as if it had never been merged; tell whether anything changed."""
    original.raises = [(one, severity) for one, severity in original.raises if one is not case]
    severity = max((original.graded, *(severity for _, severity in original.raises)), key=GRADES.index)
    if severity == original.severity:
        return False
    climb(original, now)
    original.severity, kept = severity, original.saved
    if kept and kept["severity"] == severity and kept["raised_to"] == original.due:
        for name, value in kept.items():
            if name != "raised_to":
                setattr(original, name, value)
    elif original.state not in ENDED:
        count_again(original, now)
    grade_plan(original, now)
    return True


def take_out(case: Case, cases: Sequence[Case], now: datetime) -> str:
    """Undo a merging; return the state in which it had been done. Whoever can lead no more does not come back."""
    named, original = {old: old.relapsed_in for old in cases if old.relapses}, case.original
    lowered = lower(case, case.parent, now)
    original.entries.append("give_back")
    if lowered and case.parent is not case.original:
        case.parent.entries.append("give_back")
    for child in below(case, cases):
        child.entries.append("move_along")
    if case.lead and not (case.lead.enabled and case.lead.roles & HANDLES):
        case.lead = None
    # The ladder goes on from where it stopped: what was reached meanwhile is made up for.
    case.climbs_from, case.parent, case.merged_at = case.climbed_to, None, None
    tell_renamed(named, (case, original, *below(case, cases)))
    return case.merged_from


def link_relapse(case: Case, cases: Sequence[Case]) -> None:
    """A trouble of the same category at the same place, seen after a closing and within 90 days of it, came back."""
    if case.relapse_of or case.category.startswith(CHARGE):
        return
    old = [
        one for one in cases if one.state == "closed" and one is not case and one.category == case.category and one.spot == case.spot
        and one.closed_at < case.received <= one.closed_at + RELAPSE_WITHIN
    ]
    if old:
        case.relapse_of = max(old, key=lambda one: one.closed_at)
        case.relapse_of.relapses.append(case)
        case.relapse_of.entries.append("relapse")


def withdraw_relapse(case: Case) -> None:
    """What is rejected was no return of anything."""
    if case.relapse_of:
        case.relapse_of.relapses.remove(case)
        case.relapse_of.entries.append("relapse_withdrawn")
        case.relapse_of = None


def settle_extension(case: Case) -> None:
    """Whoever leads no more gets no more time, nor does what has ended: what nobody decided is refused."""
    for row in case.extensions:
        if row["granted"] is None and row["opening"] == case.reopened:
            row["granted"] = False
            case.entries.append("refuse_extension")


# Effects -------------------------------------------------------------------------------------------------------------


def call_back(case: Case) -> None:
    case.lead, case.helpers, case.department, case.dispatched_at = None, [], None, None


def wants_time(case: Case) -> bool:
    return any(row["granted"] is None and row["opening"] == case.reopened for row in case.extensions)


def reopen(case: Case, cases: Sequence[Case]) -> None:
    """Whoever called it not fixed is answered by that, whichever way it is reopened."""
    for row in (row for one in cases for row in one.requests if row["of"] is case):
        row["decided"] = True
    call_back(case)
    case.declined, case.rectified_by, case.closed_at, case.dispatched_before = False, None, None, False
    case.reopened += 1


def take(
    case: Case, verb: str, who: Somebody | None, now: datetime, *, cases: Sequence[Case], severity: str | None = None,
    category: str | None = None, into: Case | None = None, raised: str | None = None,
) -> None:
    """Carry out a step that was allowed, among all `cases`; what a dispatch or transfer decides is set by the caller."""
    climb(case, now)
    row, stopped = row_for(case.state, verb), case.stopped_at if verb == "resume" else case.rectified_at
    if verb in ("start", "progress", "rectify"):
        case.workers.append(who)
    renewed = severity not in (None, case.severity) or category not in (None, case.category)
    if severity not in (None, case.severity):
        case.severity = case.graded = severity
        case.raises = []
    before_category, case.category = case.category, category or case.category
    if row.due == "sets":
        count_due(case, "rectification", now, now)
        case.climbs_from = now
    elif row.due == "recomputes" and renewed:
        count_again(case, now)
    elif verb == "resume":
        restore_due(case, "pause", case.stopped_at, now)
        case.stopped_at = None
    elif verb == "return":
        restore_due(case, "review", case.rectified_at, now)
    if verb in ("dispatch", "transfer") and category not in (None, before_category):
        withdraw_relapse(case)
        link_relapse(case, cases)
    if verb == "accept" or (verb == "reopen" and case.state == "rejected"):
        link_relapse(case, cases)
    effects = {
        "reject": lambda: withdraw_relapse(case), "merge": lambda: put_into(case, into, now, cases, raised),
        "transfer": lambda: call_back(case), "decline": lambda: (call_back(case), setattr(case, "declined", True)),
        "rectify": lambda: (setattr(case, "rectified_by", who), setattr(case, "rectified_at", now)),
        "suspend": lambda: (setattr(case, "stopped_at", now), setattr(case, "is_reached", False)),
        "return": lambda: (setattr(case, "rectified_by", None), setattr(case, "returned", case.returned + 1)),
        "close": lambda: setattr(case, "closed_at", now), "reopen": lambda: reopen(case, cases),
        "dispatch": lambda: setattr(case, "dispatched_at", now),
    }
    effects.get(verb, lambda: None)()
    target = "accepted" if verb == "resume" and case.dispatched_at is None else row.target
    before, case.state = case.state, take_out(case, cases, now) if verb == "unmerge" else target or case.state
    if case.state != before:
        renew_plan(case, before, stopped, now)
        wait_for_office(case, now)
        if verb == "unmerge" and case.kept_waits:
            case.waits, case.noted = case.kept_waits
    if case.state not in IN_WORK:
        case.more_time_by = None
    elif before not in IN_WORK and wants_time(case):
        ask_for_time(case, now)
    case.entries.append(verb)
    if case.state in ENDED or (before == "dispatched" and case.state == "accepted"):
        settle_extension(case)
