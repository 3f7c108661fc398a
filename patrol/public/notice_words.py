"""What a citizen is told of a turn, in plain words and in the language that he used. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.beside import GRANT_EXTENSION
from patrol.issues.grounds import GROUNDS
from patrol.issues.history import GIVE_BACK, RECOUNT, REFUSE_REOPENING, SUBMIT, TAKE_IN
from patrol.issues.lifecycle import Verb
from patrol.issues.models import HistoryEntry
from patrol.public.progress import Whose, words_of

MERGE = "merge"
TOLD = frozenset({
    SUBMIT, Verb.ACCEPT.value, Verb.DISPATCH.value, Verb.TRANSFER.value, Verb.DECLINE.value, Verb.START.value, Verb.SUSPEND.value,
    Verb.RESUME.value, Verb.RECTIFY.value, Verb.RETURN.value, Verb.VERIFY.value,
    Verb.CLOSE.value, Verb.REJECT.value, Verb.REOPEN.value, MERGE, Verb.UNMERGE.value, GRANT_EXTENSION, REFUSE_REOPENING, RECOUNT, TAKE_IN, GIVE_BACK,
})  # fmt: skip
"""The entries of a history that are told; all others can be read under the tracking code."""
OWN_ONLY = frozenset({REFUSE_REOPENING})
"""Told only to the complainant whom it answers, not to the others whose complaints are one case with his."""

_DUE = Text("期限：{day}。", "It is due by {day}.")
_REVIEW = Text("下次复查：{day}。", "It will be looked at again on {day}.")
_JUDGE = Text(
    "请打开下面的链接查看整改前后的照片，并评价办理结果；如果没有整改到位，{day} 以前（含当日）可以在同一页面提出一次，由整改人以外的人员核实。",
    "Open the link below for the photos from before and after, and rate the result. If it is not fixed, you can say so there once, up to and "
    "including {day}; somebody who did not handle it will look.",
)
_LOOK = Text("请打开下面的链接查看整改前后的照片。", "Open the link below for the photos from before and after.")
_SUBJECT = Text("巡河 {number}：{words}", "Xunhe {number}: {words}")
_SUBJECT_MANY = Text("巡河：{count} 件问题有新进展", "Xunhe: news of {count} cases")
_HEAD_OWN = Text("您反映的问题 {number}（{category}，{place}）", "Your report {number} ({category}, {place})")
_HEAD_FOLLOWED = Text("您关注的问题 {number}（{category}，{place}）", "The report that you follow, {number} ({category}, {place})")
_WITH = Text("，与同一问题 {number} 合并办理", ", dealt with together with the same issue, {number}")
_LINK = Text("查看进度和照片：{link}", "Progress and photos: {link}")
_END = Text("不再接收这件问题的消息（打开后点按钮退订）：{link}", "No more messages about this case (open it and press the button): {link}")
_FOOT = Text(
    "联系方式加密保存，只用于这件问题，不会告知被反映的人。本消息由系统发送，请勿回复。如果不是您留下的，请点退订链接。",
    "Your contact is kept encrypted, is used for this case only, and is never told to those whom it concerns. This was sent by the system: do not "
    "answer. If it was not you who left this contact, use the link that ends the messages.",
)
_ASK_SUBJECT = Text("巡河：请确认是否接收问题 {number} 的消息", "Xunhe: do you want to be told of {number}?")
_ASK = Text(
    "有人留下这个地址，希望在问题 {number}（{category}，{place}）有进展时收到消息。\n如果是您，请打开链接并确认：{link}\n"
    "如果不是您，不必理会：{days} 天后地址自动删除，在此之前不会再发送别的内容。",
    "Somebody left this address to be told of the report {number} ({category}, {place}).\nIf it was you, open this link and confirm: {link}\n"
    "If it was not you, do nothing: the address is deleted after {days} days, and nothing else is sent to it until then.",
)
_SMS = Text("【巡河】{number}：{words} 进度 {link} 退订 {end}", "[Xunhe] {number}: {words} See {link} Stop {end}")
_SMS_ASK = Text("【巡河】有人留下此号码关注问题 {number}。如果是您，请确认：{link}", "[Xunhe] Somebody left this number to follow {number}. If it was you, confirm: {link}")


class Turn(NamedTuple):
    """One thing that happened to a case: when, in words, and what follows from it."""

    at: datetime
    words: Text
    rest: Text


class Case(NamedTuple):
    """One case with what is to be told of it, and its two links.

    `original` is the number of the one that it is dealt with together with, where the turns are that one's.
    """

    number: str
    category: Text
    place: str
    is_own: bool
    turns: Sequence[Turn]
    link: str
    end: str
    original: str | None = None


class Letter(NamedTuple):
    """What is sent: a title, and the whole text."""

    title: str
    body: str


def turn_of(entry: HistoryEntry, *, is_own: bool, due_day: str | None, not_fixed_until: date | None) -> Turn | None:
    """Return what is told of a history entry; None when the public reads nothing of it.

    `due_day` is the present last day, None while no clock runs; `not_fixed_until` the last day for "not fixed".
    """
    words = words_of(entry, Whose.READERS if is_own else Whose.SOMEBODYS)
    return Turn(entry.at, words, _rest_of(entry, is_own, due_day, not_fixed_until)) if words else None


def _rest_of(entry: HistoryEntry, is_own: bool, due_day: str | None, not_fixed_until: date | None) -> Text:
    if entry.verb in {Verb.DISPATCH, Verb.RESUME, Verb.RETURN, Verb.UNMERGE} and due_day:
        return _DUE.format(day=due_day)
    if entry.verb == Verb.SUSPEND and (review := entry.changes.get("review_on")):
        return _REVIEW.format(day=review["to"])
    if entry.verb == Verb.REJECT:
        ground = GROUNDS.get(entry.ground or "", Text("", ""))
        return Text(*(": ".join(part for part in (name, entry.reason) if part) for name in ground))
    if entry.verb == REFUSE_REOPENING:
        return Text(entry.reason or "", entry.reason or "")
    if entry.verb == Verb.CLOSE:
        asked = _JUDGE.format(day=not_fixed_until) if is_own and not_fixed_until else _LOOK
        summary = (entry.changes.get("public_summary") or {}).get("to") or ""
        return Text(*(f"{summary} {text}".strip() for text in asked))
    return Text("", "")


def letter_of(cases: Sequence[Case], language: str, timezone: str) -> Letter:
    """Return the mail that tells of one or several cases, each with its links; times are the district's."""
    title = _SUBJECT_MANY.format(count=len(cases))
    if len(cases) == 1:
        title = _SUBJECT.format(number=cases[0].number, words=cases[0].turns[-1].words)
    parts = [_told(case, language, timezone) for case in cases]
    return Letter(title.in_language(language), "\n\n".join([*parts, _FOOT.in_language(language)]))


