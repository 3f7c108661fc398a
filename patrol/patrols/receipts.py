"""Receipts: what a phone may delete, told of check-ins and tracks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.queries import ArrivedPhoto, arrived_photos
from patrol.foundation.database import db
from patrol.foundation.lengths import length
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.issues.routing import UNKNOWN_ACCURACY_M
from patrol.patrols.amounts import lasting
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.fixes import REASONS
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.window import is_ahead
from patrol.waters.models import Reach

_SOMEBODY_ELSES = Text("这个编号下已有他人的照片，请换用新编号", "Somebody else's photo has this id: send yours under a new one")
_OTHER_CONTENT = Text("这个编号下的照片与所报摘要不符", "The photo with this id is not the one whose digest was announced")


_AHEAD = Text(
    "所记时间比服务器收到时晚约 {lasting}：照样保存，并列为发现（clock_future）；请检查手机的日期、时间和时区",
    "It is recorded about {lasting} after the server received it: it is kept, with the finding `clock_future`; check the phone's date, time and zone",
)
_COUNTS_NOT = Text(
    "{why}。只有各批轨迹的发送时间（sent_at）一致说明手机时钟快了多少时，才按校正后的日期计入巡河任务，否则不计",
    "{why}. It counts for a duty, on the corrected day, only where the times of sending of its track (`sent_at`) agree on how far the clock is ahead",
)


_AHEAD_ISSUE = Text(
    "所记时间比服务器收到时晚约 {lasting}：照样保存；请检查手机的日期、时间和时区",
    "It is recorded about {lasting} after the server received it: it is kept; check the phone's date, time and zone",
)
_FAR = Text(
    "签到位置距所填河段约 {distance}：照样保存；请核对河段是否选对、手机定位是否准确",
    "The check-in is about {distance} from the reach that it names: it is kept; check whether it is the right reach, and what the phone takes for its position",
)


def patrol_receipt(patrol: Patrol, is_new: bool) -> dict[str, Any]:
    """Return the receipt of a patrol's beginning."""
    return plain_receipt(is_new) | _with(_ahead(patrol.started_at, patrol.received_at, _COUNTS_NOT.format(why=_AHEAD)))


def issue_receipt(issue: Issue, is_new: bool) -> dict[str, Any]:
    """Return the receipt of a report in a phone's queue; its clock is told of as that of a check-in is."""
    return plain_receipt(is_new) | _with(_ahead(issue.recorded_at, issue.received_at, _AHEAD_ISSUE))


def _with(notices: list[dict[str, str]]) -> dict[str, Any]:
    return {"notices": notices} if notices else {}


def _ahead(recorded_at: datetime, received_at: datetime, text: Text = _AHEAD) -> list[dict[str, str]]:
    """Return a notice of what was recorded in the future, nothing when it was not: it is kept, and said at once."""
    if not is_ahead(recorded_at, received_at):
        return []
    said = text.format(lasting=lasting((recorded_at - received_at).total_seconds()))
    return [{"code": "clock_future", "text": said.in_language(language())}]


def _far(row: CheckIn, tolerance_m: float) -> list[dict[str, str]]:
    """Return a notice of a check-in farther from its reach than routing tolerates and its accuracy explains: nothing is refused."""
    if row.distance_m is None or row.reach_id is None:
        return []
    sure_m = row.distance_m - (UNKNOWN_ACCURACY_M if row.accuracy_m is None else row.accuracy_m)
    # Only of the few that seem far it is asked whether their reach has a wider tolerance of its own.
    if sure_m <= tolerance_m or sure_m <= (db.session.scalar(select(Reach.tolerance_m).where(Reach.id == row.reach_id)) or 0.0):
        return []
    return [{"code": "far_from_reach", "text": _FAR.format(distance=length(round(row.distance_m))).in_language(language())}]


def plain_receipt(is_new: bool) -> dict[str, Any]:
    """Return the receipt of one thing that cannot be there in part."""
    return {"accepted": int(is_new), "duplicates": int(not is_new), "quarantined": [], "missing": []}


def check_in_receipt(row: CheckIn, is_new: bool, tolerance_m: float) -> dict[str, Any]:
    """Return the receipt of a check-in, its photos loaded: which of those announced are missing, which kept aside and why.

    `tolerance_m` is that of routing, beyond which, or beyond the reach's own, the check-in is said to be far from its reach.
    """
    there = arrived_photos(photo.photo_id for photo in row.photos)
    reasons = [why_kept_aside(photo, there.get(photo.photo_id), row) for photo in row.photos]
    pairs = list(zip(row.photos, reasons, strict=True))
    return {
        **plain_receipt(is_new), **_with([*_ahead(row.recorded_at, row.received_at), *_far(row, tolerance_m)]),
        "quarantined": [{"index": index, "photo_id": str(photo.photo_id), "reason": reason.in_language(language())}
                        for index, (photo, reason) in enumerate(pairs) if reason],
        "missing": [photo.photo_id for photo, reason in pairs if reason or photo.photo_id not in there],
    }


def checkpoint_receipt(row: CheckpointAnswer, is_new: bool, owner_id: UUID | None) -> dict[str, Any]:
    """Return the receipt of a checkpoint's answer: its photo is missing until the person's own is here."""
    named = [row.photo_id] if row.photo_id else []
    there = {photo_id for photo_id, photo in arrived_photos(named).items() if photo.owner_id == owner_id}
    return {**plain_receipt(is_new), "missing": [photo_id for photo_id in named if photo_id not in there]}


def track_receipt(batch: TrackBatch, is_new: bool) -> dict[str, Any]:
    """Return the receipt of a batch of fixes; of one sent again all usable fixes are duplicates."""
    usable = batch.sent - len(batch.quarantined)
    accepted = usable - batch.duplicates if is_new else 0
    return {
        "accepted": accepted, "duplicates": usable - accepted, "missing": [],
        "quarantined": [{"index": index, "code": code, "reason": REASONS[code].in_language(language())}
                        for index, code in batch.quarantined],
    }


def why_kept_aside(announced: CheckInPhoto, there: ArrivedPhoto | None, row: CheckIn) -> Text | None:
    """Return why what lies under an announced photo's id is not that photo, or None."""
    if there and there.owner_id != row.person_id:
        return _SOMEBODY_ELSES
    if there and announced.sha256 and there.sha256 != announced.sha256:
        return _OTHER_CONTENT
    return None
