"""What happens on patrol."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class CheckedIn(Event):
    """Somebody checked in."""

    check_in_id: UUID
    patrol_id: UUID | None
    reach_id: UUID | None
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class TrackArrived(Event):
    """A batch came, or the stored fixes of a patrol changed: what is reckoned from them is out of date. `goes_on`: it has not ended."""

    patrol_id: UUID
    goes_on: bool


@dataclass(frozen=True, kw_only=True)
class PatrolPaused(Event):
    """A pause of a patrol, or a time without signal, became known. `goes_on`: it has not ended."""

    patrol_id: UUID
    goes_on: bool


@dataclass(frozen=True, kw_only=True)
class PatrolEnded(Event):
    """A patrol ended, by its person or by the system, or the person's end took the place of the system's."""

    patrol_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReceiverMarked(Event):
    """The office said whether a device of a person is an external receiver."""

    device_id: UUID
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class CheckpointAnswered(Event):
    """Somebody said what was found at a random checkpoint."""

    patrol_id: UUID


@dataclass(frozen=True, kw_only=True)
class FindingJudged(Event):
    """A reviewer's judgement of a finding came into force, or was taken back, by the statement `statement_id`."""

    patrol_id: UUID
    code: str
    statement_id: UUID


@dataclass(frozen=True, kw_only=True)
class DutyReminded(Event):
    """Somebody is reminded of what is left in a period: `kind` half or last_day, `facts` what was left when it was written.

    `facts` are `required` and `left` times, and the `reaches`, each with its `name`; the days are local, both included.
    """

    reminder_id: UUID
    person_id: UUID
    kind: str
    first_day: date
    last_day: date
    facts: Mapping[str, Any]
