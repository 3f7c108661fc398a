"""What a citizen reads of a complaint: plain words from the lifecycle's table, posts instead of persons."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import undefer

from patrol.foundation.texts import Text
from patrol.issues.beside import GRANT_EXTENSION
from patrol.issues.categories import CATEGORIES
from patrol.issues.doubts import SHOW_TROUBLE
from patrol.issues.due import WITHOUT_DUE, is_overdue
from patrol.issues.grounds import GROUNDS
from patrol.issues.history import (
    ADD_PHOTOS,
    ASK_REOPENING,
    GIVE_BACK,
    HIDE_PHOTO,
    MOVE_ALONG,
    RECOUNT,
    REFUSE_REOPENING,
    SHOW_PHOTO,
    TAKE_IN,
)
from patrol.issues.lifecycle import ENDED, STATE_NAME, STATE_PUBLIC_TEXT, State, Verb, find_step
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto
from patrol.public.models import Complaint, Follow, Rating, ReopeningRequest

# An after-photo proves nothing to the public until somebody else has checked it.
_SHOWS_AFTER = frozenset({State.VERIFIED, State.CLOSED})
_PHOTO_NAME = {
    "before": Text("整改前", "Before"), "after": Text("整改后", "After"),
    "other": Text("反映未整改到位时的照片", "When it was called not fixed"),
}  # fmt: skip
_RECEIVED = Text("已收到您的反映。", "Your complaint was received.")
_PHOTOS_ADDED = Text("您补充了照片。", "You added photos.")
_PHOTOS_BY_ANOTHER = Text("另一位反映人补充了照片。", "Somebody else who reported it added photos.")
_WAS_RECEIVED = Text("已收到反映。", "It was reported.")
_PHOTOS_WERE_ADDED = Text("反映人补充了照片。", "Whoever reported it added photos.")
_ASKED = Text("您认为未整改到位，申请重新办理。", "You said that it is not fixed and asked for it to be taken up again.")
_WAS_ASKED = Text("反映人认为未整改到位，申请重新办理。", "Whoever reported it says that it is not fixed.")
_ASKED_BY_ANOTHER = Text(
    "另一位反映人认为未整改到位，申请重新办理。", "Somebody else who reported it says that it is not fixed.",
)
_REFUSED = Text("核实后未予重新办理，理由见说明。", "Looked at again and not taken up; the reason is given.")
_WAS_REFUSED = Text("核实后未予重新办理。", "Looked at again and not taken up.")
_REFUSED_TO_ANOTHER = Text(
    "另一位反映人提出的未整改到位，核实后未予重新办理。", "What somebody else said of it was looked at again and not taken up.",
)
_WAITING = Text("您的申请已收到，将由整改人以外的人员核实后决定。", "Your word was received; somebody who did not handle it will decide.")
_ACCEPTED_BY_POLICY = Text("已按规则自动受理。", "It was accepted automatically, as the rules have it.")
_GRANTED = Text("已决定重新办理。", "It was decided to take it up again.")
_EXTENDED = Text("经批准，整改期限延至{day}。", "It needs more time: the new date is {day}.")
_MOVED = Text("办理期限有变，现在的最后一天是{day}。", "The date by which it is to be dealt with has moved: the last day is {day} now.")
_MERGED = Text(
    "与他人反映的同一问题（{number}）合并办理，以下为该件的进展。",
    "It is dealt with together with the same issue, reported by others as {number}; what follows is how that one goes.",
)
_WAS_MERGED = Text(
    "曾与他人反映的同一问题（{number}）合并办理。", "It was dealt with together with the same issue, reported by others as {number}, for a while.",
)
_PLANNED = Text("责任人已制定整改方案。", "The person in charge has made a plan for putting it right.")
_HIDDEN = Text("有一张照片不再公开显示。", "A photo is not shown to the public any more.")
_SHOWN_AGAIN = Text("一张曾不公开的照片已重新显示。", "A photo that was not shown to the public is shown again.")
_OFFICE = Text("{region}河长办", "River chief office of {region}")
_SOMEBODY = Text("责任人", "The person in charge")
_KEEP_CODE = Text(
    "{state}查询码是 {code}，请妥善保存：它是查询进度的唯一凭据。",
    "{state} Keep the tracking code {code}: it is the only key to your complaint.",
)


class Own(NamedTuple):
    """What a reader reported or follows, when it is merged into what tells its progress; photos loaded."""

    issue: Issue
    entries: Sequence[HistoryEntry]


class Whose(Enum):
    """Whose doing something is that a complainant did or that answers one, as the page names them to its reader."""

    READERS, ANOTHERS, SOMEBODYS = range(3)


class Said(NamedTuple):
    """Which complaint's the entries are that came from one or answer one, by issue and number; `entries` and `photos` are the reader's own.

    What the reader did while the own issue was merged stands on the original, also when the merging was undone; photos loaded.
    """

    by: Mapping[tuple[UUID, int], UUID]
    entries: Sequence[HistoryEntry]
    photos: Sequence[IssuePhoto]


def answer_to(complaint: Complaint, issue: Issue, language: str) -> dict[str, Any]:
    """Return what the sender of a complaint is told at once."""
    state = State(issue.state)
    words = _KEEP_CODE.format(state=STATE_PUBLIC_TEXT[state], code=complaint.tracking_code)
    return {
        "id": complaint.id, "tracking_code": complaint.tracking_code, "state": state, "message": words.in_language(language),
        "due_at": _due_at(issue), "office": shown_office(issue.routing["office"], language), "reach": _shown_reach(issue),
    }  # fmt: skip


def progress_of(
    complaint: Complaint | Follow, issue: Issue, entries: Sequence[HistoryEntry], rating: Rating | None,
    reopening: ReopeningRequest | None, said: Said, *, language: str, at: datetime, not_fixed_until: date | None, messages: str,
    own: Own | None = None, followers: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return how a case stands at the moment `at`; `issue` has its reach, lead, lead's region and photos loaded.

    `not_fixed_until` is the last day on which its complainant may say that it is not fixed, None when that is over;
    `messages` is how far its holder is told of turns; `own` is what was merged into `issue` and brought the reader here,
    None when `issue` itself did; `followers` is how many others follow `issue` ("me too").
    """
    is_own = isinstance(complaint, Complaint)
    state = State(issue.state)
    rejection = next((entry for entry in reversed(entries) if entry.verb == Verb.REJECT), None)
    return {
        "tracking_code": complaint.tracking_code, "number": own.issue.number if own else issue.number,
        "merged_into": own and {
            "number": issue.number, "at": own.issue.merged_at, "message": _MERGED.format(number=issue.number).in_language(language),
        },
        # To who follows, the report itself is one more that others made.
        "also_reported": issue.also_reported + followers + (not is_own),
        "category": {"code": issue.category, "name": CATEGORIES[issue.category].name.in_language(language)},
        "state": state, "state_name": STATE_NAME[state].in_language(language),
        "message": STATE_PUBLIC_TEXT[state].in_language(language),
        "description": (own.issue if own else issue).description if is_own else None,
        "received_at": complaint.received_at, "due_at": _due_at(issue), "overdue": is_overdue(state, issue.due_at, at),
        "office": shown_office(issue.routing["office"], language), "post": _shown_post(issue, language),
        "reach": _shown_reach(issue),
        "steps": [{"at": at, "text": words.in_language(language)} for at, words in _told(complaint, entries, own, said)],
        "rejection": _shown_rejection(rejection, language) if rejection and state is State.REJECTED else None,
        "public_summary": issue.public_summary if state is State.CLOSED else None,
        "photos": [_shown_photo(link, complaint.tracking_code, language) for link in _photos_of(complaint, issue, own, said)],
        "following": not is_own, "messages": messages, "rating": rating, "can_add_photos": is_own and state not in ENDED,
        "can_rate": is_own and state is State.CLOSED and (rating is None or rating.closing != issue.reopened_times),
        "can_say_not_fixed": not_fixed_until is not None, "not_fixed_until": not_fixed_until,
        "reopening": shown_reopening(reopening, language) if reopening else None,
    }  # fmt: skip


