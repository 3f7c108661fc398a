"""Case files over HTTP: given as PDF and JSON, and verified, by whoever holds one."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from patrol.evidence.derivation import photo_store
from patrol.evidence.storage import rendition_key
from patrol.foundation.errors import Invalid, NotFound, Unavailable
from patrol.foundation.http import MULTIPART, UploadedFile
from patrol.foundation.json_safety import LARGEST_JSON_BYTES, parse_json
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read
from patrol.issues import queries
from patrol.issues.api import answer, room, settings
from patrol.issues.case_file import Verdict, case_file_of, standing_of, verify_case_file
from patrol.issues.case_file_pdf import Sheet, pdf_of
from patrol.issues.models import Issue
from patrol.issues.reading import Reader, step_name
from patrol.people.actions import note_audit
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

PDF = "application/pdf"
MOST_PHOTOS = 24
_NEVER_WRITTEN = Text("本系统从未写下这个哈希：案卷不是本系统的，或已被改动", "This system never wrote this hash: the case file is not its own, or was changed")
_GENUINE = Text("案卷属实，历史完好。", "The case file is genuine and its history intact.")
_NEWER = Text("案卷属实；之后又有 {newer} 条新记录。", "The case file is genuine; {newer} entries came after it.")
_BROKEN = Text("历史有误：{fault}", "The history is not what was written: {fault}")
_FORGED = Text("历史完好，但案卷中的这些内容与系统不符：{names}", "The history is intact, but these facts of the file are not this system's: {names}")
_FOREIGN = Text("案卷本身前后一致，但本系统没有这条历史。", "The file agrees with itself, but this system has no such history.")
_TOO_LARGE = Text("案卷不得超过 {most} MB", "A case file has at most {most} MB")


class CaseFileIn(ma.Schema):
    file = UploadedFile(required=True, metadata={"description": "A case file (JSON).", "type": "string", "format": "binary"})


class VerdictOut(ma.Schema):
    genuine = ma.fields.Boolean(required=True, metadata={"description": "Sound, and this system's own.", "example": True})
    number = ma.fields.String(required=True, allow_none=True, metadata={"example": "XH0000123"})
    seq = ma.fields.Integer(required=True, metadata={"description": "The last entry of the file."})
    newer = ma.fields.Integer(required=True, metadata={"description": "Entries written since."})
    text = ma.fields.String(required=True, metadata={"example": "案卷属实，历史完好。"})


def _shown(verdict: Verdict) -> dict[str, Any]:
    if verdict.fault is not None:
        text = _BROKEN.format(fault=verdict.fault.text)
    elif verdict.forged:
        text = _FORGED.format(names=", ".join(verdict.forged))
    elif not verdict.known:
        text = _FOREIGN
    else:
        text = _NEWER.format(newer=verdict.newer) if verdict.newer else _GENUINE
    return {
        "genuine": verdict.known and verdict.fault is None and not verdict.forged, "number": verdict.number, "seq": verdict.seq, "newer": verdict.newer,
        "text": text.in_language(language()),
    }  # fmt: skip


def _case_file(issue_id: UUID) -> tuple[Issue, dict[str, Any]]:
    actor = current_actor()
    issue = queries.get_issue(actor, issue_id)
    data = case_file_of(issue, Reader.of(actor, settings().timezone))
    note_audit(actor, "export_case_file", str(issue_id), seq=issue.version)
    return issue, data


def _named(issue: Issue, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{issue.number}.{ending}"'}


@room.route("/issues/<uuid:issue_id>/case-file.json", may=P.EXPORT_ISSUES, refuses=(403,), writes=True)
@room.response(200, {"type": "object"})
def case_file_as_json(issue_id: UUID) -> Response:
    """Give a case with every entry of its hash chain, to keep elsewhere and to verify later."""
    issue, data = _case_file(issue_id)
    response = answer(data)
    response.headers.update(_named(issue, "json"))
    return response


@room.route("/issues/<uuid:issue_id>/case-file.pdf", may=P.EXPORT_ISSUES, refuses=(403,), writes=True)
@room.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
def case_file_as_pdf(issue_id: UUID) -> Response:
    """Give a case on paper: facts, photos, history with hashes, and a QR code to verify it."""
    issue, data = _case_file(issue_id)
    origin = (settings().public_url or request.host_url).rstrip("/")
    photos = [(link.kind, link.photo.sha256, _screen_of(link.photo.sha256)) for link in issue.photo_links[:MOST_PHOTOS]]
    place = f"{issue.region.name} {issue.reach.name if issue.reach else ''}".strip()
    sheet = Sheet(
        data, place, step_name, photos, f"{origin}/verify/{issue_id}/{issue.history_hash}", language(), settings().timezone
    )
    return Response(pdf_of(sheet), mimetype=PDF, headers=_named(issue, "pdf"))


def _screen_of(sha256: str) -> bytes | None:
    """Return a photo's size for screens; None while the worker has not drawn it: the paper then shows its digest alone."""
    try:
        return photo_store().read(rendition_key(sha256, "screen"))
    except (NotFound, Unavailable, FileNotFoundError):
        return None


@room.route("/case-files/verify", may=None, methods=("POST",), writes=False, refuses=(400, 413, 415, 429))
@public_read
@room.arguments(CaseFileIn, location=MULTIPART)
@room.response(200, VerdictOut)
def verify_uploaded(data: dict[str, Any]) -> Response:
    """Say whether a case file that somebody holds is what was written, and whether it is this system's."""
    content = data["file"].stream.read(LARGEST_JSON_BYTES + 1)
    if len(content) > LARGEST_JSON_BYTES:
        fault = _TOO_LARGE.format(most=LARGEST_JSON_BYTES // 2**20)
        raise Invalid(fault, errors={"file": [fault]})
    return answer(_shown(verify_case_file(parse_json(content))))


@room.route("/case-files/<uuid:issue_id>/<string:entry_hash>", may=None, refuses=(429,))
@public_read
@room.response(200, VerdictOut)
def verify_printed(issue_id: UUID, entry_hash: str) -> Response:
    """Say whether the last hash on a printed case file stands in this system's history: what its QR code asks."""
    verdict = standing_of(issue_id, entry_hash)
    if verdict is None:
        raise NotFound(_NEVER_WRITTEN)
    return answer(_shown(verdict))
