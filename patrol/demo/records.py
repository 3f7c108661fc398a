"""What happened in the demo district, as plain records: patrols with check-ins, issues with their steps, photos, ratings."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from uuid import UUID

from patrol.demo.pictures import Phase, draw_photo
from patrol.demo.walks import Walk

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Photo:
    """A photo yet to be drawn: `picture` is one of `PICTURE_KINDS`; the position is WGS 84."""

    id: UUID
    picture: str
    seed: int
    phase: Phase
    recorded_at: datetime
    latitude: float
    longitude: float

    def jpeg(self) -> bytes:
        """Draw it; see `draw_photo`."""
        return draw_photo(
            self.picture, self.seed, phase=self.phase,
            recorded_at=self.recorded_at, latitude=self.latitude, longitude=self.longitude,
        )  # fmt: skip


@dataclass(frozen=True)
class CheckIn:
    """A chief was here: latitude and longitude are raw, in `datum`; `checklist` pairs a group with normal or abnormal."""

    id: UUID
    reach_code: str
    recorded_at: datetime
    latitude: float
    longitude: float
    accuracy_m: float
    datum: str
    checklist: tuple[tuple[str, str], ...]
    note: str
    photos: tuple[Photo, ...]


@dataclass(frozen=True)
class Phone:
    """The device on which somebody patrols; `tells_mock` where its system says whether an app made a position up."""

    id: str
    model: str
    system: str
    tells_mock: bool


@dataclass(frozen=True)
class Patrol:
    """One round of one person; `mode` is walk, boat or vehicle, as declared. `walk` is how it really went.

    `on_behalf_of` is the user name of the principal for whom a deputy went.
    """

    id: UUID
    username: str
    reach_codes: tuple[str, ...]
    mode: str
    started_at: datetime
    ended_at: datetime
    summary: str
    check_ins: tuple[CheckIn, ...]
    walk: Walk
    phone: Phone
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Delegation:
    """A principal lets a deputy patrol for some days, both included; user names. No reaches: all of the principal's."""

    id: UUID
    principal: str
    deputy: str
    reach_codes: tuple[str, ...]
    first_day: date
    last_day: date
    reason: str
    at: datetime


@dataclass(frozen=True)
class Warned:
    """The office `by` warns of a reach from a day on; colour and trigger as the product names them."""

    id: UUID
    reach_code: str
    colour: str
    trigger: str
    first_day: date
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class WaitingPhone:
    """What a phone said last about its queue: so many items, the oldest recorded then."""

    username: str
    phone: Phone
    pending: int
    oldest: datetime
    at: datetime


@dataclass(frozen=True)
class Step:
    """One step of an issue's life, from the state before to state `to`; what is empty or None the step does not bring.

    `automatic` marks what the product's policy does by itself at intake (accept, dispatch): the step is to be taken by
    `actor` only when the product left the issue to the office. `lead` is who is expected to be in charge then.
    `co_handlers` pairs a department with its part of the work, `milestones` what the works need with its day.
    """

    verb: str
    to: str
    actor: str
    at: datetime
    automatic: bool = False
    note: str = ""
    reason: str = ""
    ground: str = ""
    severity: str = ""
    lead: str = ""
    department: str = ""
    reach_code: str = ""
    public_summary: str = ""
    suggested_owner: str = ""
    kind: str = ""
    text: str = ""
    into: UUID | None = None
    co_handlers: tuple[tuple[str, str], ...] = ()
    review_on: date | None = None
    milestones: tuple[tuple[str, date], ...] = ()
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True)
class Rating:
    """What the citizen says after the closure; `score` is 1 to 5."""

    at: datetime
    satisfied: bool
    score: int
    comment: str


@dataclass(frozen=True)
class Contact:
    """What a complainant left: an invented name and a telephone number that nobody has."""

    name: str
    phone: str


@dataclass(frozen=True)
class Issue:
    """One issue from its report to where it stands on the day of the story; positions are WGS 84.

    `source` is patrol (then `reporter`, `patrol_id` and `check_in_id` are given), citizen (a complaint without account,
    perhaps with `contact`, perhaps from the board `board_code`), hotline or inspection (`reporter` wrote it down).
    `reach_code` is the reach it lies on, None when it lies at no water.
    """

    id: UUID
    source: str
    category: str
    severity: str
    description: str
    latitude: float
    longitude: float
    accuracy_m: float
    recorded_at: datetime
    reach_code: str | None
    reporter: str | None
    patrol_id: UUID | None
    check_in_id: UUID | None
    board_code: str | None
    contact: Contact | None
    photos: tuple[Photo, ...]
    steps: tuple[Step, ...]
    rating: Rating | None

    @property
    def state(self) -> str:
        """Where the issue stands after its last step."""
        return self.steps[-1].to if self.steps else "submitted"