def _told(
    complaint: Complaint | Follow, entries: Sequence[HistoryEntry], own: Own | None, said: Said
) -> Iterator[tuple[datetime, Text]]:  # fmt: skip
    """Yield what happened, with its moment: on the case itself, from its merging on on the original, and what the reader did anywhere."""
    first = own.entries if own else entries
    second = [entry for entry in entries if own.issue.merged_at and entry.at >= own.issue.merged_at] if own else []
    shown = {entry.id for entry in chain(first, second)}
    if elsewhere := [entry for entry in said.entries if entry.id not in shown]:
        first = sorted([*first, *elsewhere], key=lambda entry: entry.at)
    # What follows the newest merging is the original's, unless that was undone; what followed an earlier one is over.
    newest = max((entry.seq for entry in own.entries if is_merging(entry)), default=0) if own else 0
    for entry in chain(first, second):
        if is_merging(entry) and (own is None or entry.issue_id != own.issue.id or entry.seq != newest):
            yield entry.at, _WAS_MERGED.format(number=entry.changes["merged_into"]["to"])
        elif words := words_of(entry, _whose(entry, complaint, said)):
            yield entry.at, words


def _whose(entry: HistoryEntry, complaint: Complaint | Follow, said: Said) -> Whose:
    if isinstance(complaint, Follow):
        return Whose.SOMEBODYS
    if entry.from_state is None:
        return Whose.READERS if entry.issue_id == complaint.issue_id else Whose.SOMEBODYS
    by = said.by.get((entry.issue_id, entry.seq))
    return Whose.SOMEBODYS if by is None else Whose.READERS if by == complaint.id else Whose.ANOTHERS


