"""Resumable uploads over HTTP, by tus 1.0 (https://tus.io/protocols/resumable-upload)."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from patrol.evidence.api import room
from patrol.evidence.models import Upload
from patrol.evidence.reception import most_photo_bytes
from patrol.evidence.tus import (
    ALGORITHMS,
    CHUNK_TYPE,
    EXTENSIONS,
    VERSION,
    checksum_in,
    http_date,
    number_in,
    refuse_other_type,
    refuse_other_version,
)
from patrol.evidence.upload_actions import begin_upload, discard
from patrol.evidence.upload_document import metadata_described
from patrol.evidence.upload_queries import durable_bytes, get_upload
from patrol.evidence.upload_reception import partial_files, photo_described, receive_chunk
from patrol.foundation.problems import PROBLEM_JSON, ProblemSchema
from patrol.foundation.transaction import transaction
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

_ADDRESS = "/uploads/<uuid:upload_id>"
_OVERRIDES = ("HEAD", "PATCH", "DELETE")
_CHUNK = {"content": {CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
# A code of tus itself, which HTTP's list does not have.
_mismatch = room.alt_response(460, schema=ProblemSchema, content_type=PROBLEM_JSON, description="The chunk does not match its checksum")


def _header(name: str, example: str, what: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "example": example, "description": what}


_RESUMABLE = _header("Tus-Resumable", VERSION, "The version of the protocol; another one is 412.")
_CHECKSUM = _header(
    "Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", f"Of this chunk: {' or '.join(ALGORITHMS)} and the digest in Base64; what does not match is 460.",
    required=False,
)  # fmt: skip
_OFFSET = _header("Upload-Offset", "0", "How many bytes are here by now, as the last answer or HEAD told; another number is 409.")
_CREATION = [
    _RESUMABLE, _CHECKSUM, _header("Upload-Length", "482113", "The size of the whole file in bytes."),
    _header(
        "Upload-Metadata", "photo_id MDE5M2Y3YTAtN2IxYS03Y2MwLWE0ZDgtNmMxZjA5YjNlMmQx,kind YmVmb3Jl", metadata_described(), required=False
    ),
]  # fmt: skip


@room.after_request
def speak_tus(response: Response) -> Response:
    """Give each answer about uploads the headers of the protocol."""
    if "/uploads" not in (request.url_rule.rule if request.url_rule else ""):
        return response
    if request.method == "OPTIONS":
        response.status_code = 204
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
        response.headers["Tus-Max-Size"] = str(most_photo_bytes())
    else:
        response.headers["Tus-Resumable"] = VERSION
    if response.status_code in {204, 412}:
        response.headers["Tus-Version"] = VERSION
    return response


@room.route("/uploads", may=P.ADD_PHOTOS, methods=("POST",), writes=False, refuses=(400, 404, 409, 410, 412, 413, 415, 422, 423))
@room.response(201, description="Begun; the address is in Location, the id under which the photo enters in Photo-Id")
@room.alt_response(200, description="The same was begun before", success=True)
@_mismatch
@room.doc(parameters=_CREATION, requestBody=_CHUNK)
def create_upload() -> Response:
    """Begin the upload of a photo; a body is its first chunk."""
    refuse_other_version(request.headers.get("Tus-Resumable"))
    brings = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if brings:
        refuse_other_type(request.mimetype)
    upload, is_new = _begun()
    if brings and upload.received_bytes == 0:
        receive_chunk(upload.id, by=current_actor(), offset=0, checksum=checksum_in(request.headers.get("Upload-Checksum")))
    response = _told(get_upload(current_actor(), upload.id), 201 if is_new else 200)
    response.headers["Location"] = f"{room.url_prefix}/uploads/{upload.id}"
    return response


def _begun() -> tuple[Upload, bool]:
    """Begin the upload that the headers describe. The transaction is its own, so that it does not wait for the body."""
    sent = request.headers.get("Upload-Metadata", "")
    checksum_in(request.headers.get("Upload-Checksum"))
    length, described = number_in("Upload-Length", request.headers.get("Upload-Length")), photo_described(sent)
    with transaction():
        return begin_upload(
            by=current_actor(), length_bytes=length, sent_metadata=sent, settings=current_app.extensions["settings"], **described
        )


@room.route(_ADDRESS, may=P.ADD_PHOTOS, methods=("HEAD",), writes=False, refuses=(410, 412))
@room.response(200, description="How far it is, in Upload-Offset; the photo's id in Photo-Id")
@room.doc(parameters=[_RESUMABLE])
def show_upload(upload_id: UUID) -> Response:
    """Tell how many bytes of an upload are durably here."""
    refuse_other_version(request.headers.get("Tus-Resumable"))
    get_upload(current_actor(), upload_id)
    partial_files().wait_for_writer(upload_id)
    upload = get_upload(current_actor(), upload_id)
    response = _told(upload, 200)
    if upload.sent_metadata:
        response.headers["Upload-Metadata"] = upload.sent_metadata
    return response


@room.route(_ADDRESS, may=P.ADD_PHOTOS, methods=("PATCH",), writes=False, refuses=(400, 409, 410, 412, 413, 415, 422, 423))
@room.response(204, description="Durable up to the new Upload-Offset; with the last chunk the photo of Photo-Id is in")
@_mismatch
@room.doc(parameters=[_RESUMABLE, _OFFSET, _CHECKSUM], requestBody={"required": True, **_CHUNK})
def continue_upload(upload_id: UUID) -> Response:
    """Add a chunk to an upload; with the last one the photo enters as by `PUT /photos/{id}`."""
    refuse_other_version(request.headers.get("Tus-Resumable"))
    refuse_other_type(request.mimetype)
    offset, checksum = number_in("Upload-Offset", request.headers.get("Upload-Offset")), checksum_in(request.headers.get("Upload-Checksum"))
    receive_chunk(upload_id, by=current_actor(), offset=offset, checksum=checksum)
    return _told(get_upload(current_actor(), upload_id), 204)


@room.route(_ADDRESS, may=P.ADD_PHOTOS, methods=("DELETE",), refuses=(410, 412, 423))
@room.response(204, description="It is gone; a photo that came of it stays")
@room.doc(parameters=[_RESUMABLE])
def end_upload(upload_id: UUID) -> Response:
    """Give up an upload and delete what came of it so far."""
    refuse_other_version(request.headers.get("Tus-Resumable"))
    upload, files = get_upload(current_actor(), upload_id), partial_files()
    with files.locked(upload.id):
        discard(upload.id)
        files.remove(upload.id)
    return Response(status=204)


@room.route(_ADDRESS, may=P.ADD_PHOTOS, methods=("POST",), writes=False, refuses=(400, 405, 409, 410, 412, 413, 415, 422, 423))
@room.response(204, description="As that method answers")
@room.alt_response(200, description="As HEAD answers", success=True)
@_mismatch
@room.doc(parameters=[_RESUMABLE, _header("X-HTTP-Method-Override", "PATCH", f"One of {', '.join(_OVERRIDES)}.")], requestBody=_CHUNK)
def override_method(upload_id: UUID) -> Response:
    """Do what X-HTTP-Method-Override says, for networks that let only GET and POST through."""
    views = dict(zip(_OVERRIDES, (show_upload, continue_upload, end_upload), strict=True))
    view = views.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if view is None:
        raise MethodNotAllowed(valid_methods=_OVERRIDES)
    response: Response = view(upload_id=upload_id)
    return response


def _told(upload: Upload, status: int) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(durable_bytes(upload, partial_files()))
    response.headers["Upload-Length"] = str(upload.length_bytes)
    response.headers["Photo-Id"] = str(upload.photo_id)
    if upload.finished_at is None:
        response.headers["Upload-Expires"] = http_date(upload.expires_at)
    return response
