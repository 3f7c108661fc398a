"""Issues, the people and photos on them, and their history."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Sequence,
    String,
    UniqueConstraint,
    event,
    exists,
    false,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, MappedSQLExpression, column_property, mapped_column, relationship
from sqlalchemy.sql.expression import ColumnElement

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import Base, new_id
from patrol.people.models import Person, Region
from patrol.waters.models import Reach

SERIALS = Sequence("issue_serials", metadata=Base.metadata)


class NextSerial(ColumnElement[int]):
    """The next issue's running number, computed inside the INSERT."""

    inherit_cache = True
    type = BigInteger()


@compiles(NextSerial, "postgresql")
def _next_of_sequence(_element: Any, _compiler: Any, **_kwargs: Any) -> str:
    return "nextval('issue_serials')"


# On SQLite only one transaction writes at a time, so the largest number cannot be taken twice.
@compiles(NextSerial, "sqlite")
def _next_of_table(_element: Any, _compiler: Any, **_kwargs: Any) -> str:
    return "(SELECT coalesce(max(serial), 0) + 1 FROM issues)"


def number_of(serial: int) -> str:
    """Return the number of the issue with this running number: "XH0000123"."""
    return f"XH{serial:07d}"


# The states in which the clock runs (`due.CLOCK_RUNS`), for the index of what is overdue.
_RUNNING = "state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"

_LED = "state IN ('dispatched', 'in_progress')"
_LED_BY_NOBODY = "lead_id IS NULL AND state IN ('dispatched', 'in_progress')"
# What was declined or reopened, and waits for the office again.
_CAME_BACK = "state = 'accepted' AND (declined_at IS NOT NULL OR reopened_times > 0)"
_TO_SIGN = "severity = 'major' AND state IN ('verified', 'suspended')"
_ON_LEDGER = "review_on IS NOT NULL"
_UNDECIDED = "decided_at IS NULL"
# A ladder that was climbed to its end, or that waits for nothing, is not in the index.
_CLIMBS = "next_escalation_at IS NOT NULL"
_TO_DECIDE = "decide_by IS NOT NULL"
# With the bare state SQLite, which knows nothing of how few these are, would take the index of the states instead.
_OWES_PLAN = "plan_due_at IS NOT NULL AND plan_reported_at IS NULL AND coalesce(state, '') IN ('dispatched', 'in_progress')"
_WAITS = "state = 'open' AND told_late_at IS NULL AND due_at IS NOT NULL"
_IS_MERGED = "merged_into_id IS NOT NULL"
_IS_RELAPSE = "relapse_of_id IS NOT NULL"
_RELAPSED = "relapsed_in_id IS NOT NULL"


def _named_by(column: str) -> Any:
    """Relate an issue to another one that it names; as all its relations this one is only looked at."""
    return relationship("Issue", foreign_keys=f"Issue.{column}", remote_side="Issue.id", viewonly=True, lazy="raise_on_sql")