def _photos_of(complaint: Complaint | Follow, issue: Issue, own: Own | None, said: Said) -> list[IssuePhoto]:
    issues = [own.issue, issue] if own else [issue]
    links = [(link, one.state) for one in issues for link in one.photo_links]
    # As `queries.photo_of` has it: hidden on one of them, a photo is shown through none.
    hidden = {link.photo_id for link in [*(link for link, _ in links), *said.photos] if link.hidden_seq is not None}
    found = [
        link for link, state in links if link.photo_id not in hidden and may_see_photo(link, state, own=came_with(link, complaint))
    ]
    shown = hidden.union(link.photo_id for link in found)
    # Those of a complainant show the trouble, whatever became of the issue on which they are.
    return found + [link for link in said.photos if link.photo_id not in shown]


def came_with(link: IssuePhoto, complaint: Complaint | Follow) -> bool:
    """Tell whether a photo is one with which a complaint was sent."""
    return isinstance(complaint, Complaint) and link.issue_id == complaint.issue_id and link.seq == 1


def may_see_photo(link: IssuePhoto, state: str, *, own: bool = False) -> bool:
    """Tell whether the public, or for `own` who sent it, may see a photo of an issue in `state`.

    What shows the trouble at once, or where `XUNHE_PUBLIC_PHOTOS` says so once somebody looked; a cure when it was checked.

    What was returned, or closed before a reopening, is no proof of the present cure and is not shown as it; what the office
    took from the public is shown to nobody without an account.
    """
    if link.hidden_seq is not None or not (own or _was_looked_at(link)):
        return False
    return link.kind in SHOW_TROUBLE or (link.kind == "after" and state in _SHOWS_AFTER and not link.is_refused)


def is_open_photo(link: IssuePhoto, state: str) -> bool:
    """Tell whether everybody may see a photo of an issue on the open map; of what was rejected nobody has looked at it again."""
    return state != State.REJECTED and may_see_photo(link, state)


def _was_looked_at(link: IssuePhoto) -> bool:
    return _at_once() or link.photo.owner_id is not None or bool(link.is_looked_at)


def _at_once() -> bool:
    return bool(current_app.extensions["settings"].public_photos == "at_once")


def parts_of_public_photos() -> list[Any]:
    """Return the options that load, with a photo of an issue, what tells whether the public may see it."""
    return [undefer(IssuePhoto.is_refused)] if _at_once() else [undefer(IssuePhoto.is_refused), undefer(IssuePhoto.is_looked_at)]


