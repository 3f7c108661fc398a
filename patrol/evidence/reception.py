"""Photos at the HTTP door, for all rooms: files of a form into the store, stored files into an answer."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from flask import Response, current_app, request
from werkzeug.datastructures import FileStorage

from patrol.evidence.actions import StoredPhoto, store_photo
from patrol.evidence.derivation import photo_store
from patrol.evidence.models import Photo
from patrol.evidence.storage import original_key, rendition_key
from patrol.foundation.errors import Invalid, NotFound, TooLarge, Unavailable, UnsupportedKind
from patrol.foundation.json_safety import body_up_to
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text

_OF_FILE = Text("第 {number} 张（{name}）：{fault}", "Photo {number} ({name}): {fault}")
_BROKEN = Text("这张照片无法显示：{why}", "This photo cannot be drawn: {why}")
_NOT_YET = Text("照片正在处理，请稍后再看", "The photo is being processed: look again in a moment")
_NO_SIZE = Text("没有这种尺寸，可用：thumb、screen、original", "There is no such size; there are thumb, screen and original")
_BAD_DIGEST = Text("摘要格式不对", "The digest is malformed")
_OTHER_DIGEST = Text(
    "收到的内容与摘要不符（可能上传中断），请重新上传", "What arrived does not match the digest (the upload broke?): send it again"
)


def store_uploads(files: Iterable[FileStorage]) -> list[StoredPhoto]:
    """Store the files of a form durably, in order. Call it before the first query; a repeated request reads them anew.

    A refusal (413, 415, 422) names the file at its field, by its place among the files and its name.
    """
    stored = []
    for number, file in enumerate(files, 1):
        file.stream.seek(0)
        try:
            stored.append(store_photo(file.stream, store=photo_store(), most_bytes=most_photo_bytes()))  # type: ignore[arg-type]
        except (TooLarge, UnsupportedKind, Invalid) as refusal:
            fault = _OF_FILE.format(number=number, name=_printable(file.filename or ""), fault=refusal.detail)
            refusal.errors = {file.name or "photos": [fault]}
            raise
    return stored


def _printable(name: str) -> str:
    """Return a file's name as it may be shown: nothing that turns or breaks the line, at most 60 characters."""
    return "".join(filter(str.isprintable, name))[:60] or "?"


def store_body() -> StoredPhoto:
    """Store the request's raw body as a photo."""
    return store_photo(body_up_to(most_photo_bytes()), store=photo_store(), most_bytes=most_photo_bytes())


def refuse_other_digest(stored: StoredPhoto, sha256: str | None) -> None:
    """Raise Invalid (422) when the caller named a digest, here or in a header, that what arrived does not have."""
    wanted = sha256.lower() if sha256 else _digest_header()
    if wanted is not None and wanted != stored.sha256:
        raise Invalid(_OTHER_DIGEST, errors={"sha256": [_OTHER_DIGEST]}, digest_sent=wanted, digest_received=stored.sha256)


def _digest_header() -> str | None:
    """Return the SHA-256 of `Digest: sha-256=…` or `Content-Digest: sha-256=:…:`, in hexadecimal digits."""
    for name in ("Content-Digest", "Digest"):
        for part in request.headers.get(name, "").split(","):
            algorithm, _, value = part.strip().partition("=")
            if algorithm.lower() == "sha-256":
                try:
                    return base64.b64decode(value.strip(":"), validate=True).hex()
                except (binascii.Error, ValueError) as error:
                    raise Invalid(_BAD_DIGEST, errors={"sha256": [_BAD_DIGEST]}) from error
    return None


def send_size(photo: Photo, size: str, *, publicly: bool = False) -> Response:
    """Return the answer with one size of a photo: `thumb`, `screen`, or the untouched `original`.

    What is sent `publicly` may be hidden the next moment: nobody's browser keeps it without asking again each time.
    Raises NotFound for other sizes and broken images, Unavailable (503, Retry-After) while the worker is not through.
    """
    if size == "original":
        return _sent(original_key(photo.sha256), photo.media_type)
    if size not in {"thumb", "screen"}:
        raise NotFound(_NO_SIZE)
    if photo.broken:
        raise NotFound(_BROKEN.format(why=photo.broken))
    if photo.derived_at is None:
        raise Unavailable(_NOT_YET, retry_after_s=2)
    if not publicly:
        return _sent(rendition_key(photo.sha256, size), "image/jpeg")
    tag = f"{photo.sha256[:32]}-{size}"
    response = Response(status=304) if request.if_none_match.contains(tag) else _sent(rendition_key(photo.sha256, size), "image/jpeg")
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(tag)
    return response


def _sent(key: str, media_type: str) -> Response:
    stream = photo_store().open_stream(key)
    response = Response(stream.chunks, mimetype=media_type)
    response.content_length = stream.size_bytes
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Disposition"] = "inline"
    return response


def most_photo_bytes() -> int:
    """Return how large a photo's file may be."""
    settings: Settings = current_app.extensions["settings"]
    return int(settings.max_photo_mb) * 1_000_000


def shown_photo(photo: Photo) -> dict[str, Any]:
    """Return what `PhotoOut` shows of a photo."""
    return {
        "exif": {
            "local_time": photo.exif_local_time, "taken_at": photo.exif_taken_at, "latitude": photo.exif_latitude,
            "longitude": photo.exif_longitude, "camera": photo.exif_camera, "software": photo.exif_software,
        },
        "ready": photo.derived_at is not None and photo.broken is None,
        **{name: getattr(photo, name) for name in (
            "id", "sha256", "media_type", "size_bytes", "width", "height", "kind", "recorded_at", "received_at", "latitude",
            "longitude", "from_gallery", "broken")},
    }