class Issue(Base):
    """Something wrong on the water. `state` is written by `take_step` only; each change adds a history entry.

    `version` counts the entries of the history and `history_hash` is the last one's hash, so that a shortened history
    shows. `is_joint`: it lies on a border, and its sides (`IssueSide`) see it. `findings` are beside it: they come later
    by the worker and do not make anybody's ETag stale.

    `decide_by` is by when the office has to decide on it (`deciding`), None while nothing waits for that; `plan_due_at` is by
    when its lead has to report a plan (`plans`), None where none is asked.

    A merged issue names its original, which is never merged itself, and the state it was in before; `also_reported`
    counts, on the original, what is merged into it. `relapse_of` is the closed issue whose trouble came back here, and
    `relapsed_in`, on that one, where it came back last, or the original of that. `accused_id` is the chief whom a charge is about: that account
    never sees it, and its region is the one above, whose office hears it.

    What it is related to is only looked at: whoever changes a relation writes its column or adds its row as well. That
    spares each step the search for what might have to be written along, two fifths of what a flush costs.
    """

    __tablename__ = "issues"
    __table_args__ = (
        Index("ix_issues_received_at", "received_at", "id", "due_at", "state", "accused_id"),
        Index("ix_issues_state", "state", "received_at", "id", "due_at", "accused_id"),
        Index("ix_issues_state_due", "state", "due_at", "id"),
        Index("ix_issues_region", "region_id", "received_at", "id"),
        Index("ix_issues_region_state", "region_id", "state", "received_at", "id", "accused_id"),
        Index("ix_issues_reporter", "reporter_id", "received_at", "id"),
        Index("ix_issues_reach", "reach_id", "received_at", "id"),
        Index("ix_issues_lead", "lead_id", "received_at", "id"),
        Index("ix_issues_category", "category", "received_at", "id"),
        Index("ix_issues_source", "source", "received_at", "id"),
        Index("ix_issues_severity", "severity", "received_at", "id"),
        Index("ix_issues_due_at", "due_at", "id"),
        Index("ix_issues_running", "due_at", "id", postgresql_where=text(_RUNNING), sqlite_where=text(_RUNNING)),
        Index("ix_issues_running_region", "region_id", "due_at", "id", postgresql_where=text(_RUNNING), sqlite_where=text(_RUNNING)),
        Index("ix_issues_led", "lead_id", "due_at", postgresql_where=text(_LED), sqlite_where=text(_LED)),
        Index("ix_issues_led_by_nobody", "region_id", postgresql_where=text(_LED_BY_NOBODY), sqlite_where=text(_LED_BY_NOBODY)),
        Index("ix_issues_came_back", "region_id", postgresql_where=text(_CAME_BACK), sqlite_where=text(_CAME_BACK)),
        Index("ix_issues_review_on", "review_on", "id", postgresql_where=text(_ON_LEDGER), sqlite_where=text(_ON_LEDGER)),
        Index("ix_issues_decide_by", "decide_by", "id", postgresql_where=text(_TO_DECIDE), sqlite_where=text(_TO_DECIDE)),
        Index("ix_issues_owing_plan", "plan_due_at", postgresql_where=text(_OWES_PLAN), sqlite_where=text(_OWES_PLAN)),
        Index("ix_issues_to_sign", "state", postgresql_where=text(_TO_SIGN), sqlite_where=text(_TO_SIGN)),
        Index("ix_issues_climbing", "next_escalation_at", postgresql_where=text(_CLIMBS), sqlite_where=text(_CLIMBS)),
        Index("ix_issues_place", "latitude", "longitude", "received_at", "id", "accused_id"),
        Index("ix_issues_merged_into", "merged_into_id", postgresql_where=text(_IS_MERGED), sqlite_where=text(_IS_MERGED)),
        Index("ix_issues_relapse_of", "relapse_of_id", postgresql_where=text(_IS_RELAPSE), sqlite_where=text(_IS_RELAPSE)),
        Index("ix_issues_relapsed_in", "relapsed_in_id", postgresql_where=text(_RELAPSED), sqlite_where=text(_RELAPSED)),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, unique=True, default=NextSerial())
    state: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(8))
    severity: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(String(4000))
    is_joint: Mapped[bool] = mapped_column(default=False, server_default=false())
    latitude: Mapped[float]
    longitude: Mapped[float]
    raw_latitude: Mapped[float]
    raw_longitude: Mapped[float]
    datum: Mapped[str] = mapped_column(String(8))
    accuracy_m: Mapped[float | None]
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime]
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"))
    reach_id: Mapped[UUID | None] = mapped_column(ForeignKey("reaches.id"))
    routing: Mapped[dict[str, Any]]
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    accused_id: Mapped[UUID | None]
    department: Mapped[str | None] = mapped_column(String(40), index=True)
    due_at: Mapped[datetime]
    due_rule: Mapped[dict[str, Any]]
    decide_by: Mapped[datetime | None]
    plan_due_at: Mapped[datetime | None]
    plan_reported_at: Mapped[datetime | None]
    next_escalation_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    review_on: Mapped[date | None]
    milestones: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    rectified_at: Mapped[datetime | None]
    rectified_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    verified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    returned_times: Mapped[int] = mapped_column(default=0)
    reopened_times: Mapped[int] = mapped_column(default=0)
    public_summary: Mapped[str | None] = mapped_column(String(2000))
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"))
    merged_at: Mapped[datetime | None]
    merged_from: Mapped[str | None] = mapped_column(String(20))
    also_reported: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    relapse_of_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"))
    relapsed_in_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"))
    reporter_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    patrol_id: Mapped[UUID | None] = mapped_column(index=True)
    check_in_id: Mapped[UUID | None] = mapped_column(index=True)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    history_hash: Mapped[str] = mapped_column(String(64))

    region: Mapped[Region] = relationship(viewonly=True, lazy="raise_on_sql")
    reach: Mapped[Reach | None] = relationship(viewonly=True, lazy="raise_on_sql")
    lead: Mapped[Person | None] = relationship(foreign_keys=[lead_id], viewonly=True, lazy="raise_on_sql")
    reporter: Mapped[Person | None] = relationship(foreign_keys=[reporter_id], viewonly=True, lazy="raise_on_sql")
    merged_into: Mapped["Issue | None"] = _named_by("merged_into_id")
    relapse_of: Mapped["Issue | None"] = _named_by("relapse_of_id")
    relapsed_in: Mapped["Issue | None"] = _named_by("relapsed_in_id")
    co_handlers: Mapped[list[Person]] = relationship(
        secondary="issue_co_handlers", order_by=Person.username, viewonly=True, lazy="raise_on_sql"
    )
    parts: Mapped[list["IssuePart"]] = relationship(order_by=lambda: IssuePart.n, viewonly=True, lazy="raise_on_sql")
    photo_links: Mapped[list["IssuePhoto"]] = relationship(
        order_by=lambda: (IssuePhoto.seq, IssuePhoto.position), viewonly=True, lazy="raise_on_sql"
    )

    @property
    def number(self) -> str:
        """The number that people say and write, from the running number."""
        return number_of(self.serial)


