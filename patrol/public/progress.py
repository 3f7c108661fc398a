"""What a citizen reads of a complaint: plain words from the lifecycle's table, posts instead of persons."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.due import NEVER_DUE, is_overdue
from patrol.issues.history import ADD_PHOTOS
from patrol.issues.lifecycle import ENDED, GROUNDS, STATE_NAME, STATE_PUBLIC_TEXT, State, Verb, find_step
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto
from patrol.public.models import Complaint, Rating

# An after-photo proves nothing to the public until somebody else has checked it.
_SHOWS_AFTER = frozenset({State.VERIFIED, State.CLOSED})
_RECEIVED = Text("已收到您的反映。", "Your complaint was received.")
_PHOTOS_ADDED = Text("您补充了照片。", "You added photos.")
_OFFICE = Text("{region}河长办", "River chief office of {region}")
_SOMEBODY = Text("责任人", "The person in charge")
_KEEP_CODE = Text(
    "{state}查询码是 {code}，请妥善保存：它是查询进度的唯一凭据。",
    "{state} Keep the tracking code {code}: it is the only key to your complaint.",
)


def answer_to(complaint: Complaint, issue: Issue, language: str) -> dict[str, Any]:
    """Return what the sender of a complaint is told at once."""
    state = State(issue.state)
    words = _KEEP_CODE.format(state=STATE_PUBLIC_TEXT[state], code=complaint.tracking_code)
    return {
        "id": complaint.id, "tracking_code": complaint.tracking_code, "state": state, "message": words.in_language(language),
        "due_at": _due_at(issue), "office": shown_office(issue.routing["office"], language), "reach": _shown_reach(issue),
    }  # fmt: skip


def progress_of(
    complaint: Complaint, issue: Issue, entries: Sequence[HistoryEntry], rating: Rating | None, *, language: str, at: datetime
) -> dict[str, Any]:
    """Return how a complaint stands at the moment `at`; `issue` has its reach, lead, lead's region and photos loaded."""
    state = State(issue.state)
    rejection = next((entry for entry in reversed(entries) if entry.verb == Verb.REJECT), None)
    return {
        "tracking_code": complaint.tracking_code, "number": issue.number,
        "category": {"code": issue.category, "name": CATEGORIES[issue.category].name.in_language(language)},
        "state": state, "state_name": STATE_NAME[state].in_language(language),
        "message": STATE_PUBLIC_TEXT[state].in_language(language),
        "received_at": complaint.received_at, "due_at": _due_at(issue), "overdue": is_overdue(state, issue.due_at, at),
        "office": shown_office(issue.routing["office"], language), "post": _shown_post(issue, language),
        "reach": _shown_reach(issue),
        "steps": [{"at": entry.at, "text": words.in_language(language)} for entry in entries if (words := _words_of(entry))],
        "rejection": _shown_rejection(rejection, language) if rejection and state is State.REJECTED else None,
        "public_summary": issue.public_summary if state is State.CLOSED else None,
        "photos": [_shown_photo(link, complaint.tracking_code) for link in issue.photo_links if may_see_photo(link, state)],
        "rating": rating, "can_add_photos": state not in ENDED,
        "can_rate": state is State.CLOSED and (rating is None or rating.closing != issue.reopened_times),
    }  # fmt: skip


def may_see_photo(link: IssuePhoto, state: str) -> bool:
    """Tell whether the public may see a photo of an issue in `state`: before at once, after when it was checked."""
    return link.kind == "before" or (link.kind == "after" and state in _SHOWS_AFTER)


def shown_office(region: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the river chief office of a region `{code, name}` as the public reads it."""
    return {"code": region["code"], "name": _OFFICE.format(region=region["name"]).in_language(language)}


def _words_of(entry: HistoryEntry) -> Text | None:
    """Return what the public reads of a history entry, None when it is no affair of theirs."""
    if entry.from_state is None:
        return _RECEIVED
    if entry.verb == ADD_PHOTOS:
        return _PHOTOS_ADDED
    if entry.verb not in set(Verb):
        return None
    step = find_step(State(entry.from_state), Verb(entry.verb))
    return step.public_text if step else None


def _due_at(issue: Issue) -> datetime | None:
    return None if issue.state in NEVER_DUE else issue.due_at


def _shown_reach(issue: Issue) -> dict[str, str] | None:
    return {"code": issue.reach.code, "name": issue.reach.name} if issue.reach else None


def _shown_post(issue: Issue, language: str) -> dict[str, str] | None:
    if issue.lead is None:
        return None
    return {"title": issue.lead.title or _SOMEBODY.in_language(language), "region": issue.lead.region.name}


def _shown_rejection(entry: HistoryEntry, language: str) -> dict[str, str]:
    ground = GROUNDS.get(entry.ground or "")
    return {"ground": ground.in_language(language) if ground else "", "reason": entry.reason or ""}


def _shown_photo(link: IssuePhoto, code: str) -> dict[str, Any]:
    address = f"/api/v1/public/complaints/{code}/photos/{link.photo_id}"
    ready = link.photo.derived_at is not None and link.photo.broken is None
    return {"id": link.photo_id, "kind": link.kind, "ready": ready, "thumb": f"{address}/thumb", "screen": f"{address}/screen"}
