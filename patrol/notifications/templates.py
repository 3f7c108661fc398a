"""What a message says, by its kind, in both languages: one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, Severity
from patrol.issues.deadlines import due_said
from patrol.issues.deciding import LATE_NAME
from patrol.issues.history import PART_LATE_NAME
from patrol.issues.lifecycle import Verb
from patrol.issues.plans import PLAN_LATE
from patrol.issues.system_words import reason_in_both
from patrol.patrols.integrity import RULES
from patrol.patrols.standing import DISMISSED, UPHELD
from patrol.patrols.verdict import VERDICT_NAME


class To(StrEnum):
    """Whom something concerns."""

    LEAD = "lead"
    STAND_IN = "stand_in"
    CO_HANDLERS = "co_handlers"
    OFFICE = "office"
    REPORTER = "reporter"
    SUPERIOR = "superior"
    SIDES = "sides"
    OFFICE_ABOVE = "office_above"
    NAMED = "named"


@dataclass(frozen=True)
class Template:
    """One kind of message: which event leads to it (`issue.` and the verb, `duty.` and the kind of reminder), whom it goes to, and its words.

    A reminder goes to the person it is about, what a reviewer judged to whoever walked the patrol: these name nobody in `to`.
    """

    kind: str
    to: tuple[To, ...]
    title: Text
    body: Text


FINDINGS_AFTER_CHECK = "findings.after_check"
PATROL_JUDGED, JUDGEMENT_WITHDRAWN = "patrol.judged", "patrol.judgement_withdrawn"
_T = Template
_PATROL = Text("{day} 的巡河（{place}）：", "Your patrol of {day} ({place}): ")
_PLACE = Text("{number}，{place}，{category}。", "{number}, {place}, {category}. ")


def _row(kind: str, to: tuple[To, ...], title: Text, rest: Text) -> Template:
    return _T(f"issue.{kind}", to, title, Text(_PLACE.zh + rest.zh, _PLACE.en + rest.en))


# Whoever approved of another grade is told of that; that it is put right is asked of others.
_GRADED = (
    Text("以您的名义调整了级别", "Another severity in your name"),
    Text("{in_your_name}现为“{severity}”，{actor}办理。", "{in_your_name}It is “{severity}” now; {actor} did it."),
)  # fmt: skip
_ROWS = (
    _row("submit", (To.OFFICE, To.SIDES), Text("新问题待受理", "A new issue waits"),
         Text("受理期限：{due}。", "To be accepted or rejected before {due}.")),
    _row("accept", (To.NAMED,), *_GRADED),
    _row("dispatch", (To.LEAD, To.CO_HANDLERS, To.NAMED), Text("您有新的问题要处理", "An issue was given to you"),
         Text("{in_your_name}请在 {due} 前整改完成。{plan}", "{in_your_name}Put it right before {due}. {plan}")),
    _row("decline", (To.OFFICE,), Text("责任退回，请裁定", "Responsibility was declined"),
         Text("{actor}退回：{reason}", "{actor} declined: {reason}")),
    _row("hand_over", (To.LEAD, To.OFFICE), Text("责任人已变更", "Somebody else is in charge now"),
         Text("原责任人已不再负责，请接手办理；没有新责任人的由河长办重新安排。期限：{due}。",
              "Whoever led it does no more: go on with it; where nobody took over, the office decides anew. It is due by {due}.")),
    _row("transfer", (To.OFFICE,), Text("问题已转办", "An issue was transferred"),
         Text("{actor}转办：{reason}", "{actor} transferred it: {reason}")),
    _row("rectify", (To.OFFICE,), Text("整改完成，待复核", "Rectified: please check"),
         Text("{actor}报告已整改，请派人复核。", "{actor} says it is put right; somebody else has to check.")),
    _row("return", (To.LEAD, To.STAND_IN), Text("整改被退回", "Sent back to you"),
         Text("请在 {due} 前整改完成。{plan}{actor}退回：{reason}", "Put it right before {due}. {plan}{actor} sent it back: {reason}")),
    _row("verify", (To.OFFICE,), Text("已复核，待结案", "Checked: to be closed"),
         Text("{actor}复核通过。", "{actor} found it put right.")),
    _row("close", (To.LEAD, To.REPORTER, To.SIDES), Text("问题已结案", "An issue is closed"), Text("{actor}结案。", "{actor} closed it.")),
    _row("reject", (To.REPORTER,), Text("上报的问题不予受理", "Your report was not taken up"),
         Text("{actor}：{reason}", "{actor}: {reason}")),
    _row("merge", (To.REPORTER, To.LEAD), Text("问题已合并", "An issue was merged"), Text("{actor}合并：{reason}", "{actor} merged it: {reason}")),
    _row("unmerge", (To.LEAD, To.OFFICE), Text("合并已撤销", "A merging was undone"),
         Text("期限仍为 {due}。{actor}：{reason}", "It is still due at {due}. {actor}: {reason}")),
    _row("take_in", (To.LEAD, To.CO_HANDLERS, To.REPORTER), Text("整改期限有变", "A due date has moved"),
         Text("并入同一问题后严重程度提高，现在的期限为 {due}。{plan}", "A duplicate was merged in and its severity raised: it is due at {due} now. {plan}")),
    _row("give_back", (To.LEAD, To.CO_HANDLERS, To.REPORTER), Text("整改期限有变", "A due date has moved"),
         Text("并入的问题已撤出，严重程度恢复，现在的期限为 {due}。", "A duplicate was taken out and its severity is as before: it is due at {due} now.")),
    _row("relapse", (To.LEAD, To.OFFICE, To.SUPERIOR), Text("结案后复发", "The trouble came back"),
         Text("结案后同一地点又有反映，已另立新件并关联。", "It was reported again after the closing; a new issue names this one.")),
    # The reason may hold a citizen's words, and a group's robot tells it to a whole group: who may read it finds it in the history.
    _row("reopen", (To.OFFICE, To.NAMED, To.REPORTER), Text("问题重新办理", "An issue is open again"),
         Text("{actor}决定重新办理，由河长办重新派单；理由见办理过程。",
              "{actor} took it up again, and the office puts somebody in charge anew; the history says why.")),
    _row("suspend", (To.LEAD, To.NAMED), Text("问题已挂账", "An issue is suspended"),
         Text("{in_your_name}{actor}：{reason}", "{in_your_name}{actor}: {reason}")),
    _row("resume", (To.LEAD, To.STAND_IN), Text("挂账问题恢复办理", "An issue goes on"), Text("请在 {due} 前整改完成。{plan}", "Put it right before {due}. {plan}")),
    _row("ask_extension", (To.OFFICE,), Text("申请延期，请决定", "More time is asked for"),
         Text("{actor}申请延期：{reason}", "{actor} asks for more time: {reason}")),
    _row("grant_extension", (To.LEAD,), Text("延期申请已同意", "You have more time"),
         Text("请在 {due} 前整改完成。说明：{reason}", "Put it right before {due}. {reason}")),
    _row("refuse_extension", (To.LEAD,), Text("延期申请未同意", "There is no more time"),
         Text("仍请在 {due} 前整改完成。说明：{reason}", "It is still due before {due}. {reason}")),
    _row("partner_update", (To.LEAD, To.OFFICE), Text("外部系统转来补充", "Word from a partner system"),
         Text("其用户对此件有补充说明，内容见办理过程。", "One of its users said something of it; the history says what.")),
    # No word of the citizen's: what he writes may tell who he is.
    _row("ask_reopening", (To.OFFICE,), Text("公众反映未整改到位，请决定", "A citizen says: not fixed"),
         Text("请由整改人以外的人员核实后决定。", "Somebody who did not handle it has to look and decide.")),
    _row("supervise", (To.LEAD, To.OFFICE), Text("收到督办", "An order of supervision"), Text("{actor}督办，请答复。", "{actor} asks for an answer.")),
    # The answer's words stand in the history: a group's robot would tell them to a whole group.
    _row("answer_order", (To.NAMED,), Text("您发出的督办已答复", "Your order was answered"),
         Text("{actor}已答复，内容见办理过程。", "{actor} has answered; the history says what.")),
    _row("recount", (To.LEAD, To.CO_HANDLERS, To.REPORTER), Text("整改期限有变", "A due date has moved"),
         Text("按新规定重新计算，现在的期限为 {due}。", "Counted again by new rules: it is due at {due} now.")),
    _row("report_part", (To.LEAD,), Text("协办分项已完成", "A part is done"), Text("{actor}报告协办分项已完成。", "{actor} reports a part of the work as done.")),
    _row("part_left", (To.LEAD, To.OFFICE), Text("协办分项无人办理", "Nobody does a part of the work"),
         Text("协办人已不能办理，其分项尚未完成：请河长办收回，或由其部门接手。",
              "Its co-handler can handle nothing any more and it is still open: take it back, or let the department go on.")),
    _row("take_back_part", (To.LEAD, To.CO_HANDLERS), Text("协办分项已收回", "A part was taken back"),
         Text("{actor}：{reason}", "{actor}: {reason}")),
    _row("part_late", (To.LEAD, To.CO_HANDLERS, To.OFFICE), PART_LATE_NAME,
         Text("有协办分项到期未完成，请督促。", "A co-handler's part was due and is still open.")),
    *(_row(code, (To.OFFICE, To.OFFICE_ABOVE), name, Text("应在 {due} 前决定，至今未决定。", "It was to be decided before {due} and is not yet."))
      for code, name in LATE_NAME.items() if code != PLAN_LATE),
    _row(PLAN_LATE, (To.LEAD, To.SUPERIOR, To.OFFICE), LATE_NAME[PLAN_LATE],
         Text("整改方案应在 {due} 前上报，至今未报。责任人请以“进展”上报方案，尚未开始的请先“开始处理”。",
              "A plan was to be reported before {due} and is not there yet. The lead reports it as progress, after the start.")),
    # Whoever leads puts it right; where nobody does yet, the office has to accept it or to put somebody in charge.
    _row("half_time", (To.LEAD, To.STAND_IN), Text("时限过半提醒", "Half of the time is over"), Text("期限为 {due}，请抓紧办理。", "It is due before {due}.")),
    _row("day_before", (To.LEAD, To.STAND_IN), Text("即将到期", "Due shortly"), Text("期限为 {due}，请抓紧办理。", "It is due before {due}.")),
    *(_row(code, (To.LEAD, To.SUPERIOR, To.OFFICE), Text(f"{{late}}：{zh}", f"{{late}}: {en}"),
           Text("期限为 {due}，至今{still}。", "It was due at {due} and is still {still}."))
      for code, zh, en in (("overdue", "已报上级河长", "the superior chief is told"), ("letter", "督办函", "supervision letter"),
                           ("listed", "挂牌督办", "listed supervision"), ("talk", "约谈", "admonitory talk"))),
    _T(FINDINGS_AFTER_CHECK, (To.NAMED, To.OFFICE), Text("复核之后发现疑点", "Findings came after the check"),
       Text(_PLACE.zh + "整改照片在复核或结案之后查出严重疑点，见该件的疑点（findings）。请核实；未真正整改的，请退回或重新办理。",
            _PLACE.en + "Serious findings on the proof of the cure came after it was checked or closed: see its findings. Look into it; where it was no cure, "
            "send it back or take it up again.")),
    *(_T(f"look_back.{kind}", (), title, Text(_PLACE.zh + "请在 {last_day} 前回头看。", _PLACE.en + "To be looked at again by {last_day}."))
      for kind, title in (("drawn", Text("抽中回头看", "A look-back was drawn")), ("late", Text("回头看超期", "A look-back is late")))),
    *(_T(f"duty.{kind}", (), title, Text("本期（{first_day} 至 {last_day}）还需巡河 {left} 次，共需 {required} 次：{place}。",
                                         "From {first_day} to {last_day} {left} of {required} patrols are left to do: {place}."))
      for kind, title in (("half", Text("巡河任务提醒", "Patrols are left to do")), ("last_day", Text("巡河任务即将到期", "The period for patrols is about to end")))),
    _T(PATROL_JUDGED, (), Text("巡河发现已审核", "A finding on your patrol was judged"),
       Text(_PATROL.zh + "{actor}认定“{finding}”{standing}。{verdict}理由：{reason}", _PATROL.en + "{actor} judged “{finding}”: {standing}. {verdict} Why: {reason}")),
    _T(JUDGEMENT_WITHDRAWN, (), Text("巡河审核结论已撤回", "A judgement of your patrol was taken back"),
       Text(_PATROL.zh + "{actor}撤回了对“{finding}”的审核结论，此项现在{standing}。{verdict}理由：{reason}",
            _PATROL.en + "{actor} took back what was judged of “{finding}”, which is now {standing}. {verdict} Why: {reason}")),
)  # fmt: skip
TEMPLATES: dict[str, Template] = {row.kind: row for row in _ROWS}
"""Every kind of message by its name."""

EVENT_KINDS = tuple(dict.fromkeys([*(kind for kind in TEMPLATES if kind.startswith("issue.")), *(f"issue.{verb.value}" for verb in Verb)]))
"""What a webhook can ask for: every kind of message about an issue, and every step of one."""

_IN_YOUR_NAME = {
    "approved_by": Text("以您的名义挂账：记为由您批准；如您并未批准，请要求恢复办理。",
                        "It is on the ledger in your name, as approved by you: if you did not approve, have it resumed. "),
    "graded": Text("以您的名义调整“重大”级别：记为由您批准；如您并未批准，请告知河长办。",
                   "What was major got another severity in your name, as approved by you: if you did not approve, tell the office. "),
    "reported_to": Text("河长办未填写批准人即挂账，现向您（总河长）报告，此件挂账由您负责；如不同意，请要求恢复办理。",
                        "The office put it on the ledger and named nobody who approved; it is reported to you, the general chief, in whose name "
                        "the ledger is kept: if you disagree, have it resumed. "),
}  # fmt: skip
# What an issue's date is for: the office has to accept or reject it, everybody afterwards to have it put right.
_LATE = {True: (Text("受理超期", "Late to be accepted"), Text("未受理", "not accepted")), False: (Text("超期", "Overdue"), Text("未办结", "open"))}
_MERGED = Text("{number}（已并入 {original}）", "{number} (merged into {original})")
_PLAN_DUE = Text("请在 {plan_due} 前以“进展”上报整改方案，尚未开始的先“开始处理”。", "Report a plan as progress, after the start, before {plan_due}.")
_FINDING_NAME = {rule.code: rule.name for rule in RULES}
_STANDING = {UPHELD: Text("成立", "upheld"), DISMISSED: Text("不成立", "dismissed")}
_OPEN = Text("未定", "open")
_VERDICT, _NO_VERDICT = Text("现在的结论：{verdict}。", "The verdict is now: {verdict}."), Text("结论正在重新计算。", "The verdict is being reckoned anew.")
_PLAIN = Text("{kind}", "{kind}")
_UNKNOWN = Text("（未说明）", "(not said)")


def words_of(kind: str, facts: Mapping[str, Any], language: str, timezone: str) -> tuple[str, str]:
    """Return title and body of a message in a language; moments among the facts are told in local time."""
    template = TEMPLATES.get("issue.accept" if facts.get("only_named") else kind)
    title, body = (template.title, template.body) if template else (_PLAIN, Text("", ""))
    category = CATEGORIES.get(str(facts.get("category")))
    severity = SEVERITY_NAME[Severity(facts["severity"])] if facts.get("severity") else None
    own = _IN_YOUR_NAME.get(str(facts.get("in_your_name")))
    reason = facts.get("reason") and reason_in_both(kind.removeprefix("issue."), facts["reason"]).in_language(language)
    number = _MERGED.format(**facts).in_language(language) if facts.get("original") else facts.get("number", "")
    plan_due = facts.get("plan_due_at") and due_said(datetime.fromisoformat(facts["plan_due_at"]), ZoneInfo(timezone))
    late, still = (text.in_language(language) for text in _LATE[bool(facts.get("unaccepted"))])
    values = {
        "late": late, "still": still,
        "plan": _PLAN_DUE.format(plan_due=plan_due).in_language(language) if plan_due else "",
        "kind": kind, "in_your_name": own.in_language(language) if own else "", "number": number, "place": facts.get("place", ""),
        "severity": severity.in_language(language) if severity else "",
        "category": category.name.in_language(language) if category else facts.get("category", ""),
        "due": due_said(datetime.fromisoformat(facts["due_at"]), ZoneInfo(timezone)) if facts.get("due_at") else "—",
        **{name: facts.get(name, "") for name in ("left", "required", "first_day", "last_day")},
        **{name: text.in_language(language) for name, text in _patrol_words(facts).items()}, "day": facts.get("day", ""),
        "actor": facts.get("actor", ""), "reason": reason or _UNKNOWN.in_language(language),
    }  # fmt: skip
    return title.in_language(language).format(**values), body.in_language(language).format(**values)


def _patrol_words(facts: Mapping[str, Any]) -> dict[str, Text]:
    """Return what a finding is called, how it stands, and what the examination says now, of a message about a patrol."""
    finding, verdict = str(facts.get("finding", "")), facts.get("verdict")
    return {
        "finding": _FINDING_NAME.get(finding, Text(finding, finding)), "standing": _STANDING.get(str(facts.get("judgement")), _OPEN),
        "verdict": _VERDICT.format(verdict=VERDICT_NAME.get(verdict, Text(verdict, verdict))) if verdict else _NO_VERDICT,
    }  # fmt: skip
