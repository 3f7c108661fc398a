"""The law of an issue's life: one table of steps, who may take each, what it must bring, and where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.people.permissions import Permission


class State(StrEnum):
    """Where an issue stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    RECTIFIED = "rectified"
    VERIFIED = "verified"
    CLOSED = "closed"
    REJECTED = "rejected"
    MERGED = "merged"
    SUSPENDED = "suspended"


STATE_NAME: dict[State, Text] = {
    State.SUBMITTED:   Text("待受理", "Submitted"),
    State.ACCEPTED:    Text("已受理", "Accepted"),
    State.DISPATCHED:  Text("已派单", "Dispatched"),
    State.IN_PROGRESS: Text("处理中", "In progress"),
    State.RECTIFIED:   Text("待复核", "Rectified"),
    State.VERIFIED:    Text("已复核", "Verified"),
    State.CLOSED:      Text("已结案", "Closed"),
    State.REJECTED:    Text("不予受理", "Rejected"),
    State.MERGED:      Text("已合并", "Merged"),
    State.SUSPENDED:   Text("挂账", "Suspended"),
}  # fmt: skip

STATE_PUBLIC_TEXT: dict[State, Text] = {
    State.SUBMITTED:   Text("已收到，等待河长办受理。", "Received; the river chief office will look at it."),
    State.ACCEPTED:    Text("已受理，正在安排责任人。", "Accepted; somebody is being put in charge of it."),
    State.DISPATCHED:  Text("已交责任人，等待处理。", "Somebody is in charge of it; work will begin."),
    State.IN_PROGRESS: Text("正在处理。", "It is being dealt with."),
    State.RECTIFIED:   Text("责任人报告已整改，等待复核。", "Reported as put right; somebody else will check."),
    State.VERIFIED:    Text("整改已经他人复核，等待结案。", "Checked by somebody else; about to be closed."),
    State.CLOSED:      Text("整改已经复核，本件已结案。", "Put right, checked and closed."),
    State.REJECTED:    Text("未予受理，原因见说明。", "Not taken up; the reason is given."),
    State.MERGED:      Text("已与同一问题合并处理。", "Dealt with together with the same issue."),
    State.SUSPENDED:   Text("需要工程措施，已挂账并定期复查。", "It needs works; kept on the ledger and reviewed."),
}  # fmt: skip
"""What a citizen reads while an issue stands in a state; a step's own `public_text` tells what happened."""

ENDED = frozenset({State.CLOSED, State.REJECTED, State.MERGED})
"""The states in which an issue waits for nobody; in all others it is open."""
IN_WORK = (State.DISPATCHED, State.IN_PROGRESS)
"""The states in which somebody has an issue in hand: parts and a plan are worked on, and more time can be asked for."""


class Verb(StrEnum):
    """What can be done to an issue; each is an address of its own, `POST /issues/{id}/{verb}`."""

    ACCEPT = "accept"
    REJECT = "reject"
    MERGE = "merge"
    UNMERGE = "unmerge"
    DISPATCH = "dispatch"
    TRANSFER = "transfer"
    DECLINE = "decline"
    START = "start"
    PROGRESS = "progress"
    RECTIFY = "rectify"
    VERIFY = "verify"
    RETURN = "return"
    CLOSE = "close"
    SUSPEND = "suspend"
    RESUME = "resume"
    REOPEN = "reopen"
    SUPERVISE = "supervise"


class Who(StrEnum):
    """What somebody must be to the issue, besides holding the step's permission."""

    OFFICE = "office"
    LEAD = "lead"
    LEAD_OR_CO_HANDLER = "lead_or_co_handler"
    NOT_HANDLER = "not_handler"
    CLOSER = "closer"
    SIGNER = "signer"
    SUPERIOR = "superior"


