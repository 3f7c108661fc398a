"""How an issue's life goes: accept, dispatch, start, rectify, verify, close, with returns, transfers and reopenings."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from patrol.demo.matters import matter_of
from patrol.demo.phrases import (
    ACCEPT_NOTES,
    CLOSING_WORDS,
    REOPEN_REASONS,
    TRANSFER_REASONS,
    VERIFY_NOTES,
    Trouble,
)
from patrol.demo.positions import Position, Waterside
from patrol.demo.records import Photo, Step, at_work, dated_id
from patrol.demo.registers import METRES_PER_DEGREE_NORTH, Reach
from patrol.demo.residents import Residents

RETURNED_SHARE, REOPENED_SHARE, TRANSFERRED_SHARE, STARTED_SHARE = 0.12, 0.08, 0.06, 0.7
MAJOR_SHARE_OF_SERIOUS, SUPERVISOR_CHECKS_SHARE = 0.2, 0.2
REOPENED_SEEDS = 1_000
"""Added to an issue's seed for the photo after a second cure, so that it is another picture of the kind."""
_ORDER = ("submitted", "accepted", "dispatched", "in_progress", "rectified", "verified", "closed")


class TooLate(Exception):
    """What should have happened would lie after the story's end, or with a chief who had left."""


@dataclass(frozen=True)
class Case:
    """What a life is about; `straight` goes to the chief by policy, `shared` lies at two reaches alike, `grave` is raised to major."""

    trouble: Trouble
    severity: str
    place: Position
    reach: Reach
    straight: bool
    shared: bool
    seed: int
    grave: bool = False


class Script:
    """People and chance, for those who write lives."""

    def __init__(self, people: Residents, waterside: Waterside, rng: random.Random) -> None:
        """Keep them."""
        self.people, self.waterside, self.rng = people, waterside, rng

    def later(self, moment: datetime, least_h: float, most_h: float, limit: datetime) -> datetime:
        """Return a time in office hours between so many hours after `moment` (or the next morning); before `limit`.

        Raises:
            TooLate: there is no such time.
        """
        found = at_work(moment + timedelta(hours=self.rng.uniform(least_h, most_h)), self.rng)
        if found >= limit:
            raise TooLate
        return found


def life_of(state: str, case: Case, reported_at: datetime, limit: datetime, script: Script) -> tuple[Step, ...]:
    """Return the steps from the report to `state`, each later than the one before and all before `limit`.

    Raises:
        TooLate: they do not fit, or the chief in charge changed on the way.
    """
    life = _Life(case, reported_at, limit, script)
    life.go_to(state)
    return tuple(life.steps)


