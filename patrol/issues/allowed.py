"""Who may take which step of an issue's life now, and what is said to those who may not."""

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from patrol.foundation.errors import Conflict, Invalid, NotAllowed, saying_first
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.issues.grounds import GROUNDS_OF
from patrol.issues.lifecycle import (
    STATE_NAME,
    VERB_NAME,
    State,
    Step,
    Verb,
    Who,
    find_step,
    signed_by_chief,
    steps_from,
)
from patrol.people.permissions import Permission, roles_with


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """What the law needs to know of an issue; `department` is the code of the bureau that was called in, if any.

    `dispatched_for` and `merged_for` are how long ago that was, `declined` whether a lead gave it back since it was opened,
    `open_parts` the numbers of the co-handlers' parts that are not done, `parts_said` whose they are, where that is to be
    told, and `is_charge` whether it is one against a chief.
    """

    state: State
    severity: Severity
    lead_id: UUID | None = None
    co_handler_ids: frozenset[UUID] = frozenset()
    department: str | None = None
    dispatched_for: timedelta | None = None
    merged_for: timedelta | None = None
    declined: bool = False
    open_parts: tuple[int, ...] = ()
    parts_said: Text | None = None
    is_charge: bool = False


@dataclass(frozen=True, slots=True)
class ActorFacts:
    """What the law needs to know of somebody; `person_id` None is the system acting by policy.

    `in_scope` tells whether the account's region covers the issue, `is_above` whether it is a larger one than the issue's, `department` is the bureau it works for, and
    `signs` whether the person signs, today, as the district's chief over the issue's place or in that chief's stead
    (`signing`), `own_work` whether the issue is work of the person's own (`four_eyes`).
    """

    person_id: UUID | None
    permissions: frozenset[Permission] = frozenset()
    in_scope: bool = False
    is_above: bool = False
    department: str | None = None
    signs: bool = False
    own_work: bool = False


OUT_OF_SCOPE = Text("该问题不在您的辖区内", "the issue lies outside your region")
NOT_LEAD = Text("只有该问题的责任人可以执行此步骤", "only the lead of the issue may do this")
_NOT_HANDLING = Text("只有该问题的责任人或协办人可以执行此步骤", "only the lead or a co-handler may do this")
OWN_WORK = Text(
    "责任人、协办人、整改人、参与办理的人、被反映的河长及与其有委托关系的人不得复核、结案、不予受理、挂账、抽查，也不得决定延期或重新办理，请由其他人员办理",
    "whoever leads, co-handles, rectified or worked on it, whom it is about, or acts for such a person, may not verify, close, reject, suspend or check it, "
    "nor decide on more time or reopening: somebody else has to",
)
_NOT_CHIEF = Text("重大问题的“{step}”须由县级河长签字", "for a major issue “{step}” is signed by the district's chief")
_NOT_ONESELF = Text("责任人和协办人不能督办自己", "the lead and co-handlers cannot supervise themselves")
_NOT_ABOVE = Text("河长只能督办下级辖区的问题", "a chief supervises issues of the regions below")
_NO_PERMISSION = Text("您的角色没有“{step}”的权限，可由以下角色执行：{roles}", "your role does not allow “{step}”; roles that may: {roles}")
_NOT_BY_SYSTEM = Text("“{step}”只能由人执行", "“{step}” can only be done by a person")
_NOT_NOW = Text("“{state}”时不能“{step}”", "“{state}” does not allow “{step}”")
_TOO_LATE = Text(
    "派单已超过{hours}小时，不能再“{step}”",
    "more than {hours} hours have passed since the dispatch: too late for “{step}”",
)
_TOO_LATE_TO_UNDO = Text(
    "合并已超过{hours}小时，不能再“{step}”",
    "more than {hours} hours have passed since the merging: too late for “{step}”",
)
_TAKEN_BEFORE = Text(
    "此件已退单一次，河长办的裁定为最终裁定，不能再次退单",
    "it was declined before: the office's ruling is final, and there is no second time",
)
_PARTS_OPEN = Text(
    "协办分项 {parts} 尚未完成：责任人对整体负责，请待其完成，或由河长办说明理由收回",
    "the parts {parts} of co-handlers are open: the lead answers for the whole; wait for them, or let the office take them back",
)
_ALLOWS = Text("{why}；您现在可以：{allowed}", "{why}; what you can do now: {allowed}")
_NOTHING = Text("无", "nothing")
_REQUIRED = Text("必须填写", "is required")
_NOT_TAKEN = Text("“{step}”不接受此项", "is not taken by “{step}”")
_EXACTLY_ONE = Text("{names} 必须且只能填一项", "exactly one of {names} is required")
_UNKNOWN_GROUND = Text("没有这个理由，只能是以下之一：{codes}", "is not a ground; choose one of {codes}")
_CODE_IN_WORDS = Text("{code}（{name}）", "{code} ({name})")
_WRONG_CONTENT = Text("“{step}”的内容不全或有误", "what “{step}” brings is incomplete or wrong")