def _told(case: Case, language: str, timezone: str) -> str:
    head = (_HEAD_OWN if case.is_own else _HEAD_FOLLOWED).format(number=case.number, category=case.category, place=case.place)
    # Where a turn says so, that is enough.
    is_named = case.original is None or any(case.original in turn.words.zh for turn in case.turns)
    lines = [head.in_language(language) + ("" if is_named else _WITH.format(number=case.original).in_language(language))]
    for turn in case.turns:
        at = turn.at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
        lines.append(f"{at} {turn.words.in_language(language)} {turn.rest.in_language(language)}".rstrip())
    lines += [_LINK.format(link=case.link).in_language(language), _END.format(link=case.end).in_language(language)]
    return "\n".join(lines)


def sms_of(case: Case, language: str) -> str:
    """Return the text message of one case: its latest turn and the links."""
    said = _SMS.format(number=case.number, words=case.turns[-1].words, link=case.link, end=case.end)
    return said.in_language(language)


def question_of(case: Case, language: str, days: int) -> Letter:
    """Return the mail that asks a follower whether the address is his; `case.link` confirms."""
    values = {"number": case.number, "category": case.category, "place": case.place, "link": case.link, "days": days}
    return Letter(_ASK_SUBJECT.format(**values).in_language(language), _ASK.format(**values).in_language(language))


def sms_question_of(case: Case, language: str) -> str:
    """Return the text message that asks the same."""
    return _SMS_ASK.format(number=case.number, link=case.link).in_language(language)
