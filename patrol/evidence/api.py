"""Photos over HTTP."""

from typing import Any
from uuid import UUID

from flask import Response, request

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.models import Photo
from patrol.evidence.queries import get_photo, photo_links
from patrol.evidence.reception import refuse_other_digest, send_size, shown_photo, store_body, store_uploads
from patrol.evidence.schemas import PhotoBodyArgs, PhotoFormIn, PhotoOut
from patrol.foundation.errors import NotAllowed, UnsupportedKind
from patrol.foundation.http import MULTIPART, Room
from patrol.foundation.texts import Text
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

_IMAGE_CONTENT = {f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("jpeg", "png", "webp", "heic")}
room = Room("evidence", __name__, url_prefix="/api/v1", description="Photographs")
_NEEDS_IMAGE = Text("请以 image/* 类型发送照片内容", "Send the photo's bytes with a Content-Type of image/*")
_NO_ORIGINALS = Text("您的角色不能查看原始照片", "Your roles do not include seeing original photos")
_CITIZENS_ORIGINAL = Text(
    "这是市民的照片，原始文件可能暴露拍摄人，因此不公开：只有受理或复核问题的人员（河长办 office、督察 supervisor）可以查看；请改用 screen",
    "This is a citizen's photo, whose original is hidden because it could give its sender away: only who receives or reviews issues may see it "
    "(roles `office` and `supervisor`); take `screen` instead",
)


def _may_see_original(photo: Photo) -> bool:
    """Tell whether the caller may see the untouched file and what it says of its camera, place and time.

    A citizen's photo could give its sender away: only those who receive or review issues see it whole.
    """
    actor = current_actor()
    if photo.owner_id is None:
        return actor.may(P.RECEIVE_ISSUE) or actor.may(P.REVIEW_ISSUE)
    return photo.owner_id == actor.person_id or actor.may(P.SEE_ORIGINAL_PHOTOS)


def _shown(photo: Photo) -> dict[str, Any]:
    shown = {**shown_photo(photo), **photo_links(photo.id)}
    if photo.owner_id is None and not _may_see_original(photo):
        shown["exif"] = dict.fromkeys(shown["exif"])
    return shown


def _recorded(stored: StoredPhoto, photo_id: UUID | None, facts: dict[str, Any]) -> tuple[dict[str, Any], int]:
    photo, is_new = record_photo(stored, photo_id=photo_id, owner_id=current_actor().person_id, **facts)
    return _shown(photo), 201 if is_new else 200


@room.route("/photos", may=P.ADD_PHOTOS, methods=("POST",), refuses=(409,))
@room.arguments(PhotoFormIn, location=MULTIPART)
@room.response(201, PhotoOut)
@room.alt_response(200, schema=PhotoOut, description="It was here already", success=True)
def add_photo(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Send a photo as a form."""
    file, photo_id = data.pop("file"), data.pop("id")
    [stored] = store_uploads([file])
    return _recorded(stored, photo_id, data)


@room.route("/photos/<uuid:photo_id>", may=P.ADD_PHOTOS, methods=("PUT",), refuses=(409,))
@room.arguments(PhotoBodyArgs, location="query")
@room.response(201, PhotoOut)
@room.alt_response(200, schema=PhotoOut, description="It was here already", success=True)
@room.doc(requestBody={"required": True, "content": _IMAGE_CONTENT})
def put_photo(args: dict[str, Any], photo_id: UUID) -> tuple[dict[str, Any], int]:
    """Send a photo's bytes under an id of one's own."""
    if not request.mimetype.startswith("image/"):
        raise UnsupportedKind(_NEEDS_IMAGE)
    sha256 = args.pop("sha256")
    stored = store_body()
    refuse_other_digest(stored, sha256)
    return _recorded(stored, photo_id, args)


@room.route("/photos/<uuid:photo_id>", may=P.SEE_PHOTOS)
@room.response(200, PhotoOut)
def show_photo(photo_id: UUID) -> dict[str, Any]:
    """Show what is known of a photo."""
    return _shown(get_photo(current_actor(), photo_id))


@room.route("/photos/<uuid:photo_id>/<size>", may=P.SEE_PHOTOS)
@room.response(200, {"type": "string", "format": "binary"}, content_type="image/jpeg")
@room.doc(responses={200: {"content": _IMAGE_CONTENT}})
def show_photo_size(photo_id: UUID, size: str) -> Response:
    """Give a photo's picture: `thumb` (320 px), `screen` (1600 px), or the `original` as it was sent."""
    photo = get_photo(current_actor(), photo_id)
    if size == "original" and not _may_see_original(photo):
        raise NotAllowed(_CITIZENS_ORIGINAL if photo.owner_id is None else _NO_ORIGINALS)
    return send_size(photo, size)
