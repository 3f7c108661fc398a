"""What happens to issues beside the plain way: supervised, put on the ledger, given back, contested, checked again.

Everything is chosen among the issues as they were told, so that each kind can be seen in the demo: some of it waiting for
a decision today, some decided. The plain stories stay as they were; chance is of its own.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from patrol.demo.matters import matter_of
from patrol.demo.pictures import Phase
from patrol.demo.records import (
    CHINA,
    Check,
    Follower,
    Issue,
    OrderAnswer,
    Oversight,
    PartDone,
    Photo,
    Request,
    Step,
    at_work,
    dated_id,
)
from patrol.demo.residents import Residents

LOOK_BACK_NIGHTS = 40
CHECK_SEEDS = 5_000
"""Added to the seed of the cure's photo for the photo of who looks again: another picture of the same kind of place."""
_DISCHARGES, _LITTER = ("B1", "B2"), ("C1", "C2", "A32")
_LEDGER = (
    ("需铺设截污管网，工程已列入年度计划。", (("完成管网施工图设计", 12), ("截污管道施工完成并通水", 75)), 45),
    ("控源截污和清淤须待枯水期施工。", (("完成施工招标", 20), ("清淤和截污完工验收", 90)), 60),
    ("清淤方案待评审，淤泥去向未定。", (("清淤方案通过评审", 15), ("清淤完成", 60)), 30),
)  # fmt: skip
_ORDERS = (
    ("reminder", "本件已超半个月未办结，请尽快组织整改并报送进展。", "已安排人员进场，三日内完成。"),
    ("slip", "请牵头组织整改，明确责任人和完成时间，五日内报告。", ""),
    ("letter", "群众多次反映，影响较大，请七日内完成整改并书面反馈。", "已召开现场会，责任落实到人，本周内完成整改。"),
    ("reminder", "请核实现场并补充整改进展照片。", None),
)  # fmt: skip
_MORE_TIME = (True, False, None)
_TOO_FEW, _NO_REASON = "人手不足，申请延期。", "理由不充分，请按期完成。"
_NOT_FIXED = (
    (True, "清理后不到一周又是老样子，没有解决根本问题。", "现场复查属实，重新办理。"),
    (False, "只清了一半。", "经现场复查已全部清理，附复查照片，不予重新办理。"),
    (None, "岸边清了，但水里的垃圾还在，请再来看看。", ""),
)  # fmt: skip
_CHECKED = (
    ("cured", "现场复查，整改到位，未见反弹。"), ("cured", "整改效果保持良好，周边居民反映较好。"),
    ("relapsed", "原位置再次出现同类问题，重新办理。"), (None, ""),
)  # fmt: skip
_WATCH_NOTES = ("市级督查关注件", "群众重复投诉，持续跟踪")


def overseen(
    issues: Sequence[Issue], people: Residents, today: date, rng: random.Random
) -> tuple[list[Issue], Oversight]:
    """Return the issues, some with further or richer steps, and what else is done about them before `today`."""
    book = _Book(issues, people, datetime.combine(today, time(0), CHINA), rng)
    return list(book.issues.values()), book.oversight


