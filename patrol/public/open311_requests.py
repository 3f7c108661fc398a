"""How an issue reads over Open311: open or closed, in plain words, without anything personal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.due import WITHOUT_DUE
from patrol.issues.grounds import GROUNDS
from patrol.issues.lifecycle import ENDED, STATE_PUBLIC_TEXT, State
from patrol.issues.models import HistoryEntry, Issue
from patrol.public.open_data import POSITION_DECIMALS
from patrol.public.progress import is_open_photo, shown_office, words_of_step

LONGEST_RANGE = timedelta(days=90)
"""GeoReport v2: a list spans at most 90 days, and so much when nothing is asked."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)

_TOO_LONG = Text("时间范围最长 90 天", "The range may not exceed 90 days")
_BACKWARDS = Text("end_date 不得早于 start_date", "end_date may not lie before start_date")
_ORIGINAL = Text("原件编号：{number}。", "The original is {number}.")
_ELSEWHERE = frozenset({"not_a_water_matter", "outside_district", "other_authority"})

# The words of mySociety's extension. What is rectified waits for somebody else's check, and so is still in progress.
_UPDATE_STATUS: dict[State, str] = {
    State.SUBMITTED: "open", State.ACCEPTED: "open", State.DISPATCHED: "open", State.IN_PROGRESS: "in_progress",
    State.RECTIFIED: "in_progress", State.VERIFIED: "in_progress", State.SUSPENDED: "planned", State.CLOSED: "closed",
    State.REJECTED: "no_further_action", State.MERGED: "duplicate",
}  # fmt: skip


def range_of(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the range to list: 90 days where one end or both are left out. Raises Invalid (422) for a longer one."""
    if start is None:
        end = end or now
        start = end - min(LONGEST_RANGE, end - _EARLIEST)
    end = end or (now if now - start <= LONGEST_RANGE else start + LONGEST_RANGE)
    if end < start:
        raise Invalid(_BACKWARDS, errors={"end_date": [_BACKWARDS]})
    if end - start > LONGEST_RANGE:
        raise Invalid(_TOO_LONG, errors={"end_date": [_TOO_LONG]})
    return start, end


def shown_request(
    issue: Issue, *, last_at: datetime, ground: str | None, own: bool, language: str, timezone: str,
    photo_address: Callable[[Any], str],
) -> dict[str, Any]:  # fmt: skip
    """Return an issue, its reach and photos loaded, as a service request.

    `own` tells that the partner asking sent it: then its text and exact place are its own words. Others read our
    words and the place as the open map has it. `ground` is of the rejection, if it was rejected.
    """
    state, decimals = State(issue.state), 6 if own else POSITION_DECIMALS
    name, reach = CATEGORIES[issue.category].name.in_language(language), issue.reach
    photo = next((link for link in issue.photo_links if is_open_photo(link, state) and link.photo.derived_at and not link.photo.broken), None)

    def moment(at: datetime) -> str:
        return at.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")

    return {
        "service_request_id": issue.number, "status": "closed" if state in ENDED else "open",
        "status_notes": _notes(issue, ground, language), "service_name": name, "service_code": issue.category,
        "description": issue.description if own else f"{name} · {reach.name}" if reach else name,
        "agency_responsible": shown_office(issue.routing["office"], language)["name"], "service_notice": None,
        "requested_datetime": moment(issue.received_at), "updated_datetime": moment(issue.closed_at or last_at),
        "expected_datetime": None if state in WITHOUT_DUE else moment(issue.due_at),
        "address": reach.name if reach else None, "address_id": None, "zipcode": None,
        "lat": round(issue.latitude, decimals), "long": round(issue.longitude, decimals),
        "media_url": photo_address(photo.photo_id) if photo else None,
    }  # fmt: skip


def _notes(issue: Issue, ground: str | None, language: str) -> str:
    state = State(issue.state)
    more = issue.public_summary if state is State.CLOSED else None
    if issue.merged_into is not None:
        more = _ORIGINAL.format(number=issue.merged_into.number).in_language(language)
    if state is State.REJECTED and ground in GROUNDS:
        more = GROUNDS[ground].in_language(language)
    return " ".join(filter(None, (STATE_PUBLIC_TEXT[state].in_language(language), more)))


def shown_update(
    entry: HistoryEntry, number: str, state: str, proof: Any, *, language: str, timezone: str, photo_address: Callable[[Any], str]
) -> dict[str, Any]:
    """Return a step in the history of issue `number`, which now stands in `state`, as an update.

    `proof` is the photo of the cure that the step brought, None where that was refused since.
    """
    words = words_of_step(entry)
    to_state = State(entry.to_state)
    status = "not_councils_responsibility" if entry.ground in _ELSEWHERE else _UPDATE_STATUS[to_state]
    return {
        "update_id": str(entry.id), "service_request_id": number, "status": status,
        "updated_datetime": entry.at.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds"),
        "description": words.in_language(language) if words else "",
        "media_url": photo_address(proof) if proof and state in {State.VERIFIED, State.CLOSED} else None, "external_status_code": entry.to_state,
    }  # fmt: skip