class Due(StrEnum):
    """What a step does to the deadline.

    `SETS` counts it anew from this step; `RECOMPUTES` counts it again from where it was last set when the step changes
    severity or category, and takes over a `due_at` that the step brings; `CLEARS` leaves none. `STOPS` stops the clock, and
    `RESTORES` gives back what was left when it stopped, after a review at least what policy says. `GOES_ON` puts back what `CLEARS` took away, as if the clock had
    never stopped.
    """

    SETS = "sets"
    RECOMPUTES = "recomputes"
    KEEPS = "keeps"
    CLEARS = "clears"
    STOPS = "stops"
    RESTORES = "restores"
    GOES_ON = "goes_on"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the law; `target` None leaves the state as it is.

    `must`, `one_of` and `may` name the fields that the step has to bring, has to bring exactly one of, and can bring.
    `needs_for_major` replaces `needs` for issues of major severity, but for charges, which no chief sees; `by_system` lets policy take the step with nobody.
    `within` is how long after the dispatch, or after the step that it `undoes`, the step may still be taken; a step that
    is `once` is taken once in an issue's life, which begins anew when it is reopened. A step that `undoes` another leads
    back to the state in which that one was taken. `undispatched` is the target where nobody was put in charge yet.
    """

    verb: Verb
    name: Text
    sources: frozenset[State]
    target: State | None
    needs: Permission
    who: Who
    public_text: Text
    must: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    due: Due = Due.KEEPS
    needs_for_major: Permission | None = None
    by_system: bool = False
    within: timedelta | None = None
    once: bool = False
    undoes: Verb | None = None
    undispatched: State | None = None

    @property
    def is_check(self) -> bool:
        """Whether the step checks others' work, so that nobody takes it on work of one's own (`four_eyes`)."""
        return self.who in (Who.NOT_HANDLER, Who.CLOSER)

    def leads_from(self, state: State, came_from: State | None = None, *, dispatched: bool = True) -> State:
        """Return the state that an issue in `state` has after this step; `came_from` is where the undone step was taken."""
        if self.undispatched and not dispatched:
            return self.undispatched
        return self.target or (came_from if self.undoes and came_from else state)

    def targets_from(self, state: State) -> list[State]:
        """Return every state to which the step can lead an issue in `state`."""
        if self.undoes is None:
            return [self.leads_from(state), *([self.undispatched] if self.undispatched else [])]
        undone = [step for step in STEPS if step.verb is self.undoes]
        return [source for source in State for step in undone if source in step.sources]

    def permission_for(self, severity: Severity, *, is_charge: bool) -> Permission:
        """Return the permission that the step needs on an issue of this severity, a charge against a chief or another."""
        return self.needs_for_major if self.needs_for_major and signed_by_chief(severity, is_charge=is_charge) else self.needs


def signed_by_chief(severity: Severity, *, is_charge: bool) -> bool:
    """Tell whether the district's chief signs how an issue ends; a charge against a chief is for the office above."""
    return severity == Severity.MAJOR and not is_charge


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


UNDO_WITHIN = timedelta(hours=24)
"""How long a merging can be undone."""

_S, _P = State, Permission
_REJECT = Text("不予受理", "Reject")
_NOT_TAKEN_UP = Text("河长办未予受理，原因见说明。", "The office has not taken it up; the reason is given.")

