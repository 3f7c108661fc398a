"""What happens to issues."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class IssueReported(Event):
    """An issue was entered; `by_id` is the account that did, None for a citizen; `patrol_id` the patrol it was seen on."""

    issue_id: UUID
    source: str
    by_id: UUID | None
    patrol_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class IssueEscalated(Event):
    """A late issue reached a rung of the ladder, `code`; its history says so in entry `seq`."""

    issue_id: UUID
    code: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class DueMoved(Event):
    """An issue's due date moved by something beside its own steps: other rows of policy, a duplicate that raised its severity or left again.

    Its history says so in entry `seq`.
    """

    issue_id: UUID
    seq: int


@dataclass(frozen=True, kw_only=True)
class StepTaken(Event):
    """An issue went one step of its life; `by_id` None means the system, by the policy or rule `rule`."""

    issue_id: UUID
    verb: str
    from_state: str
    to_state: str
    by_id: UUID | None
    rule: str | None
    seq: int


@dataclass(frozen=True, kw_only=True)
class BecameCharge(Event):
    """An issue turned out to be a charge against a chief: what was open to others is so no longer."""

    issue_id: UUID


@dataclass(frozen=True, kw_only=True)
class EntryNoted(Event):
    """Something beside the steps came into an issue's history as entry `seq`: more time asked for, "not fixed", a decision on it."""

    issue_id: UUID
    verb: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class ProofDoubted(Event):
    """Serious findings on the proof of a cure came after the check that found it good, and nobody has judged them."""

    issue_id: UUID


@dataclass(frozen=True, kw_only=True)
class TroubleCameBack(Event):
    """The trouble of the closed issue `issue_id` came back in another one; its history says so in entry `seq`."""

    issue_id: UUID
    in_issue_id: UUID
    seq: int


@dataclass(frozen=True, kw_only=True)
class LookBackWaits(Event):
    """A look-back at a closed issue was `drawn`, or is `late` (`kind`); `due_on` is the local day by which it was to be done."""

    issue_id: UUID
    check_id: UUID
    kind: str
    due_on: date