class _Life:
    def __init__(self, case: Case, reported_at: datetime, limit: datetime, script: Script) -> None:
        self.case, self.now, self.limit, self.script, self.rng = case, reported_at, limit, script, script.rng
        self.people, self.steps = script.people, list[Step]()
        self.severity, self.reach, self.words = case.severity, case.reach, matter_of(case.trouble.category)
        town_office = self.people.office_of(self.reach.region_code)
        self.office = "office" if case.shared or case.severity != "general" else town_office
        self.lead = self._chief()

    def go_to(self, state: str) -> None:
        if state == "submitted":
            return
        self._accept()
        if state == "accepted":
            return
        self._dispatch(first=True)
        if self.rng.random() < TRANSFERRED_SHARE:
            self._transfer()
        self._work(state)
        if state == "closed" and self.rng.random() < REOPENED_SHARE:
            self._step("reopen", "accepted", self.rng.choice(("supervisor", "office")), 70, 200,
                       reason=self.rng.choice(REOPEN_REASONS))  # fmt: skip
            self._dispatch(first=False)
            self._work(state)

    def _work(self, state: str) -> None:
        goal = _ORDER.index(state)
        if goal < _ORDER.index("in_progress"):
            return
        if state == "in_progress" or self.rng.random() < STARTED_SHARE:
            self._step("start", "in_progress", self.lead, 1, 30, note=self.rng.choice(self.words.starts))
            if self.rng.random() < 0.4:
                self._step("progress", "in_progress", self.lead, 5, 50, note=self.rng.choice(self.words.progress))
        if goal >= _ORDER.index("rectified"):
            self._rectify()
            if self.rng.random() < RETURNED_SHARE:
                self._step("return", "in_progress", self._checker(), 2, 40, reason=self.rng.choice(self.words.returns))
                self._rectify()
        if goal >= _ORDER.index("verified"):
            self._step("verify", "verified", self._checker(), 2, 50, note=self.rng.choice(VERIFY_NOTES))
        if goal >= _ORDER.index("closed"):
            closer = "chief.district" if self.severity == "major" else self.office
            self._step("close", "closed", closer, 1, 30, public_summary=self.rng.choice(CLOSING_WORDS))

    def _accept(self) -> None:
        if self.case.straight:
            self._at_once("accept", "accepted")
            return
        raised = ""
        if self.severity == "serious" and (self.case.grave or self.rng.random() < MAJOR_SHARE_OF_SERIOUS):
            self.severity = raised = "major"
        hours = (0.2, 2.0) if self.severity == "urgent" else (0.5, 16)
        self._step("accept", "accepted", self.office, *hours, note=self.rng.choice(ACCEPT_NOTES), severity=raised)

    def _dispatch(self, *, first: bool) -> None:
        self.lead = self._chief()
        if self.case.straight and first:
            self._at_once("dispatch", "dispatched", lead=self.lead)
            return
        department = ""
        if self.case.trouble.lead and self.severity in ("serious", "major", "urgent"):
            department = self.case.trouble.lead
            self.lead = next(p.username for p in self.people.people if p.department == department)
        self._step("dispatch", "dispatched", self.office, 0.2, 6, lead=self.lead, department=department)

    def _transfer(self) -> None:
        """Move the issue to another reach of the same town, whose chief then gets it."""
        town = self.reach.region_code[:9]
        others = [r for r in self.script.waterside.reaches.values() if r.region_code[:9] == town and r.bank == "both"]
        others = [r for r in others if r.code != self.reach.code]
        if not others or self.case.shared:
            return
        self.reach = self.rng.choice(others)
        self.lead = self._chief()
        self._step("transfer", "accepted", self.office, 2, 20, reach_code=self.reach.code,
                   reason=self.rng.choice(TRANSFER_REASONS))  # fmt: skip
        self._dispatch(first=False)

    def _rectify(self) -> None:
        before = len([step for step in self.steps if step.verb == "rectify"])
        self._step("rectify", "rectified", self.lead, 6, 110, note=self.rng.choice(self.case.trouble.cures))
        taken = self.now - timedelta(seconds=self.rng.randint(120, 900))
        seed = self.case.seed + REOPENED_SEEDS * before
        place = tuple(round(v + self.rng.gauss(0, 9) / METRES_PER_DEGREE_NORTH, 6) for v in self.case.place)
        photo = Photo(dated_id(taken, self.rng), self.case.trouble.picture, seed, "after", taken, place[0], place[1])
        last = self.steps[-1]
        self.steps[-1] = Step(last.verb, last.to, last.actor, last.at, note=last.note, photos=(photo,))

    def _checker(self) -> str:
        return "supervisor" if self.rng.random() < SUPERVISOR_CHECKS_SHARE else self.office

    def _chief(self) -> str:
        chief = self.people.chief_on(self.reach.code, self.now.date())
        if chief is None:
            raise TooLate
        return chief

    def _at_once(self, verb: str, to: str, *, lead: str = "") -> None:
        self.now += timedelta(seconds=self.rng.randint(1, 3))
        self.steps.append(Step(verb, to, self.office, self.now, automatic=True, lead=lead))

    def _step(self, verb: str, to: str, actor: str, least_h: float, most_h: float, **brings: str) -> None:
        self.now = self.script.later(self.now, least_h, most_h, self.limit)
        if verb in ("start", "progress", "rectify") and actor != self.lead:
            raise TooLate
        chief_leads = "chief" in self.people.by_username[self.lead].roles
        if chief_leads and self.people.chief_on(self.reach.code, self.now.date()) != self.lead:
            raise TooLate
        self.steps.append(Step(verb, to, actor, self.now, **brings))  # type: ignore[arg-type]