class _Book:
    """Chooses each issue for one thing only; an issue with nothing to choose for a thing is a fault of the stories."""

    def __init__(self, issues: Sequence[Issue], people: Residents, limit: datetime, rng: random.Random) -> None:
        self.issues = {issue.id: issue for issue in issues}
        self._people, self._limit, self._rng = people, limit, rng
        originals = {step.into for issue in issues for step in issue.steps if step.into}
        self._free = [issue for issue in issues if issue.id not in originals]
        rng.shuffle(self._free)
        self._parts, self._answers = self._with_parts(), self._with_orders()
        self._on_ledger()
        self._given_back()
        contested = tuple(self._contested())
        self.oversight = Oversight(
            order_answers=self._answers, extensions=tuple(self._asked_for_time()), not_fixed=contested, parts_done=self._parts,
            checks=tuple(self._checks()), followers=tuple(self._followers()), drawn=self._draws(), watched=tuple(self._watched()),
            nights=tuple(limit - timedelta(days=days, hours=-2) for days in range(1, LOOK_BACK_NIGHTS + 1)),
        )  # fmt: skip

    def _take(
        self, count: int, *states: str, from_days: float = 0.0, to_days: float = 999.0, unchecked_by: str | None = None,
        fitting: Sequence[str] = (), **facts: object,
    ) -> list[Issue]:
        """Take issues in one of `states` whose last step was so many days ago, that have the `facts`, and that somebody never checked.

        Those of `fitting` categories come first: the words that follow are about such.
        """
        found = []
        for issue in sorted(self._free, key=lambda free: free.category not in fitting):
            rest = (self._limit - issue.steps[-1].at) / timedelta(days=1) if issue.steps else 0.0
            checkers = {step.actor for step in issue.steps if step.verb in {"verify", "close"}}
            fits = issue.state in states and from_days <= rest <= to_days and unchecked_by not in checkers
            if fits and all(getattr(issue, name) == value for name, value in facts.items()):
                found.append(issue)
                self._free.remove(issue)
            if len(found) == count:
                return found
        raise RuntimeError(f"too few issues that are {' or '.join(states)}")

    def _office(self, issue: Issue) -> str:
        """Return who dispatched it, who is also the one to go on with it."""
        return next((step.actor for step in reversed(issue.steps) if step.verb == "dispatch"), "office")

    def _after(self, moment: datetime, least_h: float, most_h: float) -> datetime:
        at = at_work(moment + timedelta(hours=self._rng.uniform(least_h, most_h)), self._rng)
        # What would lie after the story's end happens out of hours instead, as on the evening before an inspection.
        return at if at < self._limit else moment + (self._limit - moment) * self._rng.uniform(0.3, 0.7)

    def _add(self, issue: Issue, *steps: Step) -> None:
        self.issues[issue.id] = replace(issue, steps=(*issue.steps, *steps))

    def _with_parts(self) -> tuple[PartDone, ...]:
        """Give two departments parts of what a third one leads; one of them has done its part."""
        called_in = [
            issue for issue in self._free if issue.state == "in_progress" and any(s.department for s in issue.steps)
        ]
        done = []
        for number, issue in enumerate(called_in[:3]):
            self._free.remove(issue)
            parts = matter_of(issue.category).parts
            steps = [
                replace(s, co_handlers=tuple(p for p in parts if p[0] != s.department)) if s.verb == "dispatch" else s
                for s in issue.steps
            ]
            self.issues[issue.id] = replace(issue, steps=tuple(steps))
            if number < 2:
                done.append(
                    PartDone(issue.id, self._after(issue.steps[-1].at, 4, 40), "本单位承担部分已完成，现场已清理。")
                )
        return tuple(done)

    def _with_orders(self) -> tuple[OrderAnswer, ...]:
        answers = []
        for issue, (kind, text, reply) in zip(
            self._take(len(_ORDERS), "in_progress", from_days=3), _ORDERS, strict=True
        ):
            at = self._after(issue.steps[-1].at, 24, 60)
            self._add(issue, Step("supervise", issue.state, "supervisor", at, kind=kind, text=text))
            if reply is not None:
                answers.append(OrderAnswer(issue.id, self._after(at, 1, 8), reply))
        return tuple(answers)

    def _on_ledger(self) -> None:
        """Put some on the ledger; one of them is taken off it again, and one should have been reviewed by now."""
        for number, (issue, (reason, works, review)) in enumerate(
            zip(self._take(3, "in_progress", from_days=4, fitting=_DISCHARGES), _LEDGER, strict=True)
        ):
            at = self._after(issue.steps[-1].at, 2, 20)
            day, office = at.date(), self._office(issue)
            closer = "chief.district" if any(step.severity == "major" for step in issue.steps) else office
            milestones = tuple((text, day + timedelta(days)) for text, days in works)
            review_on = day + timedelta(2 if number == 1 else review)
            steps = [
                Step("suspend", "suspended", closer, at, reason=reason, review_on=review_on, milestones=milestones)
            ]
            if number == 2:
                steps.append(
                    Step("resume", "in_progress", closer, self._after(at, 25, 50), note="方案已通过评审，恢复办理。")
                )
            self._add(issue, *steps)

    def _given_back(self) -> None:
        """Let leads give two back; on one the office has ruled, on the other it has not yet."""
        for number, issue in enumerate(self._take(2, "dispatched", from_days=1.2, fitting=_DISCHARGES)):
            at = min(self._after(issue.steps[-1].at, 1, 6), issue.steps[-1].at + timedelta(hours=23))
            steps = [Step("decline", "accepted", issue.steps[-1].lead, at, ground="other_department_by_law",
                          reason="排口属市政管网，依法由住建部门管理。", suggested_owner="housing")]  # fmt: skip
            if number == 0:
                steps.append(Step("dispatch", "dispatched", "office", self._after(at, 1, 5), department="housing",
                                  lead=next(p.username for p in self._people.people if p.department == "housing")))  # fmt: skip
            self._add(issue, *steps)

    def _asked_for_time(self) -> Iterator[Request]:
        for issue, granted in zip(self._take(3, "in_progress", "dispatched", to_days=4.0), _MORE_TIME, strict=True):
            reason, agreed = matter_of(issue.category).more_time
            if granted is False:
                reason = _TOO_FEW
            answer = "" if granted is None else agreed if granted else _NO_REASON
            at = self._after(issue.steps[-1].at, 1, 10)
            decided = None if granted is None else self._after(at, 1, 10)
            yield Request(issue.id, at, reason, self._office(issue), decided, bool(granted), answer, days=5)

    def _contested(self) -> Iterator[Request]:
        closed = self._take(3, "closed", from_days=2, to_days=14, source="citizen", fitting=_LITTER)
        for issue, (granted, reason, answer) in zip(closed, _NOT_FIXED, strict=True):
            rated = issue.rating.at if issue.rating else issue.steps[-1].at
            at = self._after(rated, 3, 20)
            decided = None if granted is None else self._after(at, 2, 20)
            yield Request(issue.id, at, reason, "supervisor", decided, bool(granted), answer)

    def _checks(self) -> Iterator[Check]:
        for issue, (result, note) in zip(
            self._take(len(_CHECKED), "closed", from_days=8, to_days=60, unchecked_by="supervisor"), _CHECKED, strict=True
        ):
            cure = [photo for step in issue.steps for photo in step.photos][-1]
            chosen = self._after(issue.steps[-1].at, 60, 100)
            check = Check(dated_id(chosen, self._rng), issue.id, chosen, "督查组抽查：结案件回头看")
            if result is not None:
                at = self._after(chosen, 20, 60)
                taken = at - timedelta(minutes=self._rng.randint(3, 12))
                phase: Phase = "before" if result == "relapsed" else "after"
                photo = Photo(
                    dated_id(taken, self._rng),
                    cure.picture,
                    cure.seed + CHECK_SEEDS,
                    phase,
                    taken,
                    issue.latitude,
                    issue.longitude,
                )
                check = replace(check, at=at, result=result, note=note, photos=(photo,))
            yield check

    def _followers(self) -> Iterator[Follower]:
        """Let neighbours follow what is open or was open for long; up to three of them an issue."""
        for issue in self._take(12, "in_progress", "dispatched", from_days=1, source="citizen"):
            for _ in range(self._rng.choice((1, 1, 2, 3))):
                at = self._after(issue.steps[-1].at, 1, 24)
                yield Follower(dated_id(at, self._rng), issue.id, at)

    def _draws(self) -> tuple[tuple[UUID, datetime], ...]:
        at = self._limit - timedelta(days=6, hours=14)
        return ((dated_id(at, self._rng), at),)

    def _watched(self) -> Iterator[tuple[UUID, datetime, str]]:
        for issue, note in zip(self._take(2, "in_progress"), _WATCH_NOTES, strict=True):
            yield issue.id, self._after(issue.steps[-1].at, 1, 20), note
