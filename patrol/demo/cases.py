"""Issues of the district: where, who reported what, and how far each has come; the plan of states and the choice of places."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from patrol.demo.landscape import Landscape
from patrol.demo.matters import matter_of
from patrol.demo.names import FAMILY, fictional_phone
from patrol.demo.phrases import PRAISE, REJECTIONS, TROUBLES, Trouble
from patrol.demo.positions import Position, Waterside
from patrol.demo.records import CHINA, CheckIn, Contact, Issue, Patrol, Photo, Rating, Step, dated_id
from patrol.demo.residents import Residents
from patrol.demo.scripts import Case, Script, TooLate, life_of
from patrol.demo.walks import INVENTED

STATES = (
    ("closed", 102, (9, 88)), ("verified", 14, (6, 16)), ("rectified", 20, (4, 15)), ("in_progress", 58, (1, 27)),
    ("dispatched", 46, (0, 19)), ("accepted", 20, (1, 5)), ("submitted", 24, (0, 3)), ("rejected", 38, (2, 86)),
)  # fmt: skip
"""Each state with how many issues stand in it today and how many days ago they were reported."""
SOURCES = (("patrol", 38), ("citizen", 40), ("hotline", 13), ("inspection", 9))
BORDER_CASES, REPORTED_PHOTOS = 6, 68
GRAVE_CASES = (("rectified", (4, 15)), ("verified", (8, 20)))
"""Major cases that wait for their check, and for the district's chief to close them, whatever chance brings."""
CONTACT_SHARE, BOARD_SHARE, RATED_SHARE, SATISFIED_SHARE = 0.55, 0.3, 0.75, 0.78
FAMILIAR_FACTOR = 3
"""How many times more often than elsewhere things are seen on the reaches of the chief as whom newcomers sign in."""
_TRIES = 400


@dataclass(frozen=True)
class _Spot:
    """Where and when something was seen, and by whom."""

    at: datetime
    place: Position
    reach_code: str
    reporter: str | None = None
    patrol_id: UUID | None = None
    check_in: CheckIn | None = None


