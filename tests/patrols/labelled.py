"""Labelled patrols with known truth: honest ones with all that goes wrong by itself, and the ways in which people cheat.

Each kind is a function of a seed. What the cheats do is what the literature and users of such systems tell of; they
know nothing of the rules. The set shows what the rules do on it, not how often people cheat.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from patrol.foundation.geometry import (
    EQUATOR_RADIUS_M,
    Datum,
    distances_m,
    from_wgs84,
    metres_per_mercator_unit,
    project,
)
from patrol.patrols.checkpoints import Result
from patrol.patrols.coverage import cover
from patrol.patrols.facts import (
    Batch,
    CheckInFact,
    CheckpointFact,
    DeviceUse,
    OtherPatrol,
    PatrolFacts,
    PhotoFact,
    SeenElsewhere,
)
from patrol.patrols.integrity_policy import DEFAULT_POLICY
from patrol.patrols.mislabelling import mislabelled_datum
from patrol.patrols.motion import on_foot
from patrol.patrols.track import NO_TRACK, Source, Track, track_of
from patrol.patrols.window import in_ms

HOME = (29.60, 119.80)
BEGAN = datetime(2026, 5, 12, 1, 0, tzinfo=UTC)
RIVER_M = 3_000.0
ME = UUID(int=1)


def degrees(xy):
    """Return metres east and north of HOME, shape (n, 2), as latitudes and longitudes."""
    x0, y0 = project(*HOME)
    unit = metres_per_mercator_unit(HOME[0])
    x, y = x0 + xy[:, 0] / unit, y0 + xy[:, 1] / unit
    return np.degrees(np.arctan(np.sinh(y / EQUATOR_RADIUS_M))), np.degrees(x / EQUATOR_RADIUS_M)


def river(rng):
    """Return the vertices, in metres, of a winding river of 3 km."""
    x = np.arange(0.0, RIVER_M, 10.0)
    y = rng.uniform(40, 110) * np.sin(2 * np.pi * x / rng.uniform(700, 1300) + rng.uniform(0, 6))
    line = np.column_stack([x, y])
    return line[along(line) <= RIVER_M]


def along(line):
    """Return the metres from the start to each vertex."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def on(line, metres, beside_m=0.0):
    """Return places along a line, `beside_m` to its left."""
    way = along(line)

    def at(m):
        return np.column_stack([np.interp(m, way, line[:, 0]), np.interp(m, way, line[:, 1])])

    ahead = at(metres + 2) - at(metres - 2)
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    return at(metres) + beside_m * normal


def errors(rng, count, sigma_m, every_s):
    """Return a receiver's errors in metres, shape (count, 2): a slow wander of about a minute and a fresh part."""
    keep, noise = np.exp(-every_s / 60.0), rng.normal(size=(count, 2)) * sigma_m * 0.8
    for i in range(1, count):
        noise[i] = keep * noise[i - 1] + np.sqrt(1 - keep**2) * noise[i]
    return noise + rng.normal(size=(count, 2)) * sigma_m * 0.6