@dataclass(frozen=True)
class OrderAnswer:
    """The lead reads the order that was last given on the issue, and answers it when there is `text`."""

    issue_id: UUID
    at: datetime
    text: str


@dataclass(frozen=True)
class Request:
    """Somebody asks for something on the issue and `decider` decides, or nobody has yet (`decided_at` None).

    For more time `days` says how much the lead asks for; a citizen's "not fixed" has None.
    """

    issue_id: UUID
    at: datetime
    reason: str
    decider: str = ""
    decided_at: datetime | None = None
    granted: bool = False
    answer: str = ""
    days: int | None = None


@dataclass(frozen=True)
class PartDone:
    """The co-handler of the issue's first part reports it done."""

    issue_id: UUID
    at: datetime
    note: str


@dataclass(frozen=True)
class Check:
    """The supervisor chooses an issue to be looked at again, and goes there: `at` None while that is still to do."""

    id: UUID
    issue_id: UUID
    chosen_at: datetime
    reason: str
    at: datetime | None = None
    result: str = ""
    note: str = ""
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True)
class Follower:
    """A neighbour without an account says "me too" to an issue."""

    id: UUID
    issue_id: UUID
    at: datetime


@dataclass(frozen=True)
class Oversight:
    """What is done about issues beside their steps: by those who supervise, those who ask, and those who follow.

    `drawn` are the moments at which the supervisor has reaches drawn by chance, `watched` issues on the supervisor's list,
    `nights` the moments at which the worker draws look-backs.
    """

    order_answers: tuple[OrderAnswer, ...] = ()
    extensions: tuple[Request, ...] = ()
    not_fixed: tuple[Request, ...] = ()
    parts_done: tuple[PartDone, ...] = ()
    checks: tuple[Check, ...] = ()
    followers: tuple[Follower, ...] = ()
    drawn: tuple[tuple[UUID, datetime], ...] = ()
    watched: tuple[tuple[UUID, datetime, str], ...] = ()
    nights: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Stories:
    """Ninety days of the district's life; patrols and issues in the order in which they began."""

    patrols: tuple[Patrol, ...]
    issues: tuple[Issue, ...]
    delegations: tuple[Delegation, ...]
    warnings: tuple[Warned, ...]
    waiting_phones: tuple[WaitingPhone, ...]
    oversight: Oversight = Oversight()

    @cached_property
    def photos(self) -> tuple[Photo, ...]:
        """Every photo of the stories."""
        check_ins = [photo for patrol in self.patrols for row in patrol.check_ins for photo in row.photos]
        reports = [photo for issue in self.issues for photo in issue.photos]
        checks = [photo for check in self.oversight.checks for photo in check.photos]
        return (
            *check_ins,
            *reports,
            *(p for issue in self.issues for step in issue.steps for p in step.photos),
            *checks,
        )


def dated_id(at: datetime, rng: random.Random) -> UUID:
    """Return a UUID of version 7 (RFC 9562) for this time, as a telephone makes one."""
    milliseconds = int(at.timestamp() * 1000)
    bits = (milliseconds << 80) | (7 << 76) | (rng.getrandbits(12) << 64) | (2 << 62) | rng.getrandbits(62)
    return UUID(int=bits)


def at_work(moment: datetime, rng: random.Random) -> datetime:
    """Return `moment` when it is in office hours (Monday to Friday, 08:30 to 17:30), else some time the next morning."""
    local = moment.astimezone(CHINA)
    late = local.hour * 60 + local.minute > 17 * 60 + 30
    if late:
        local = local + timedelta(days=1)
    while local.weekday() >= 5:
        local, late = local + timedelta(days=1), True
    if late or local.hour * 60 + local.minute < 8 * 60 + 30:
        local = local.replace(hour=8, minute=30, second=0, microsecond=0) + timedelta(seconds=rng.randint(60, 6600))
    return local