class CaseBook:
    """Writes the issues; every place is used once, every chief in charge is chief of that reach on that day."""

    def __init__(
        self, land: Landscape, people: Residents, waterside: Waterside, patrols: list[Patrol], today: date,
        rng: random.Random,
    ) -> None:  # fmt: skip
        """Open the book on the district as it was; `today` itself is left to the people who try the demo."""
        self._land, self._people, self._waterside, self._rng = land, people, waterside, rng
        self._limit = datetime.combine(today, time(0), CHINA)
        self._photos_left = REPORTED_PHOTOS
        self._numbers = 0
        self._boards = {board.reach_code: board.code for board in land.signboards}
        known = [code for code in waterside.reaches if people.chief_on(code, today) == "chief"]
        self._places = [*waterside.reaches, *known * FAMILIAR_FACTOR]
        self._border = [c for c, reach in waterside.reaches.items() if reach.bank != "both"]
        self._sightings = [
            (patrol, row) for patrol in patrols if patrol.walk.kind not in INVENTED for row in patrol.check_ins
            if row.datum == "wgs84" and not row.photos and waterside.is_clear(row.reach_code, (row.latitude, row.longitude))
        ]  # fmt: skip
        rng.shuffle(self._sightings)

    def issues(self) -> list[Issue]:
        """Return all issues in the order of their reports."""
        found = [self._written(state, ages) for state, count, ages in STATES for _ in range(count)]
        found += [self._border_case() for _ in range(BORDER_CASES)]
        found += [self._grave_case(state, ages) for state, ages in GRAVE_CASES]
        return sorted(found, key=lambda issue: (issue.recorded_at, issue.id))

    def _written(self, state: str, ages: tuple[int, int]) -> Issue:
        for _ in range(_TRIES):
            source = self._rng.choices([s for s, _ in SOURCES], [w for _, w in SOURCES])[0]
            try:
                if state == "rejected":
                    return self._rejected(source if source != "patrol" else "citizen", ages)
                return self._taken_up(state, source, ages)
            except TooLate:
                continue
        raise RuntimeError(f"no place in time for an issue that is {state}")

    def _taken_up(self, state: str, source: str, ages: tuple[int, int]) -> Issue:
        office_first = state in ("submitted", "accepted")
        grave_only = office_first and source not in ("inspection", "patrol")
        kinds = [t for t in TROUBLES if not grave_only or t.severity != "general"]
        trouble = self._rng.choices(kinds, [t.weight for t in kinds])[0]
        spot = self._spot(source, ages)
        severity = trouble.severity
        if source == "patrol" and severity == "general" and (office_first or self._rng.random() < 0.07):
            severity = "serious"
        return self._issue(
            state, source, trouble, severity, spot, straight=source != "inspection" and severity == "general"
        )

    def _border_case(self) -> Issue:
        """Return an issue in the border river, which lies at two reaches alike: the district's office decides."""
        for _ in range(_TRIES):
            code = self._rng.choice(self._border)
            at = self._hour(self._rng.randint(9, 60))
            spot = _Spot(at, self._waterside.place(code, self._rng.uniform(0.2, 0.8), self._rng, 4.0), code)
            state = self._rng.choice(("closed", "in_progress"))
            try:
                return self._issue(state, "citizen", self._rng.choice(TROUBLES[:3]), "general", spot, straight=False,
                                   shared=True)  # fmt: skip
            except TooLate:
                continue
        raise RuntimeError("no chief on the border river")

    def _grave_case(self, state: str, ages: tuple[int, int]) -> Issue:
        """Return a case that the office raised to major."""
        kinds = [trouble for trouble in TROUBLES if trouble.severity == "serious"]
        for _ in range(_TRIES):
            try:
                return self._issue(state, "citizen", self._rng.choice(kinds), "serious", self._spot("citizen", ages), straight=False, grave=True)
            except TooLate:
                continue
        raise RuntimeError(f"no place in time for a major issue that is {state}")

    def _issue(self, state: str, source: str, trouble: Trouble, severity: str, spot: _Spot, *, straight: bool,
               shared: bool = False, grave: bool = False) -> Issue:  # fmt: skip
        rng = self._rng
        chief = self._people.chief_on(spot.reach_code, spot.at.date())
        if chief is None:
            raise TooLate
        seed = self._numbers + 1
        case = Case(trouble, severity, spot.place, self._waterside.reaches[spot.reach_code], straight, shared, seed, grave)
        steps = life_of(state, case, spot.at, self._limit, Script(self._people, self._waterside, rng))
        wanted = 0.55 if steps and any(s.photos for s in steps) else 0.3
        photos = self._photos(trouble, seed, spot) if rng.random() < wanted else ()
        contact, board = self._complainant(source, spot.reach_code)
        rating = self._rating(trouble.category, steps) if source == "citizen" and state == "closed" else None
        self._numbers = seed
        reporter = spot.reporter or self._clerk(source)
        return Issue(
            dated_id(spot.at, rng), source, trouble.category, severity, rng.choice(trouble.reports), *spot.place,
            round(rng.uniform(5, 32), 1), spot.at, spot.reach_code, reporter, spot.patrol_id,
            spot.check_in.id if spot.check_in else None, board, contact, photos, steps, rating,
        )  # fmt: skip

    def _photos(self, trouble: Trouble, seed: int, spot: _Spot) -> tuple[Photo, ...]:
        if self._photos_left <= 0 or trouble.picture == "clean":
            return ()
        self._photos_left -= 1
        taken = spot.at - timedelta(seconds=self._rng.randint(15, 100))
        return (Photo(dated_id(taken, self._rng), trouble.picture, seed, "before", taken, *spot.place),)

    def _rejected(self, source: str, ages: tuple[int, int]) -> Issue:
        rng = self._rng
        ground, category, said, reason = rng.choice(REJECTIONS)
        spot = self._spot("citizen", ages)
        at_water = category != "Z"
        place = spot.place if at_water else self._waterside.away_from_water(spot.place, rng)
        office = self._people.office_of(self._waterside.reaches[spot.reach_code].region_code) if at_water else "office"
        at = Script(self._people, self._waterside, rng).later(spot.at, 0.5, 20, self._limit)
        step = Step("reject", "rejected", office, at, ground=ground, reason=reason)
        contact, board = self._complainant(source, spot.reach_code)
        severity = "serious" if at_water else "general"
        return Issue(
            dated_id(spot.at, rng), source, category, severity, said, *place, round(rng.uniform(8, 60), 1), spot.at,
            spot.reach_code if at_water else None, self._clerk(source), None, None, board if at_water else None, contact,
            (), (step,), None,
        )  # fmt: skip

    def _spot(self, source: str, ages: tuple[int, int]) -> _Spot:
        if source == "patrol":
            return self._sighting(ages)
        for _ in range(_TRIES):
            code = self._rng.choice(self._places)
            place = self._waterside.place(code, self._rng.uniform(0.08, 0.92), self._rng)
            if self._waterside.is_clear(code, place):
                return _Spot(self._hour(self._rng.randint(*ages), inspection=source == "inspection"), place, code)
        raise RuntimeError("no clear place at any reach")

    def _sighting(self, ages: tuple[int, int]) -> _Spot:
        """Return a check-in of a patrol so many days ago that has not led to an issue yet."""
        for index, (patrol, row) in enumerate(self._sightings):
            if ages[0] <= (self._limit - row.recorded_at).days <= ages[1]:
                del self._sightings[index]
                at = min(row.recorded_at + timedelta(seconds=self._rng.randint(20, 150)), patrol.ended_at)
                return _Spot(at, (row.latitude, row.longitude), row.reach_code, patrol.username, patrol.id, row)
        raise TooLate

    def _hour(self, days_ago: int, *, inspection: bool = False) -> datetime:
        """Return a moment of that day, or of the day before today when it is 0; citizens also write in the evening."""
        hours = (9, 10, 14, 15, 16) if inspection else (6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21)
        day = self._limit - timedelta(days=max(days_ago, 1))
        return day + timedelta(hours=self._rng.choice(hours), seconds=self._rng.randint(0, 3599))

    def _clerk(self, source: str) -> str | None:
        return {"hotline": "office", "inspection": "supervisor"}.get(source)

    def _complainant(self, source: str, reach_code: str) -> tuple[Contact | None, str | None]:
        if source != "citizen":
            return None, None
        contact = None
        if self._rng.random() < CONTACT_SHARE:
            name = self._rng.choice(FAMILY)[0] + self._rng.choice(("先生", "女士", "阿姨", "大伯"))
            contact = Contact(name, fictional_phone(50_000_000 + self._rng.randrange(10_000)))
        board = self._boards.get(reach_code)
        return contact, board if self._rng.random() < BOARD_SHARE else None

    def _rating(self, category: str, steps: tuple[Step, ...]) -> Rating | None:
        at = steps[-1].at + timedelta(hours=self._rng.uniform(2, 60))
        if self._rng.random() >= RATED_SHARE or at >= self._limit:
            return None
        if self._rng.random() < SATISFIED_SHARE:
            return Rating(at, True, self._rng.choice((4, 5, 5)), self._rng.choice(PRAISE))
        return Rating(at, False, self._rng.choice((1, 2, 2, 3)), self._rng.choice(matter_of(category).blames))