STEPS: tuple[Step, ...] = (
    Step(
        Verb.ACCEPT, Text("受理", "Accept"), _from(_S.SUBMITTED), _S.ACCEPTED,
        _P.RECEIVE_ISSUE, Who.OFFICE, may=("severity", "approved_by", "category", "reason", "note"), due=Due.SETS, by_system=True,
        public_text=Text("河长办已受理。", "The river chief office has accepted it."),
    ),
    Step(
        Verb.REJECT, _REJECT, _from(_S.SUBMITTED), _S.REJECTED,
        _P.RECEIVE_ISSUE, Who.OFFICE, must=("ground", "reason"), due=Due.CLEARS, public_text=_NOT_TAKEN_UP,
    ),
    Step(
        # Somebody may have been in charge before, and what is major was found to be so: it ends like a closing.
        Verb.REJECT, _REJECT, _from(_S.ACCEPTED), _S.REJECTED,
        _P.RECEIVE_ISSUE, Who.CLOSER, must=("ground", "reason"), due=Due.CLEARS, needs_for_major=_P.CLOSE_MAJOR_ISSUE,
        public_text=_NOT_TAKEN_UP,
    ),
    Step(
        # A duplicate waits for nobody: the original's clock is the one that counts.
        Verb.MERGE, Text("合并", "Merge"), _from(_S.SUBMITTED, _S.ACCEPTED, _S.DISPATCHED), _S.MERGED,
        _P.RECEIVE_ISSUE, Who.OFFICE, must=("into", "reason"), may=("raise_severity",), due=Due.CLEARS,
        public_text=Text("已与同一问题合并处理。", "It is dealt with together with the same issue."),
    ),
    Step(
        # The clock is as if it had never stopped: otherwise merging and taking out again would gain time.
        Verb.UNMERGE, Text("撤销合并", "Undo the merging"), _from(_S.MERGED), None,
        _P.RECEIVE_ISSUE, Who.OFFICE, must=("reason",), due=Due.GOES_ON, undoes=Verb.MERGE, within=UNDO_WITHIN,
        public_text=Text("已撤销合并，单独办理。", "It is dealt with on its own again."),
    ),
    Step(
        Verb.DISPATCH, Text("派单", "Dispatch"), _from(_S.ACCEPTED), _S.DISPATCHED,
        _P.DISPATCH_ISSUE, Who.OFFICE, due=Due.RECOMPUTES, by_system=True,
        may=("lead", "department", "co_handlers", "severity", "approved_by", "category", "due_at", "reason", "note"),
        public_text=Text("已交责任人处理。", "Somebody has been put in charge of it."),
    ),
    Step(
        Verb.TRANSFER, Text("转办", "Transfer"), _from(_S.ACCEPTED, _S.DISPATCHED), _S.ACCEPTED,
        _P.DISPATCH_ISSUE, Who.OFFICE, must=("reason",), one_of=("reach_id", "region"), may=("category",), due=Due.RECOMPUTES,
        public_text=Text("已转交负责该处的单位。", "It has been passed to those who answer for that place."),
    ),
    Step(
        # 24 hours, and once: the responsibility return of the field's existing systems; after it the office's ruling holds.
        Verb.DECLINE, Text("退单", "Decline"), _from(_S.DISPATCHED), _S.ACCEPTED,
        _P.HANDLE_ISSUE, Who.LEAD, must=("ground", "reason", "suggested_owner"), within=timedelta(hours=24), once=True,
        public_text=Text("正在重新确定责任单位。", "The office is deciding anew who is in charge of it."),
    ),
    Step(
        Verb.START, Text("开始处理", "Start"), _from(_S.DISPATCHED), _S.IN_PROGRESS,
        _P.HANDLE_ISSUE, Who.LEAD_OR_CO_HANDLER, may=("note",),
        public_text=Text("责任人已开始处理。", "Work on it has begun."),
    ),
    Step(
        Verb.PROGRESS, Text("进展", "Report progress"), _from(_S.IN_PROGRESS), None,
        _P.HANDLE_ISSUE, Who.LEAD_OR_CO_HANDLER, must=("note",), may=("photos", "is_plan"),
        public_text=Text("处理有新进展。", "There is progress."),
    ),
    Step(
        Verb.RECTIFY, Text("整改完成", "Rectify"), _from(_S.DISPATCHED, _S.IN_PROGRESS), _S.RECTIFIED,
        _P.HANDLE_ISSUE, Who.LEAD, must=("note", "photos"), may=("before_photo_id",), due=Due.STOPS,
        public_text=Text("责任人报告已整改，等待复核。", "Reported as put right; somebody else will check it."),
    ),
    Step(
        Verb.VERIFY, Text("复核通过", "Verify"), _from(_S.RECTIFIED), _S.VERIFIED,
        _P.REVIEW_ISSUE, Who.NOT_HANDLER, may=("note", "photos"),
        public_text=Text("整改已经他人复核。", "Somebody else has checked that it is put right."),
    ),
    Step(
        # How long the check took is no fault of the lead's: he gets back what was left when he had reported the cure.
        # What was verified can go back too, or an issue that nobody may sign would stay there for ever.
        Verb.RETURN, Text("退回整改", "Return"), _from(_S.RECTIFIED, _S.VERIFIED), _S.IN_PROGRESS,
        _P.REVIEW_ISSUE, Who.NOT_HANDLER, must=("reason",), due=Due.RESTORES,
        public_text=Text("复核未通过，已退回继续整改。", "The check found it not put right; work on it goes on."),
    ),
    Step(
        # The due date stays on a closed issue: the share closed in time is counted from it.
        Verb.CLOSE, Text("结案", "Close"), _from(_S.VERIFIED), _S.CLOSED,
        _P.CLOSE_ISSUE, Who.CLOSER, may=("public_summary", "note"), needs_for_major=_P.CLOSE_MAJOR_ISSUE,
        public_text=Text("整改已经复核，本件已结案。", "It is put right, checked and closed."),
    ),
    Step(
        Verb.SUSPEND, Text("挂账", "Suspend"), _from(_S.ACCEPTED, _S.DISPATCHED, _S.IN_PROGRESS), _S.SUSPENDED,
        # The office writes it down, the general chief answers for it: `signing`.
        _P.DISPATCH_ISSUE, Who.CLOSER, must=("reason", "review_on", "milestones"), may=("approved_by",), due=Due.STOPS,
        needs_for_major=_P.CLOSE_MAJOR_ISSUE,
        public_text=Text("需要工程措施，已挂账并定期复查。", "It needs works; it is kept on the ledger and reviewed."),
    ),
    Step(
        Verb.RESUME, Text("恢复办理", "Resume"), _from(_S.SUSPENDED), _S.IN_PROGRESS,
        _P.DISPATCH_ISSUE, Who.SIGNER, may=("note",), due=Due.RESTORES, needs_for_major=_P.CLOSE_MAJOR_ISSUE,
        undispatched=_S.ACCEPTED,
        public_text=Text("已恢复办理。", "Work on it goes on."),
    ),
    Step(
        Verb.REOPEN, Text("重新办理", "Reopen"), _from(_S.CLOSED, _S.REJECTED), _S.ACCEPTED,
        _P.REOPEN_ISSUE, Who.OFFICE, must=("reason",), due=Due.SETS,
        public_text=Text("已重新办理。", "It has been taken up again."),
    ),
    Step(
        Verb.SUPERVISE, Text("督办", "Supervise"), frozenset(state for state in State if state not in ENDED), None,
        _P.SUPERVISE_ISSUE, Who.SUPERIOR, must=("kind", "text"),
        public_text=Text("上级正在督办。", "A superior is supervising it."),
    ),
)  # fmt: skip