@dataclass
class Case:
    """A patrol in the making: a person who walks along `line`, and a phone that records it."""

    rng: np.random.Generator
    line: np.ndarray = field(init=False)
    sigma_m: float = 8.0
    claims: float = 1.0
    every_s: float = 5.0
    pace_mps: float = 1.25
    beside_m: float = 12.0

    def __post_init__(self):
        self.line = river(self.rng)

    def places(self, start=0.0, end=1.0):
        """Return moments (seconds) and true places of a walk whose pace varies, from one share of the river to another."""
        seconds = np.arange(0.0, abs(end - start) * RIVER_M / self.pace_mps * 1.6, self.every_s)
        pace = self.pace_mps * (1 + 0.15 * errors(self.rng, len(seconds), 1.0, self.every_s)[:, 0]).clip(0.3, 1.8)
        gone = np.concatenate([[0.0], np.cumsum(pace * self.every_s)[:-1]])
        gone = gone[gone <= abs(end - start) * RIVER_M]
        return seconds[: len(gone)], on(self.line, start * RIVER_M + np.sign(end - start) * gone, self.beside_m)

    def recorded(self, seconds, places, **columns) -> Track:
        """Return what the phone records of true places."""
        count, rng = len(places), self.rng
        seen = places + errors(rng, count, self.sigma_m, self.every_s)
        latitude, longitude = degrees(seen)
        told = {
            "accuracy_m": np.maximum(2.5, self.sigma_m * self.claims * rng.uniform(0.7, 1.4, count)).round(1),
            "altitude_m": (35 + np.cumsum(rng.normal(0, 0.3, count))).round(1),
            "speed_mps": np.abs(rng.normal(self.pace_mps, 0.2, count)).round(2), "mock": np.zeros(count, np.int8),
        }
        return made(seconds, latitude, longitude, **(told | columns))

    def walk(self, start=0.0, end=1.0, **columns) -> Track:
        """Walk and record."""
        return self.recorded(*self.places(start, end), **columns)

    def patrol(self, track, *, check_ins=2, began=BEGAN, minutes=None, **facts) -> PatrolFacts:
        """Return the patrol of a track: coverage as the product measures it, check-ins where the track is, sent at once."""
        geometry = shapely.LineString(np.column_stack(degrees(self.line)[::-1]))
        last_s = (track.recorded_ms[-1] - in_ms(began)) / 1000 if len(track) else 0
        ended = began + timedelta(minutes=minutes) if minutes else began + timedelta(seconds=last_s + 20)
        checked = self.checked_in(track, geometry, check_ins)
        whole = {
            "patrol_id": self.id(), "person_id": ME, "mode": "walk", "started_at": began, "ended_at": ended,
            "received_at": ended + timedelta(minutes=1), "now": ended + timedelta(days=8),
            "track": track, "reaches": [geometry], "coverages": [cover(geometry, track)],
            "on_foot": [cover(geometry, on_foot(track, DEFAULT_POLICY))], "zone": ZoneInfo("Asia/Shanghai"), "mislabelling": mislabelled_datum(track, [geometry]),
            "check_ins": [check_in for check_in, _ in checked], "photos": [photo for _, photo in checked], "device_id": "phone-1",
            "batches": [Batch(received_at=ended + timedelta(minutes=1), last_recorded_at=ended, sent_at=ended + timedelta(minutes=1))],
        }  # fmt: skip
        return PatrolFacts(**(whole | facts))

    def checked_in(self, track, geometry, count) -> list[tuple[CheckInFact, PhotoFact]]:
        """Check in with a photo at `count` of the fixes."""
        found = []
        for i in np.linspace(0.1, 0.9, count) * (len(track) - 1) if len(track) else ():
            latitude, longitude, at = track.latitude[int(i)], track.longitude[int(i)], moment(track.recorded_ms[int(i)])
            found.append(self.check_in(at, latitude, longitude, geometry, accuracy_m=track.accuracy_m[int(i)]))
        return found

    def check_in(self, at, latitude, longitude, geometry, accuracy_m=8.0) -> tuple[CheckInFact, PhotoFact]:
        near = shapely.get_coordinates(geometry)
        away_m = float(distances_m(latitude, longitude, near[:, 1], near[:, 0]).min())
        accuracy_m = None if np.isnan(accuracy_m) else float(accuracy_m)
        check_in = CheckInFact(self.id(), at, float(latitude), float(longitude), accuracy_m, away_m)
        return check_in, self.photo(check_in)

    def photo(self, check_in) -> PhotoFact:
        """Take a photo: some phones write position and zone, some only the local time, some nothing."""
        wrote, taken = self.rng.integers(0, 3), check_in.recorded_at - timedelta(seconds=int(self.rng.integers(1, 90)))
        north, east = self.rng.normal(0, 15, 2) / 111_000
        return PhotoFact(
            id=self.id(), sha256=self.rng.bytes(32).hex(), check_in_id=check_in.id, likeness=self.rng.bytes(8).hex(), recorded_at=taken,
            exif_taken_at=taken if wrote == 0 else None, exif_local_time=local(taken) if wrote == 1 else None,
            exif_latitude=check_in.latitude + north if wrote == 0 else None, exif_longitude=check_in.longitude + east if wrote == 0 else None,
            camera="Xiaomi 22101316C", software=None, from_gallery=(None, False)[self.rng.integers(0, 2)],
        )  # fmt: skip

    def id(self) -> UUID:
        return UUID(bytes=self.rng.bytes(16), version=4)


def local(at: datetime) -> str:
    """Return what a camera in China writes."""
    return (at + timedelta(hours=8)).strftime("%Y:%m:%d %H:%M:%S")


def walked_before(case, track, *, by_me=True) -> OtherPatrol:
    """Return the patrol of another track, of the same person or a colleague."""
    first, last = moment(track.recorded_ms[0]), moment(track.recorded_ms[-1])
    return OtherPatrol(case.id(), ME if by_me else case.id(), first, last, track)