def shown_office(region: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the river chief office of a region `{code, name}` as the public reads it."""
    return {"code": region["code"], "name": _OFFICE.format(region=region["name"]).in_language(language)}


def shown_reopening(request: ReopeningRequest, language: str) -> dict[str, Any]:
    """Return what became of a complainant's "not fixed"."""
    words = _WAITING if request.granted is None else _GRANTED if request.granted else _REFUSED
    return {
        "asked_at": request.asked_at, "reason": request.reason, "message": words.in_language(language),
        "decided_at": request.decided_at, "granted": request.granted, "decision": request.decision,
    }  # fmt: skip


# What happens beside the steps of the lifecycle: done by the reader, by another complainant, and as followers read it.
_WORDS = {
    ADD_PHOTOS: (_PHOTOS_ADDED, _PHOTOS_BY_ANOTHER, _PHOTOS_WERE_ADDED), ASK_REOPENING: (_ASKED, _ASKED_BY_ANOTHER, _WAS_ASKED),
    REFUSE_REOPENING: (_REFUSED, _REFUSED_TO_ANOTHER, _WAS_REFUSED), HIDE_PHOTO: (_HIDDEN,) * 3, SHOW_PHOTO: (_SHOWN_AGAIN,) * 3,
}  # fmt: skip


def words_of(entry: HistoryEntry, whose: Whose) -> Text | None:
    """Return what the public reads of a history entry, None when it is no affair of theirs; `whose` is the reporter's or complainant's doing."""
    if entry.from_state is None:
        return _RECEIVED if whose is Whose.READERS else _WAS_RECEIVED
    if entry.verb in _WORDS:
        return _WORDS[entry.verb][whose.value]
    if entry.verb == GRANT_EXTENSION:
        return _EXTENDED.format(day=entry.changes["last_day"]["to"])
    if entry.verb in {RECOUNT, TAKE_IN, GIVE_BACK} and (moved := entry.changes.get("last_day")):
        return _MOVED.format(day=moved["to"])
    if is_merging(entry):
        return _MERGED.format(number=entry.changes["merged_into"]["to"])
    return words_of_step(entry)


def is_merging(entry: HistoryEntry) -> bool:
    """Tell whether an entry says that an issue was merged into another one, or went along with its original."""
    return entry.verb in {Verb.MERGE, MOVE_ALONG} and bool(entry.changes["merged_into"]["to"])


def words_of_step(entry: HistoryEntry) -> Text | None:
    """Return what the public reads of a step of the lifecycle, None for any other entry."""
    if entry.verb == Verb.ACCEPT and entry.actor_id is None:
        return _ACCEPTED_BY_POLICY
    if entry.verb == Verb.PROGRESS and "plan" in entry.changes:
        return _PLANNED
    step = find_step(State(entry.from_state or entry.to_state), Verb(entry.verb)) if entry.verb in set(Verb) else None
    return step.public_text if step else None


def _due_at(issue: Issue) -> datetime | None:
    return None if issue.state in WITHOUT_DUE else issue.due_at


def _shown_reach(issue: Issue) -> dict[str, str] | None:
    return {"code": issue.reach.code, "name": issue.reach.name} if issue.reach else None


def _shown_post(issue: Issue, language: str) -> dict[str, str] | None:
    if issue.lead is None:
        return None
    return {"title": issue.lead.title or _SOMEBODY.in_language(language), "region": issue.lead.region.name}


def _shown_rejection(entry: HistoryEntry, language: str) -> dict[str, str]:
    ground = GROUNDS.get(entry.ground or "")
    return {"ground": ground.in_language(language) if ground else "", "reason": entry.reason or ""}


def _shown_photo(link: IssuePhoto, code: str, language: str) -> dict[str, Any]:
    address = f"/api/v1/public/complaints/{code}/photos/{link.photo_id}"
    ready = link.photo.derived_at is not None and link.photo.broken is None
    return {
        "id": link.photo_id, "kind": link.kind, "kind_name": _PHOTO_NAME[link.kind].in_language(language), "ready": ready,
        "thumb": f"{address}/thumb", "screen": f"{address}/screen",
    }  # fmt: skip
