"""What is known of a patrol when it is examined, and what an examination may say: plain values, read by pure rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from patrol.foundation.geometry import Geometry
from patrol.foundation.texts import Text
from patrol.patrols.checkpoints import Result
from patrol.patrols.coverage import Coverage
from patrol.patrols.intervals import joined
from patrol.patrols.mislabelling import Mislabelling
from patrol.patrols.track import Track
from patrol.patrols.window import in_ms

SEVERITIES = ("info", "soft", "medium", "high")


@dataclass(frozen=True)
class PhotoFact:
    """A photo of the patrol's check-ins, checkpoints (by number) or issues. What the file does not say is None and accuses nobody.

    `likeness` is the 64-bit perceptual hash as 16 hex digits. `exif_taken_at` is aware, only where the file gives a zone;
    `exif_local_time` is what cameras write without one ("2026:11:26 08:30:00"). Positions are WGS 84.
    """

    id: UUID
    sha256: str
    check_in_id: UUID | None
    recorded_at: datetime | None
    checkpoint: int | None = None
    likeness: str | None = None
    exif_taken_at: datetime | None = None
    exif_local_time: str | None = None
    exif_latitude: float | None = None
    exif_longitude: float | None = None
    software: str | None = None
    camera: str | None = None
    from_gallery: bool | None = None


@dataclass(frozen=True)
class CheckInFact:
    """A check-in of the patrol: when and where (WGS 84), how exactly, how far from the patrol's reaches, and when it came."""

    id: UUID
    recorded_at: datetime
    latitude: float
    longitude: float
    accuracy_m: float | None
    distance_m: float | None
    received_at: datetime | None = None


@dataclass(frozen=True)
class CheckpointFact:
    """A place that the patrol had to show, by its number and key; what that shows, and where the answer was given."""

    number: int
    place: str
    result: Result
    answer: CheckInFact | None = None


@dataclass(frozen=True)
class SeenElsewhere:
    """A photo of another patrol, check-in or issue that is or looks like one of this patrol's.

    `distance` counts differing bits of the likeness, 0 for the same bytes; `days_apart` is between the two receipts.
    """

    photo_id: UUID
    other_photo_id: UUID
    same_bytes: bool
    distance: int
    days_apart: float


@dataclass(frozen=True)
class OtherPatrol:
    """Another patrol that matters to this one: of the same person, overlapping, or earlier on the same reaches."""

    id: UUID
    person_id: UUID
    started_at: datetime
    ended_at: datetime | None
    track: Track


@dataclass(frozen=True)
class Batch:
    """One delivery of fixes: `sent_at` by the device's clock, if it tells, `received_at` by ours."""

    received_at: datetime
    last_recorded_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True)
class DeviceUse:
    """Another account's use of the same device; `delegated` when one of the two may patrol for the other.

    `by_name`: only the name that the app gives is known to be the same, and two phones of one model may share it.
    `patrol_id` is the patrol on which that account used it.
    """

    person_id: UUID
    from_at: datetime
    to_at: datetime
    delegated: bool = False
    by_name: bool = False
    patrol_id: UUID | None = None


@dataclass(frozen=True)
class PatrolFacts:
    """Everything that the rules look at. `now` is the moment of the examination.

    `coverages` stand beside `reaches` (their shapes in degrees), `on_foot` what of them is left of a declared walk without
    fixes from a vehicle (`motion.on_foot`), None where there are none. `delays_s` are, for each batch, how long after its last
    fix it arrived (negative: its clock runs ahead). `overlapping` are patrols of the same person at the same time,
    `earlier` ones that may have been replayed; `device_users` other accounts that used the same device lately, and
    `device_uses` when they did, where that is known. `batches` are the deliveries, as far as both clocks are known.
    `impossible_end` is an end that was told and cannot be, with the moment of its receipt; None where it can.
    `untrusted` are the fixes that no trusted receiver measured, None where there is no such receiver: all.
    `marks` are those of `track`, by which copies are looked up.
    `pauses_ms` are the person's own, `no_signal_ms` times that the phone marked as without signal.
    `zone` is the district's, in which cameras there write their local time.
    """

    patrol_id: UUID
    person_id: UUID
    mode: str
    started_at: datetime
    ended_at: datetime | None
    received_at: datetime
    now: datetime
    track: Track
    pauses_ms: Sequence[tuple[int, int]] = ()
    reaches: Sequence[Geometry] = ()
    coverages: Sequence[Coverage] = ()
    on_foot: Sequence[Coverage] | None = None
    check_ins: Sequence[CheckInFact] = ()
    photos: Sequence[PhotoFact] = ()
    seen_elsewhere: Sequence[SeenElsewhere] = ()
    overlapping: Sequence[OtherPatrol] = ()
    earlier: Sequence[OtherPatrol] = ()
    delays_s: Sequence[float] = ()
    device_users: Sequence[UUID] = ()
    untrusted: Track | None = None
    checkpoints: Sequence[CheckpointFact] = ()
    mislabelling: Mislabelling | None = None
    batches: Sequence[Batch] = ()
    device_uses: Sequence[DeviceUse] = ()
    no_signal_ms: Sequence[tuple[int, int]] = ()
    device_id: str | None = None
    app_version: str | None = None
    impossible_end: tuple[datetime, datetime] | None = None
    marks: Sequence[int] = ()
    zone: tzinfo | None = None

    @property
    def end(self) -> datetime:
        """When it ended, or now."""
        return self.ended_at or self.now

    @property
    def active_s(self) -> float:
        """Seconds from start to end without the person's own pauses; silence of the signal counts as patrolled."""
        start, end = in_ms(self.started_at), in_ms(self.end)
        resting = sum(max(0, min(end, last) - max(start, first)) for first, last in joined(self.pauses_ms))
        return max(0, end - start - resting) / 1000


@dataclass(frozen=True)
class Finding:
    """Something that a person should look at. It accuses nobody: `innocent` says what would explain it honestly.

    `evidence` and `threshold` are plain JSON; `text` tells the evidence in words.
    """

    code: str
    severity: str
    text: Text
    innocent: tuple[Text, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    threshold: Mapping[str, Any] = field(default_factory=dict)
    version: str = "1"


class Verdict(NamedTuple):
    """What a patrol is worth: `valid`, `partial`, `doubtful` or `invalid`, and why, what is missing included.

    `score` is of 100; `figures` are what it rests on, with units in the names, None where nothing tells.
    """

    value: str
    reasons: Sequence[Text]
    score: float = 0.0
    figures: Mapping[str, float | None] = MappingProxyType({})