def leads(issue: IssueFacts, actor: ActorFacts) -> bool:
    """Tell whether `actor` leads; where no person does, the bureau that was called in leads as a whole.

    The office stands in there too, so that nothing is nobody's: whoever in scope may dispatch counts as lead.
    """
    if issue.lead_id is not None:
        return actor.person_id == issue.lead_id
    stands_in = actor.in_scope and Permission.DISPATCH_ISSUE in actor.permissions
    return stands_in or _works_for_its_department(issue, actor)


def _works_for_its_department(issue: IssueFacts, actor: ActorFacts) -> bool:
    return actor.in_scope and issue.department is not None and actor.department == issue.department


def _refuse_outsider(_issue: IssueFacts, actor: ActorFacts) -> Text | None:
    return None if actor.in_scope else OUT_OF_SCOPE


def _refuse_all_but_lead(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    return None if leads(issue, actor) else NOT_LEAD


def _refuse_uninvolved(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    is_co_handler = actor.person_id in issue.co_handler_ids or _works_for_its_department(issue, actor)
    return None if is_co_handler or leads(issue, actor) else _NOT_HANDLING


def _refuse_handler(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    return OWN_WORK if actor.own_work else _refuse_outsider(issue, actor)


def _refuse_non_signer(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    if signed_by_chief(issue.severity, is_charge=issue.is_charge) and not actor.signs:
        return _NOT_CHIEF
    return _refuse_outsider(issue, actor)


def _refuse_non_closer(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    return _refuse_non_signer(issue, actor) or _refuse_handler(issue, actor)


def _refuse_involved(issue: IssueFacts, actor: ActorFacts) -> Text | None:
    if actor.person_id == issue.lead_id or actor.person_id in issue.co_handler_ids:
        return _NOT_ONESELF
    if actor.in_scope and not actor.is_above and Permission.REVIEW_ISSUE not in actor.permissions:
        return _NOT_ABOVE
    return _refuse_outsider(issue, actor)


_REFUSAL: dict[Who, Callable[[IssueFacts, ActorFacts], Text | None]] = {
    Who.OFFICE: _refuse_outsider,
    Who.LEAD: _refuse_all_but_lead,
    Who.LEAD_OR_CO_HANDLER: _refuse_uninvolved,
    Who.NOT_HANDLER: _refuse_handler,
    Who.CLOSER: _refuse_non_closer,
    Who.SIGNER: _refuse_non_signer,
    Who.SUPERIOR: _refuse_involved,
}


def _refusal(step: Step, issue: IssueFacts, actor: ActorFacts) -> Text | None:
    """Return why `actor` may not take `step`, whose state fits, or None when it may."""
    refusal = _ground_of_refusal(step, issue, actor)
    return refusal and refusal.format(step=step.name)


def _ground_of_refusal(step: Step, issue: IssueFacts, actor: ActorFacts) -> Text | None:
    if actor.person_id is None:
        return None if step.by_system else _NOT_BY_SYSTEM
    permission = step.permission_for(issue.severity, is_charge=issue.is_charge)
    if permission not in actor.permissions:
        return _NOT_CHIEF if permission == step.needs_for_major else _NO_PERMISSION.format(step=step.name, roles=roles_with(permission))
    return _REFUSAL[step.who](issue, actor)


def may_check(issue: IssueFacts, permissions: frozenset[Permission]) -> bool:
    """Tell whether somebody with these permissions could check such an issue, so that it matters whose own work it is."""
    return any(
        step.is_check and step.permission_for(issue.severity, is_charge=issue.is_charge) in permissions for step in steps_from(issue.state)
    )


def steps_open_to(issue: IssueFacts, actor: ActorFacts) -> list[Step]:
    """Return the steps that `actor` may take on `issue` now, in the table's order."""
    return [step for step in steps_from(issue.state) if _untimely(step, issue) is None and _ground_of_refusal(step, issue, actor) is None]


def signed_by_others(issue: IssueFacts, actor: ActorFacts) -> list[tuple[Step, Text]]:
    """Return the steps for which `issue` waits for a signature that `actor` may not give now, each with the reason."""
    steps = [step for step in steps_from(issue.state) if is_signature(step, issue) and _untimely(step, issue) is None]
    return [(step, why) for step in steps if (why := _refusal(step, issue, actor)) is not None]


def waiting_for_parts(issue: IssueFacts, actor: ActorFacts) -> list[tuple[Step, Text]]:
    """Return the steps that `actor` could take on `issue` but for co-handlers' open parts, each with the reason."""
    if not issue.open_parts:
        return []
    steps = [step for step in steps_from(issue.state) if step.verb is Verb.RECTIFY and _ground_of_refusal(step, issue, actor) is None]
    return [(step, why) for step in steps if (why := _untimely(step, issue)) is not None]


def is_signature(step: Step, issue: IssueFacts) -> bool:
    """Tell whether the district's chief, or who signs in that chief's stead, takes `step` on such an issue."""
    return step.needs_for_major is not None and signed_by_chief(issue.severity, is_charge=issue.is_charge)


def is_out_of_turn(issue: IssueFacts, verb: Verb) -> bool:
    """Tell whether nobody may take `verb` on `issue` now: its state does not allow it, or not yet, or no longer."""
    step = find_step(issue.state, verb)
    return step is None or _untimely(step, issue) is not None


def _untimely(step: Step, issue: IssueFacts) -> Text | None:
    """Return why `step`, whose state fits, comes too late or too early on this issue for whomever, or None."""
    if step.once and issue.declined:
        return _TAKEN_BEFORE
    if step.verb is Verb.RECTIFY and issue.open_parts:
        return _PARTS_OPEN.format(parts=issue.parts_said or ", ".join(map(str, issue.open_parts)))
    passed, words = (issue.merged_for, _TOO_LATE_TO_UNDO) if step.undoes else (issue.dispatched_for, _TOO_LATE)
    if step.within is not None and passed is not None and passed > step.within:
        return words.format(hours=int(step.within.total_seconds() // 3600), step=step.name)
    return None


def refuse_unless_allowed(issue: IssueFacts, actor: ActorFacts, verb: Verb, brought: Mapping[str, object]) -> Step:
    """Return the row by which `actor` may take `verb` on `issue` with what is `brought`, by names of fields.

    Raises `Conflict` when the state does not allow the verb, or no longer (`allowed`: the verbs that it does allow, to `actor`),
    `NotAllowed` when the permission or the relation to the issue is missing, and `Invalid`, with errors by field, when
    something required is missing or something is brought that the step does not take. A value that is None, blank or
    empty counts as not brought.
    """
    step = find_step(issue.state, verb)
    if step is None:
        raise _out_of_turn(issue, actor, _NOT_NOW.format(state=STATE_NAME[issue.state], step=VERB_NAME[verb]))
    refusal = _refusal(step, issue, actor)
    if refusal is not None:
        raise NotAllowed(refusal)
    if (late := _untimely(step, issue)) is not None:
        raise _out_of_turn(issue, actor, late)
    errors = _faults_of(step, {name for name, value in brought.items() if _is_brought(value)})
    ground = brought.get("ground")
    grounds = GROUNDS_OF.get(verb, {})
    if "ground" in step.must and "ground" not in errors and not (isinstance(ground, str) and ground in grounds):
        said = [_CODE_IN_WORDS.format(code=code, name=name) for code, name in grounds.items()]
        errors["ground"] = [_UNKNOWN_GROUND.format(codes=Text("、".join(each.zh for each in said), ", ".join(each.en for each in said)))]
    if errors:
        raise Invalid(saying_first(_WRONG_CONTENT.format(step=step.name), errors), errors=errors)
    return step


def _out_of_turn(issue: IssueFacts, actor: ActorFacts, why: Text) -> Conflict:
    steps = steps_open_to(issue, actor)
    names = Text("、".join(step.name.zh for step in steps), ", ".join(step.name.en for step in steps)) if steps else _NOTHING
    parts: dict[str, Any] = {"open_parts": list(issue.open_parts)} if issue.open_parts else {}
    return Conflict(_ALLOWS.format(why=why, allowed=names), allowed=[str(step.verb) for step in steps], **parts)


def _is_brought(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and not (isinstance(value, Sized) and len(value) == 0)


def _faults_of(step: Step, names: set[str]) -> dict[str, list[Text]]:
    errors = {name: [_REQUIRED] for name in step.must if name not in names}
    if step.one_of and len(names.intersection(step.one_of)) != 1:
        words = _EXACTLY_ONE.format(names=", ".join(step.one_of))
        errors.update({name: [words] for name in step.one_of})
    strange = sorted(names.difference(step.must, step.one_of, step.may))
    errors.update({name: [_NOT_TAKEN.format(step=step.name)] for name in strange})
    return errors