@event.listens_for(Issue.due_at, "set")
def begin_ladder_anew(issue: Issue, due_at: datetime, before: Any, _initiator: Any) -> None:
    """Let the sweep look at an issue whose due date was set or moved: from now on its ladder counts to that date."""
    if due_at != before:
        issue.next_escalation_at = clock.now()


class CoHandler(Base):
    """Somebody who handles an issue beside its lead."""

    __tablename__ = "issue_co_handlers"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class IssuePhoto(Base):
    """A photo on an issue, brought by step `seq` of its history: `before`, `during`, `after`, or `other` of a complainant's "not fixed".

    `is_refused` tells whether the work was returned or reopened since; whoever asks for it loads it along. `hidden_seq` is
    the entry by which the office took it from the public, None while it is not hidden; `is_looked_at` tells whether somebody
    with an account has done something about the issue since.
    """

    __tablename__ = "issue_photos"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    photo_id: Mapped[UUID] = mapped_column(ForeignKey("photos.id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(10))
    seq: Mapped[int]
    position: Mapped[int]
    before_photo_id: Mapped[UUID | None] = mapped_column(ForeignKey("photos.id"))
    hidden_seq: Mapped[int | None]

    photo: Mapped[Photo] = relationship(foreign_keys=[photo_id], lazy="raise_on_sql")
    is_refused: ClassVar[MappedSQLExpression[bool]]
    is_looked_at: ClassVar[MappedSQLExpression[bool]]


class Extension(Base):
    """The `n`-th time that an issue's lead asked for more time, and what the office decided.

    `opening` is how often the issue had been reopened then: each opening has its own two.
    """

    __tablename__ = "issue_extensions"
    __table_args__ = (
        Index("ix_issue_extensions_undecided", "issue_id", postgresql_where=text(_UNDECIDED), sqlite_where=text(_UNDECIDED)),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opening: Mapped[int]
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(4000))
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    granted: Mapped[bool | None]
    decision: Mapped[str | None] = mapped_column(String(4000))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    asked_by: Mapped[Person] = relationship(foreign_keys=[asked_by_id], lazy="raise_on_sql")
    decided_by: Mapped[Person | None] = relationship(foreign_keys=[decided_by_id], lazy="raise_on_sql")


class IssuePart(Base):
    """The `n`-th part of an issue's work, given to a person or to a department's handler beside the lead.

    `state` is open, done or taken_back. `due_at` None: due with the issue.
    """

    __tablename__ = "issue_parts"
    __table_args__ = (Index("ix_issue_parts_waiting", "due_at", postgresql_where=text(_WAITS), sqlite_where=text(_WAITS)),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    department: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(2000))
    due_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(String(4000))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    told_late_at: Mapped[datetime | None]

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")
    person: Mapped[Person] = relationship(foreign_keys=[person_id], lazy="raise_on_sql")


class HistoryEntry(Base):
    """One step of an issue, never changed: who, when, what, why, with the hash of the step before.

    `changes` is for people; `facts` are the columns that it set, for proof (`facts.py`), None where none were said yet.
    """

    __tablename__ = "issue_history"
    __table_args__ = (UniqueConstraint("issue_id", "seq"), Index("ix_issue_history_at", "at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"))
    seq: Mapped[int]
    verb: Mapped[str] = mapped_column(String(20))
    from_state: Mapped[str | None] = mapped_column(String(20))
    to_state: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    actor_name: Mapped[str] = mapped_column(String(100))
    rule: Mapped[str | None] = mapped_column(String(60))
    at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(String(4000))
    reason: Mapped[str | None] = mapped_column(String(4000))
    ground: Mapped[str | None] = mapped_column(String(40))
    changes: Mapped[dict[str, Any]]
    photos: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")


# The steps after which earlier photos of a cure prove nothing any more.
_UNDOES_CURE = ("return", "reopen")
IssuePhoto.is_refused = column_property(
    exists().where(
        HistoryEntry.issue_id == IssuePhoto.issue_id, HistoryEntry.seq > IssuePhoto.seq, HistoryEntry.verb.in_(_UNDOES_CURE)
    ),
    deferred=True,
)
# A hand-over changes who leads many issues at once: nobody looks at each.
IssuePhoto.is_looked_at = column_property(
    exists().where(
        HistoryEntry.issue_id == IssuePhoto.issue_id, HistoryEntry.seq > IssuePhoto.seq, HistoryEntry.actor_id.is_not(None),
        HistoryEntry.verb != "hand_over",
    ),
    deferred=True,
)