def seen_before(case, photo, *, same=True, bits=0) -> SeenElsewhere:
    """Return that a photo, or one that differs in so many bits, was shown a week before."""
    return SeenElsewhere(photo.id, case.id(), same, bits, 7.0)


def moment(at_ms) -> datetime:
    return datetime.fromtimestamp(int(at_ms) / 1000, UTC)


def made(seconds, latitude, longitude, *, began=BEGAN, **columns) -> Track:
    return track_of(in_ms(began) + np.rint(np.asarray(seconds) * 1000).astype(np.int64), latitude, longitude, **columns)


def shifted(track, by: timedelta) -> Track:
    return replace(track, recorded_ms=track.recorded_ms + round(by.total_seconds() * 1000))


def some(track, keep) -> Track:
    return track.at(np.flatnonzero(keep))


# --- Honest kinds.


def clear(case, sigma_m=None):
    """A walk of part of or all the river, under open sky."""
    case.sigma_m = sigma_m or case.rng.uniform(3, 12)
    start = case.rng.uniform(0, 0.3)
    return case.patrol(case.walk(start, case.rng.uniform(0.7, 1.0)), earlier=yesterdays(case))


def noisy(case):
    """Under trees: errors up to 30 m, and a phone that claims to know better."""
    case.claims = case.rng.uniform(0.5, 1.2)
    return clear(case, case.rng.uniform(15, 30))


def yesterdays(case, count=3):
    """The same person's walks of the same path on other days, with a good receiver."""
    other = replace(case, sigma_m=3.0)
    other.line = case.line
    return [walked_before(case, shifted(other.walk(0.0, 1.0), -timedelta(days=n + 1, minutes=n))) for n in range(count)]


def same_path_good_receiver(case):
    """The daily round of somebody with a very good phone."""
    case.sigma_m = 1.5
    earlier = replace(case)
    earlier.line = case.line
    walks = [walked_before(case, shifted(earlier.walk(), -timedelta(days=n))) for n in (1, 2, 7)]
    return case.patrol(case.walk(), earlier=walks)


def company(case):
    """Two colleagues walk side by side; each phone records."""
    seconds, places = case.places()
    case.sigma_m = 2.0
    theirs = case.recorded(seconds, places + np.array([0.8, 0.4]))
    return case.patrol(case.recorded(seconds, places), earlier=[walked_before(case, theirs, by_me=False)])


def tunnel(case):
    """No signal for a quarter of an hour in the middle, marked by the phone or not."""
    case.pace_mps = case.rng.uniform(1.0, 1.4)
    track = case.walk()
    first = int(len(track) * case.rng.uniform(0.2, 0.5))
    last = first + int(case.rng.uniform(600, 1_000) / case.every_s)
    kept = some(track, (np.arange(len(track)) < first) | (np.arange(len(track)) > last))
    silence = (int(track.recorded_ms[first]), int(track.recorded_ms[min(last, len(track) - 1)]))
    return case.patrol(kept, no_signal_ms=[silence] if case.rng.random() < 0.5 else [])


def canyon(case):
    """Reflections: runs of up to 6 fixes that lie 60 to 450 m off, with a good claimed accuracy."""
    case.sigma_m = 20
    seconds, places = case.places()
    for _ in range(5):
        first, length = int(case.rng.integers(5, len(places) - 12)), int(case.rng.integers(1, 7))
        bearing = case.rng.uniform(0, 2 * np.pi)
        places[first : first + length] += case.rng.uniform(60, 450) * np.array([np.cos(bearing), np.sin(bearing)])
    return case.patrol(case.recorded(seconds, places, accuracy_m=case.rng.uniform(8, 35, len(places))))