ORDER_NAME: dict[str, Text] = {
    "reminder": Text("提示单", "Reminder"),
    "slip":     Text("交办单", "Assignment slip"),
    "letter":   Text("督办函", "Supervision letter"),
    "listed":   Text("挂牌督办", "Listed supervision"),
    "talk":     Text("约谈", "Admonitory talk"),
}  # fmt: skip
"""The instruments of supervision by code; the field's formal ones."""

VERB_NAME: Mapping[Verb, Text] = {step.verb: step.name for step in STEPS}
"""What each verb is called."""

_BY_PLACE: dict[tuple[State, Verb], Step] = {(state, step.verb): step for step in STEPS for state in step.sources}


def find_step(state: State, verb: Verb) -> Step | None:
    """Return the row for `verb` on an issue in `state`, or None when the law has none."""
    return _BY_PLACE.get((state, verb))


def steps_from(state: State) -> list[Step]:
    """Return the rows that leave `state` or act within it, in the table's order, whoever may take them."""
    return [step for step in STEPS if state in step.sources]


WHO_NAME: dict[Who, Text] = {
    Who.OFFICE:             Text("辖区覆盖该问题", "whose region covers the issue"),
    Who.LEAD:               Text("责任人", "the lead"),
    Who.LEAD_OR_CO_HANDLER: Text("责任人或协办人", "the lead or a co-handler"),
    Who.NOT_HANDLER:        Text("辖区覆盖该问题，非办理人", "whose region covers the issue, never who handled it"),
    Who.SUPERIOR:           Text("辖区覆盖该问题，非责任人和协办人", "whose region covers the issue, neither lead nor co-handler"),
    Who.CLOSER:             Text("辖区覆盖该问题，非办理人；重大问题由县级河长或代其签字的人，F类除外",
                                 "never who handled it; for `major` (not F) the district's chief, or who signs in that chief's stead"),
    Who.SIGNER:             Text("辖区覆盖该问题；重大问题由县级河长或代其签字的人，F类除外",
                                 "whose region covers the issue; for `major` (not F) the district's chief, or who signs in that chief's stead"),
}  # fmt: skip
"""What each relation asks of somebody who holds the permission."""

LEAD_WHERE_NOBODY_LEADS = Text(
    "未指定责任人时由所派部门负责；既无责任人也无部门的，由河长办（持派单权限且辖区覆盖该问题）负责。",
    "The lead is the person in charge; the department called in where no person leads; "
    "the office where neither a person nor a department leads: whoever may dispatch and whose region covers the issue.",
)
"""Who counts as the lead, for the relations that ask for one."""
