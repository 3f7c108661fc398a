"""Uploads at the HTTP door: a chunk from the request to the disk, and what is whole into the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from uuid import UUID

import marshmallow as ma
from flask import current_app, request
from flask_smorest import abort
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from patrol.evidence.actions import store_photo
from patrol.evidence.derivation import photo_store
from patrol.evidence.models import Upload
from patrol.evidence.partial_files import PartialFiles, cut_to, write_all
from patrol.evidence.reception import most_photo_bytes, refuse_other_digest
from patrol.evidence.schemas import UploadMetadataIn
from patrol.evidence.tus import Checksum, ChecksumMismatch, metadata_in
from patrol.evidence.upload_actions import FACTS, discard, finish_upload, note_received
from patrol.evidence.upload_queries import durable_bytes, get_upload
from patrol.foundation.database import db
from patrol.foundation.errors import BadRequest, Conflict, Refusal, TooLarge, Unavailable
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.people.actor import Actor

# What a broken connection may take with it: the server hands over whole pieces only.
PIECE_BYTES = 16 * 1024
# Whoever sends nothing for so long has gone: the lock must not wait for a dead connection.
SILENCE_S = 30
_OTHER_OFFSET = Text("已收到 {there} 字节，请从那里继续", "{there} bytes are here: go on from there")
_TOO_LONG = Text("数据超出了所报的 Upload-Length", "There is more data than Upload-Length announced")
_MISMATCH = Text("这一块与其校验值不符，已丢弃，请重新发送", "This chunk does not match its checksum and was discarded: send it again")
_BROKEN = Text("连接中断，请用 HEAD 读取进度后继续", "The connection broke: ask for the offset by HEAD and go on")


def partial_files() -> PartialFiles:
    """Return the files of the uploads under way."""
    return PartialFiles(_settings().partial_uploads)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def photo_described(sent_metadata: str | None) -> dict[str, Any]:
    """Return what Upload-Metadata says of a photo: `photo_id`, `sha256` in lower case, `facts`. Faults in it are 400 or 422."""
    try:
        told = UploadMetadataIn().load(metadata_in(sent_metadata))
    except ma.ValidationError as error:
        abort(422, messages={"Upload-Metadata": error.messages})
    sha256 = told["sha256"] and told["sha256"].lower()
    return {"photo_id": told["photo_id"] or told["evidence_uuid"], "sha256": sha256, "facts": {name: told[name] for name in FACTS}}


def receive_chunk(upload_id: UUID, *, by: Actor, offset: int, checksum: Checksum | None) -> None:
    """Write the request's body at `offset` of an upload; what was acknowledged when this returns survives a loss of power.

    Without a checksum the bytes of a broken request are kept as far as they came, with one the chunk counts whole or not
    at all. The last byte counts when the photo is in: until then a client that asks is told that one byte is missing.

    Raises NotFound, Gone, Locked (423), Conflict (409) for another offset, TooLarge (413) beyond the announced length,
    ChecksumMismatch (460), Unavailable (503), and what `store_photo` refuses: then the upload is gone.
    """
    files = partial_files()
    get_upload(by, upload_id)
    with files.locked(upload_id) as file:
        upload = get_upload(by, upload_id)
        there, length, acknowledged, sent_metadata = durable_bytes(upload, files), upload.length_bytes, upload.received_bytes, upload.sent_metadata
        _refuse_offset(upload, there, offset)
        if there == length:
            return
        # The connection to the database is not kept waiting for the one to the phone.
        db.session.rollback()
        received, is_whole = _written(file, at=there, most=length - there, checksum=checksum)
        files.make_durable(file)
        if is_whole and there + received == length:
            _finish(upload_id, file, by=by, acknowledged=acknowledged, length=length, sent_metadata=sent_metadata)
            files.remove(upload_id)
            return
        with transaction():
            note_received(upload_id, before=acknowledged, now_there=min(there + received, length - 1), settings=_settings())
    if not is_whole:
        raise BadRequest(_BROKEN)


def _refuse_offset(upload: Upload, there: int, offset: int) -> None:
    if offset != there:
        raise Conflict(_OTHER_OFFSET.format(there=there), offset=there)
    if (request.content_length or 0) > upload.length_bytes - there:
        raise TooLarge(_TOO_LONG)


def _written(file: BinaryIO, *, at: int, most: int, checksum: Checksum | None) -> tuple[int, bool]:
    """Write the body behind the first `at` bytes; return how many bytes came, and whether the body came whole."""
    cut_to(file, at)
    digest, received, is_whole = checksum and checksum.started(), 0, True
    with _impatient():
        for piece in _pieces():
            if piece is None:
                is_whole = False
                break
            received += len(piece)
            if received > most:
                cut_to(file, at)
                raise TooLarge(_TOO_LONG)
            write_all(file, piece)
            if digest:
                digest.update(piece)
    if checksum and digest and (not is_whole or digest.digest() != checksum.digest):
        cut_to(file, at)
        raise ChecksumMismatch(_MISMATCH)
    return received, is_whole


def _pieces() -> Iterator[bytes | None]:
    """Give the body piece by piece, and None at the end of one that broke off."""
    while True:
        try:
            piece = request.stream.read(PIECE_BYTES)
        except (ClientDisconnected, ParseException, OSError):
            yield None
            return
        if not piece:
            return
        yield piece


@contextmanager
def _impatient() -> Iterator[None]:
    """Let reads of the request's connection fail after `SILENCE_S`, where the server lets us have it."""
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if connection is None:
        yield
        return
    usual = connection.gettimeout()
    connection.settimeout(SILENCE_S)
    try:
        yield
    finally:
        connection.settimeout(usual)


def _finish(upload_id: UUID, file: BinaryIO, *, by: Actor, acknowledged: int, length: int, sent_metadata: str) -> None:
    """Store the whole file and let the photo in; a file that is refused takes its upload with it."""
    described = photo_described(sent_metadata)
    try:
        file.seek(0)
        stored = store_photo(file, store=photo_store(), most_bytes=most_photo_bytes())
        refuse_other_digest(stored, described["sha256"])
        with transaction():
            finish_upload(upload_id, stored, by=by, facts=described["facts"])
    except Unavailable:
        with transaction():
            note_received(upload_id, before=acknowledged, now_there=length - 1, settings=_settings())
        raise
    except Refusal:
        with transaction():
            discard(upload_id)
        partial_files().remove(upload_id)
        raise