def far_reflection(case):
    """One lone fix 900 m away, and back."""
    seconds, places = case.places()
    places[len(places) // 2] += [700, 600]
    return case.patrol(case.recorded(seconds, places))


def cold_start(case):
    """The first fixes come from the network: kilometres off, as they say, or one that does not say so."""
    seconds, places = case.places()
    accuracy = case.rng.uniform(5, 12, len(places))
    places[:3] += case.rng.uniform(-2_000, 2_000, (3, 2))
    accuracy[:3] = (1_500, 900, 60) if case.rng.random() < 0.5 else (1_500, 900, 300)
    return case.patrol(case.recorded(seconds, places, accuracy_m=accuracy))


def external_receiver(case):
    """An RTK receiver by Bluetooth, which Android calls mocked; the office knows the device."""
    case.sigma_m = 0.3
    seconds, places = case.places()
    mock = np.ones(len(places), np.int8)
    return case.patrol(case.recorded(seconds, places, mock=mock, accuracy_m=np.full(len(places), 0.5)), untrusted=NO_TRACK)


def owntracks(case):
    """OwnTracks: whole metres and km/h, no mock flag, a fix every 30 s; on flat land one altitude."""
    case.every_s = 30.0
    seconds, places = case.places()
    count = len(places)
    track = case.recorded(seconds, places, accuracy_m=np.full(count, 5.0) if case.rng.random() < 0.5 else case.rng.integers(4, 15, count),
                          altitude_m=np.full(count, 12.0), speed_mps=np.rint(case.rng.normal(4.5, 0.8, count)) / 3.6, mock=np.full(count, -1, np.int8))
    return case.patrol(replace(track, source=np.full(count, Source.OWNTRACKS, np.int8)))


def gpx(case):
    """A file of a hiker's receiver: neither accuracy nor mock flag."""
    seconds, places = case.places()
    latitude, longitude = degrees(places + errors(case.rng, len(places), case.sigma_m, case.every_s))
    return case.patrol(made(seconds, latitude, longitude, source=Source.GPX))


def resting(case):
    """Walks, sits down for twenty minutes with the recorder on, walks on."""
    _, places = case.places()
    half, sat = len(places) // 2, int(1_200 / case.every_s)
    places = np.concatenate([places[:half], np.repeat(places[half : half + 1], sat, axis=0), places[half:]])
    return case.patrol(case.recorded(np.arange(len(places)) * case.every_s, places))


def low_battery(case):
    """A fix every 45 to 120 s."""
    case.every_s = case.rng.uniform(45, 120)
    return case.patrol(case.walk())


def wrong_datum(case):
    """The app measures in GCJ-02 and says WGS 84; check-ins too."""
    track = case.walk()
    pairs = np.array([from_wgs84(lat, lon, Datum.GCJ02) for lat, lon in zip(track.latitude, track.longitude, strict=True)])
    return case.patrol(replace(track, latitude=pairs[:, 0], longitude=pairs[:, 1]))


def late(case):
    """A week without signal in the valley, then all at once."""
    facts = case.patrol(case.walk())
    back = facts.ended_at + timedelta(days=7)
    return replace(facts, received_at=back, batches=[Batch(received_at=back, last_recorded_at=facts.ended_at, sent_at=back)])


def wrong_zone(case):
    """The phone's clock is some whole hours off, in either direction."""
    hours = timedelta(hours=int(case.rng.choice([-8, -1, 1, 5, 8])))
    facts = case.patrol(case.walk())
    truly = facts.ended_at - hours + timedelta(minutes=1)
    batch = Batch(received_at=truly, last_recorded_at=facts.ended_at, sent_at=facts.ended_at + timedelta(minutes=1))
    return replace(facts, received_at=truly, now=truly + timedelta(minutes=1), batches=[batch])


def odd_clock(case):
    """The phone's clock is some hours and minutes ahead, as no zone is; the satellites write the right time into its photos."""
    off = timedelta(minutes=int(case.rng.integers(2, 20)) * 30 + int(case.rng.integers(5, 26)))
    facts = sent_with(case.patrol(case.walk()), off, off)
    truly = facts.received_at - off
    batches = [replace(b, received_at=b.received_at - off, sent_at=b.sent_at - off) for b in facts.batches]
    photos = [replace(p, exif_taken_at=p.recorded_at - off, exif_local_time=local(p.recorded_at)) for p in facts.photos]
    return replace(facts, received_at=truly, now=truly + timedelta(minutes=9), batches=batches, photos=photos,
                   check_ins=[replace(c, received_at=truly) for c in facts.check_ins])  # fmt: skip


def fix_of_before(case):
    """The camera writes time and place of the receiver's last fix, at home before she left, beside the right time of its own clock."""
    facts = case.patrol(case.walk())
    photo = facts.photos[0]
    at_home = facts.started_at - timedelta(minutes=int(case.rng.integers(10, 90)))
    photo = replace(photo, exif_taken_at=at_home, exif_local_time=local(photo.recorded_at), exif_latitude=29.65, exif_longitude=119.85)
    return replace(facts, photos=[photo, *facts.photos[1:]])


def driven_home(case):
    """Walks all the river, and goes back along it by car with the recorder on."""
    seconds, places = case.places()
    car = replace(case, pace_mps=14.0)
    car.line = case.line
    after_s, back = car.places(1.0, 0.0)
    return case.patrol(case.recorded(np.concatenate([seconds, seconds[-1] + case.every_s + after_s]), np.concatenate([places, back])))


def ferry(case):
    """Half way she crosses to the other bank by ferry, and walks on there."""
    _, places = case.places()
    half, crossing = len(places) // 2, int(case.rng.uniform(120, 240) / case.every_s)
    across = np.linspace([0.0, 0.0], [0.0, 3.0 * crossing * case.every_s], crossing)
    back = places[half] + np.concatenate([across, across[::-1]])
    places = np.concatenate([places[:half], back, places[half:]])
    return case.patrol(case.recorded(np.arange(len(places)) * case.every_s, places))


def slow_clock(case):
    """The clock was minutes off until the network set it right on the way; deliveries every few minutes."""
    facts = case.patrol(case.walk())
    off = timedelta(minutes=int(case.rng.integers(-20, 20)))
    batches = []
    for n in range(6):
        received = facts.started_at + timedelta(minutes=6 * n + 6)
        sent = received + (off if n < 3 else timedelta(seconds=2))
        batches.append(Batch(received_at=received, last_recorded_at=sent, sent_at=sent))
    return replace(facts, batches=batches)


def recorder_killed(case):
    """The battery saver ends the recorder after minutes; the check-ins go on."""
    whole = case.walk()
    facts = case.patrol(whole, check_ins=4)
    short = some(whole, np.arange(len(whole)) < 60)
    return case.patrol(short, minutes=40, check_ins=0) if case.rng.random() < 0.3 else replace(
        facts, track=short, coverages=[cover(facts.reaches[0], short)])  # fmt: skip


def nothing_but_check_ins(case):
    """The app was never allowed to locate in the background."""
    facts = case.patrol(case.walk(), check_ins=3)
    return replace(facts, track=NO_TRACK, coverages=[cover(facts.reaches[0], NO_TRACK)])


def shift_change(case):
    """The next shift takes the phone over half an hour later."""
    facts = case.patrol(case.walk())
    later = facts.ended_at + timedelta(minutes=30)
    return replace(facts, device_uses=[DeviceUse(person_id=case.id(), from_at=later, to_at=later + timedelta(hours=1))])


def same_model(case):
    """A colleague patrols at the same time; both phones say only that they are a HUAWEI Y9."""
    facts = case.patrol(case.walk())
    use = DeviceUse(person_id=case.id(), from_at=facts.started_at - timedelta(minutes=5), to_at=facts.ended_at, by_name=True)
    return replace(facts, device_uses=[use])


def lost_and_marked(case):
    """No signal in the gorge three times, each marked by the phone, one to the end."""
    track = case.walk()
    heard, marks = np.ones(len(track), bool), []
    for share in (0.2, 0.5, 0.85):
        first, last = int(len(track) * share), int(len(track) * (share + 0.16)) if share < 0.8 else len(track)
        heard[first:last] = False
        marks.append((int(track.recorded_ms[first]), int(track.recorded_ms[last - 1])))
    return case.patrol(some(track, heard), no_signal_ms=marks, minutes=(int(track.recorded_ms[-1]) - in_ms(BEGAN)) / 60_000)


def same_weir(case):
    """The weir is photographed from the bench as on every round; chat programs took what the file said."""
    facts = case.patrol(case.walk())
    photo = replace(facts.photos[0], from_gallery=True, exif_taken_at=None, exif_local_time=None, exif_latitude=None, exif_longitude=None)
    return replace(facts, photos=[photo, *facts.photos[1:]], seen_elsewhere=[seen_before(case, photo, same=False, bits=2)])


def boat(case):
    """By boat, declared; 4 m/s."""
    case.pace_mps, case.beside_m = 4.0, 0.0
    return case.patrol(case.walk(), mode="boat")


def short_walk(case):
    """A few minutes and some hundred metres, all true."""
    return case.patrol(case.walk(0.2, 0.35))


def mistyped_end(case):
    """The end is typed in by hand, with the wrong year."""
    facts = case.patrol(case.walk())
    return replace(facts, impossible_end=(facts.ended_at + timedelta(days=365), facts.received_at))


HONEST: dict[str, Callable[[Case], PatrolFacts]] = {kind.__name__: kind for kind in (
    clear, noisy, same_path_good_receiver, company, tunnel, canyon, far_reflection, cold_start, external_receiver, owntracks, gpx, resting,
    low_battery, wrong_datum, late, wrong_zone, slow_clock, recorder_killed, nothing_but_check_ins, shift_change, same_weir, boat, short_walk,
    same_model, lost_and_marked, mistyped_end, odd_clock, fix_of_before, driven_home, ferry,
)}  # fmt: skip


# --- Dishonest kinds.


def drawn(case, line, pace_mps=1.3, jitter_m=0.0, every_s=5.0, **columns):
    """Return the track that a mock app makes along a line."""
    metres = np.arange(0.0, along(line)[-1], pace_mps * every_s)
    places = on(line, metres) + case.rng.normal(size=(len(metres), 2)) * jitter_m
    latitude, longitude = degrees(places)
    told = {"accuracy_m": np.full(len(metres), 3.0), "altitude_m": np.zeros(len(metres)), "speed_mps": np.full(len(metres), pace_mps)}
    return made(np.arange(len(metres)) * every_s, latitude.round(6), longitude.round(6), **(told | columns))


def mock_app_line(case):
    """A mock app moves along a straight line between two points; Android says so."""
    line = np.array([case.line[0], case.line[-1]])
    track = drawn(case, line, jitter_m=case.rng.uniform(0, 3))
    return case.patrol(replace(track, mock=np.ones(len(track), np.int8)))


def perfect_line(case):
    """A mock app follows the river's own line, resampled; a rooted phone hides the flag."""
    return case.patrol(drawn(case, case.line, pace_mps=case.rng.uniform(1.0, 1.6), every_s=float(case.rng.choice([1.0, 5.0, 10.0]))))


def replayed_as_it_was(case):
    """Last week's track again under new times."""
    earlier = case.walk(0.0, case.rng.uniform(0.7, 1.0))
    days = timedelta(days=int(case.rng.integers(1, 40)), minutes=int(case.rng.integers(0, 300)))
    return case.patrol(earlier, earlier=[*yesterdays(case), walked_before(case, shifted(earlier, -days))])


def replayed_with_noise(case):
    """A colleague's track, cut, shaken by a metre or two, with fixes left out."""
    earlier = case.walk()
    kept = some(earlier, (case.rng.random(len(earlier)) < 0.7) & (np.arange(len(earlier)) > 40))
    kept = shifted(kept, timedelta(milliseconds=in_ms(BEGAN) - int(kept.recorded_ms[0])))
    noise = case.rng.normal(size=(2, len(kept))) * case.rng.uniform(0.5, 1.5) / 111_000
    copy = replace(kept, latitude=kept.latitude + noise[0], longitude=kept.longitude + noise[1])
    return case.patrol(copy, earlier=[walked_before(case, shifted(earlier, -timedelta(days=9)), by_me=False)])


def car_for_walk(case):
    """By car along the river road, declared as a walk."""
    case.pace_mps, case.beside_m = case.rng.uniform(6, 12), 25.0
    back = case.places(), case.places(1.0, 0.0)
    seconds = np.concatenate([back[0][0], back[0][0][-1] + case.every_s + back[1][0]])
    return case.patrol(case.recorded(seconds, np.concatenate([back[0][1], back[1][1]])))


def two_ends(case):
    """A photo at each end, the recorder off in between."""
    track = case.walk()
    return case.patrol(some(track, np.isin(np.arange(len(track)), [0, 1, len(track) - 2, len(track) - 1])))


def two_ends_marked(case):
    """The same, and all in between marked as without signal."""
    facts = two_ends(case)
    return replace(facts, no_signal_ms=[(in_ms(facts.started_at), in_ms(facts.ended_at))])


def teleport(case):
    """A mock location at the next check-in kilometres off, seconds later; mock flag hidden."""
    first = case.walk(0.0, 0.3)
    seconds, places = case.places(0.75, 1.0)
    second = shifted(case.recorded(seconds, places), timedelta(milliseconds=int(first.recorded_ms[-1]) - in_ms(BEGAN) + 15_000))
    joined = [np.concatenate([getattr(first, name), getattr(second, name)]) for name in vars(first)]
    return case.patrol(Track(*joined), check_ins=4)


def same_photo(case):
    """A check-in's photo is last week's file."""
    facts = case.patrol(case.walk())
    return replace(facts, seen_elsewhere=[seen_before(case, facts.photos[0])])


def old_gallery_photo(case):
    """A photo of weeks ago from the gallery; half of the files tell a zone."""
    facts = case.patrol(case.walk())
    old, with_zone = facts.started_at - timedelta(days=int(case.rng.integers(3, 60))), case.rng.random() < 0.5
    photo = replace(facts.photos[0], recorded_at=None, from_gallery=True, exif_taken_at=old if with_zone else None,
                    exif_local_time=None if with_zone else local(old))
    return replace(facts, photos=[photo, *facts.photos[1:]])


def surrogate(case):
    """One phone walks for two accounts at the same time."""
    facts = case.patrol(case.walk())
    use = DeviceUse(person_id=case.id(), from_at=facts.started_at + timedelta(minutes=2), to_at=facts.ended_at)
    return replace(facts, device_uses=[use])


def parked(case):
    """The phone lies on a desk or in a car for an hour, at the river or not."""
    case.beside_m = case.rng.choice([10.0, 400.0])
    place = on(case.line, np.array([case.rng.uniform(200, 2_500)]), case.beside_m)
    return case.patrol(case.recorded(np.arange(0, 3_600, case.every_s), np.repeat(place, 720, axis=0)))


def drive_by(case):
    """Once along the road by car, ten minutes at the end to fill the time; declared as a walk."""
    case.pace_mps, case.beside_m = case.rng.uniform(9, 14), 30.0
    _, places = case.places()
    wait = np.arange(0, 400, case.every_s)
    places = np.concatenate([places, np.repeat(places[-1:], len(wait), axis=0)])
    return case.patrol(case.recorded(np.arange(len(places)) * case.every_s, places))


def dashed_by(case):
    """Once along the road as fast as a car may, two minutes in all, then a wait in the car; declared as a walk."""
    case.pace_mps, case.beside_m = case.rng.uniform(20, 28), 30.0
    _, places = case.places()
    wait = np.arange(0, 600, case.every_s)
    places = np.concatenate([places, np.repeat(places[-1:], len(wait), axis=0)])
    return case.patrol(case.recorded(np.arange(len(places)) * case.every_s, places))


def replayed_beside(case):
    """A colleague's track, moved aside by some ten metres."""
    earlier = case.walk()
    days, (north, east) = timedelta(days=int(case.rng.integers(1, 9)), minutes=int(case.rng.integers(5, 300))), case.rng.uniform(1e-4, 4e-4, 2)
    copy = replace(earlier, latitude=earlier.latitude + north, longitude=earlier.longitude - east)
    return case.patrol(copy, earlier=[*yesterdays(case), walked_before(case, shifted(earlier, -days), by_me=False)])


def elsewhere(case):
    """A true walk, but in the park at home."""
    seconds, places = case.places()
    return case.patrol(case.recorded(seconds, places + np.array([4_000.0, 9_000.0])))


def two_places(case):
    """A colleague uses the account meanwhile, on another river."""
    facts = case.patrol(case.walk())
    seconds, places = case.places()
    far = case.recorded(seconds, places + np.array([6_000.0, -3_000.0]))
    return replace(facts, overlapping=[OtherPatrol(case.id(), ME, facts.started_at, facts.ended_at, far)])


def sent_with(facts, *off: timedelta):
    """Return a patrol whose deliveries are sent by a clock that is off by so much, one after another."""
    batches = [
        Batch(received_at=at, last_recorded_at=facts.ended_at, sent_at=at + by)
        for n, by in enumerate(off) for at in [facts.received_at + timedelta(minutes=n)]
    ]
    return replace(facts, batches=batches)


def clock_set_back(case):
    """The phone's date is set back, to fill a week that was missed."""
    facts = case.patrol(case.walk())
    back = timedelta(days=int(case.rng.integers(2, 9)), minutes=int(case.rng.integers(0, 600)))
    return sent_with(replace(facts, received_at=facts.received_at + back), -back, -back)


def clock_set_forward(case):
    """The phone's date is set to tomorrow and later, to have next week's patrol walked."""
    facts = case.patrol(case.walk())
    forward = timedelta(days=int(case.rng.integers(1, 7)), minutes=int(case.rng.integers(60, 600)))
    facts = replace(facts, received_at=facts.received_at - forward, check_ins=[replace(c, received_at=facts.received_at - forward) for c in facts.check_ins])
    return sent_with(facts, forward, forward)


def clock_moved_on_patrol(case):
    """The clock is set back by some hours half way, so that a short walk seems long."""
    back = timedelta(hours=int(case.rng.integers(2, 5)), minutes=int(case.rng.integers(5, 25)))
    return sent_with(case.patrol(case.walk()), timedelta(0), timedelta(0), -back, -back)


DISHONEST: dict[str, Callable[[Case], PatrolFacts]] = {kind.__name__: kind for kind in (
    mock_app_line, perfect_line, replayed_as_it_was, replayed_with_noise, car_for_walk, two_ends, teleport, same_photo, old_gallery_photo, surrogate,
    parked, drive_by, elsewhere, two_ends_marked, two_places, clock_set_back, clock_set_forward, clock_moved_on_patrol,
    dashed_by, replayed_beside,
)}  # fmt: skip


def photo_by_a_friend(case):
    """A true walk; the photo shows the river somewhere else, where a friend took it."""
    facts = case.patrol(case.walk())
    photo = replace(facts.photos[0], exif_latitude=facts.check_ins[0].latitude + 0.03, exif_longitude=facts.check_ins[0].longitude)
    return replace(facts, photos=[photo, *facts.photos[1:]])


def photo_sent_on(case):
    """Last month's picture once more, which a chat program has written anew."""
    facts = case.patrol(case.walk())
    return replace(facts, seen_elsewhere=[seen_before(case, facts.photos[0], same=False, bits=int(case.rng.integers(0, 3)))])


def checkpoints_left_out(case):
    """The random places are not shown; some are answered from the car park."""
    facts, at = case.patrol(case.walk()), (Result.OPEN, Result.ELSEWHERE)[case.rng.integers(0, 2)]
    return replace(facts, checkpoints=[CheckpointFact(1, "R1@1", at), CheckpointFact(2, "R1@4", Result.SHOWN), CheckpointFact(3, "R1@5", Result.OPEN)])


def check_ins_from_home(case):
    """Somebody else walks with the phone; the check-ins are made at home, on another."""
    facts = case.patrol(case.walk())
    [shape] = facts.reaches
    made_at_home = [case.check_in(each.recorded_at, each.latitude + 0.03, each.longitude, shape)[0] for each in facts.check_ins]
    photos = [replace(case.photo(each), exif_latitude=None, exif_longitude=None) for each in made_at_home]
    return replace(facts, check_ins=made_at_home, photos=photos)


# Cheats of which one lesser sign is all that shows: found, and by the rules' own intent no more than a hint to a person.
LESSER: dict[str, Callable[[Case], PatrolFacts]] = {kind.__name__: kind for kind in (
    photo_by_a_friend, photo_sent_on, checkpoints_left_out, check_ins_from_home,
)}  # fmt: skip


def surrogate_after(case):
    """One person patrols for herself and right afterwards, with the same phone, under the chief's account."""
    facts = case.patrol(case.walk())
    use = DeviceUse(person_id=case.id(), from_at=facts.started_at - timedelta(hours=1), to_at=facts.started_at - timedelta(minutes=3))
    return replace(facts, device_uses=[use])


def surrogate_by_name(case):
    """One phone walks for two accounts at the same time, under an app that tells only its model."""
    facts = surrogate(case)
    return replace(facts, device_uses=[replace(use, by_name=True) for use in facts.device_uses])


def noisy_fake(case):
    """A mock app of somebody who has read the rules: the river's line with a receiver's errors and a person's pace."""
    case.beside_m = 10.0
    return case.patrol(case.walk())


# What the rules cannot tell from honest patrols, shown in the bench so that nobody believes more of them than is true.
BEYOND: dict[str, Callable[[Case], PatrolFacts]] = {kind.__name__: kind for kind in (surrogate_after, noisy_fake, surrogate_by_name)}


def labelled(kinds: dict[str, Callable[[Case], PatrolFacts]], each: int, seed: int = 0) -> Iterator[tuple[str, PatrolFacts]]:
    """Yield `each` patrols of every kind, the same ones for the same seed."""
    for number, (name, kind) in enumerate(kinds.items()):
        for n in range(each):
            yield name, kind(Case(np.random.default_rng([seed, number, n])))


def long_patrol(points: int, earlier: int = 20, seed: int = 0) -> PatrolFacts:
    """Return a patrol of so many fixes with so many earlier tracks of the same length, for measuring time."""
    case = Case(np.random.default_rng(seed))
    case.every_s = RIVER_M / case.pace_mps / points
    laps: Sequence[Track] = [case.walk() for _ in range(earlier + 1)]
    others = [walked_before(case, shifted(track, -timedelta(days=n + 1))) for n, track in enumerate(laps[1:])]
    return case.patrol(laps[0], check_ins=12, earlier=others)
