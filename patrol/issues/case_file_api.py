"""Case files over HTTP: given as PDF and JSON, and verified, by whoever holds one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from patrol.evidence.derivation import photo_store
from patrol.evidence.storage import rendition_key
from patrol.foundation import clock
from patrol.foundation.errors import Invalid, NotFound, Unavailable
from patrol.foundation.http import MULTIPART, UploadedFile, answer
from patrol.foundation.json_safety import LARGEST_JSON_BYTES
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read
from patrol.issues import queries
from patrol.issues.api import room, settings
from patrol.issues.case_file import JSON, PDF, case_file_of, names_in, remember_issued
from patrol.issues.case_file_checking import PDF_MARK, Verdict, standing_of, verify_file
from patrol.issues.case_file_fonts import font_file, font_named
from patrol.issues.case_file_pdf import LABELS, Sheet, pdf_of
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, SOURCE_NAME, Severity, Source
from patrol.issues.escalating import rung_names
from patrol.issues.history import PART_LATE, PART_LATE_NAME
from patrol.issues.lifecycle import STATE_NAME, State, Verb
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.reading import Reader, step_name
from patrol.people.actions import note_audit
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

PDF_TYPE = "application/pdf"
MOST_PHOTOS = 24
_REFUSED_BY = {Verb.RETURN.value: "returned", Verb.REOPEN.value: "reopened"}
# A PDF holds up to `MOST_PHOTOS` photos of the size for screens.
LARGEST_PDF_BYTES = 24 * 1024 * 1024
_NEVER_WRITTEN = Text("本系统从未写下这个哈希：案卷不是本系统的，或已被改动", "This system never wrote this hash: the case file is not its own, or was changed")
_GENUINE = Text("案卷属实，历史完好。", "The case file is genuine and its history intact.")
_COMPARE = Text("请核对纸面内容与下列各项是否一致。", "Compare what the paper says with the facts below.")
_RENAMED = Text("签发之后改过编号的有：{names}。", "Renamed since it was given out: {names}.")
_NEWER = Text("案卷属实；之后又有 {newer} 条新记录。", "The case file is genuine; {newer} entries came after it.")
_BROKEN = Text("历史有误：{fault}", "The history is not what was written: {fault}")
_FORGED = Text("历史完好，但案卷中的这些内容与系统不符：{names}", "The history is intact, but these facts of the file are not this system's: {names}")
_NOT_ISSUED = Text(
    "这份文件不是本系统签发的，或签发后被改动。请向河长办索取新的案卷。",
    "This system did not give out this file, or it was changed since: ask the office for a new one.",
)
_CHANGED = Text(
    "这份文件带有 {number} 案卷（至第 {seq} 条）的标记，但签发后被改动。请以系统为准。",
    "The file bears the mark of the case file of {number} up to entry {seq}, but was changed since it was given out.",
)
_FOREIGN = Text("案卷本身前后一致，但本系统没有这条历史。", "The file agrees with itself, but this system has no such history.")
_TOO_LARGE = Text("案卷不得超过 {most} MB", "A case file has at most {most} MB")


class CaseFileIn(ma.Schema):
    file = UploadedFile(required=True, metadata={"description": "A case file (JSON or PDF).", "type": "string", "format": "binary"})


class FactOut(ma.Schema):
    label = ma.fields.String(required=True, metadata={"example": "严重程度"})
    value = ma.fields.String(required=True, metadata={"example": "一般"})


class VerdictOut(ma.Schema):
    genuine = ma.fields.Boolean(required=True, metadata={"description": "Sound, and this system's own.", "example": True})
    number = ma.fields.String(required=True, allow_none=True, metadata={"example": "XH0000123"})
    seq = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "The last entry of the file; null for a PDF that nothing is known of."})
    newer = ma.fields.Integer(required=True, metadata={"description": "Entries written since."})
    changed = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "The facts in the file that are not this system's.", "example": []})
    renamed = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "The places in the file that the register calls otherwise by now: no fault of the file.", "example": []})
    text = ma.fields.String(required=True, metadata={"example": "案卷属实，历史完好。"})
    facts = ma.fields.List(ma.fields.Nested(FactOut), required=True, metadata={
        "description": "Of a printed hash: what the paper must say, to be compared by eye. Nothing about people."})


def _shown(verdict: Verdict) -> dict[str, Any]:
    text = _words_for(verdict).in_language(language())
    if verdict.genuine and verdict.renamed:
        text += " " * (language() == "en") + _RENAMED.format(names=", ".join(verdict.renamed)).in_language(language())
    return {
        "genuine": verdict.genuine, "number": verdict.number, "seq": verdict.seq, "newer": verdict.newer,
        "changed": list(verdict.forged), "renamed": list(verdict.renamed), "text": text, "facts": _facts_shown(verdict.facts),
    }  # fmt: skip


def _facts_shown(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return in the reader's words what a paper must say, by the labels that it says it with."""
    names: dict[str, Callable[[Any], Text]] = {
        "state": lambda value: STATE_NAME[State(value)], "category": lambda value: Text(*(f"{value} {name}" for name in CATEGORIES[value].name)),
        "severity": lambda value: SEVERITY_NAME[Severity(value)], "source": lambda value: SOURCE_NAME[Source(value)],
        "received_at": _as_local, "dispatched_at": _as_local, "rectified_at": _as_local, "closed_at": _as_local,
        "public_summary": lambda value: Text(value, value),
    }  # fmt: skip
    labels = dict(LABELS)
    return [
        {"label": labels[name].in_language(language()), "value": words(facts[name]).in_language(language())}
        for name, words in names.items() if facts.get(name)
    ]  # fmt: skip


def _as_local(moment: str) -> Text:
    said = clock.local_words(datetime.fromisoformat(moment), settings().timezone)
    return Text(said, said)


def _words_for(verdict: Verdict) -> Text:
    if verdict.fault is not None:
        return _BROKEN.format(fault=verdict.fault.text)
    if verdict.forged:
        return _FORGED.format(names=", ".join(verdict.forged))
    if verdict.marked:
        return _CHANGED.format(number=verdict.number, seq=verdict.seq)
    if not verdict.issued:
        return _NOT_ISSUED
    if not verdict.known:
        return _FOREIGN
    return _NEWER.format(newer=verdict.newer) if verdict.newer else _GENUINE


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
    remember_issued(data, JSON)
    response = answer(data)
    response.headers.update(_named(issue, "json"))
    return response


@room.route("/issues/<uuid:issue_id>/case-file.pdf", may=P.EXPORT_ISSUES, refuses=(403,), writes=True)
@room.response(200, {"type": "string", "format": "binary"}, content_type=PDF_TYPE)
def case_file_as_pdf(issue_id: UUID) -> Response:
    """Give a case on paper: facts, photos, history with hashes, and a QR code to verify it."""
    issue, data = _case_file(issue_id)
    origin = (settings().public_url or request.host_url).rstrip("/")
    photos = [
        (_kind_of(link, data), link.seq, link.photo.sha256, _screen_of(link.photo.sha256), link.hidden_seq is not None)
        for link in issue.photo_links[:MOST_PHOTOS]
    ]
    place = f"{issue.region.name} {issue.reach.name if issue.reach else ''}".strip()
    sheet = Sheet(
        data, place, step_name, photos, f"{origin}/verify/{issue_id}/{issue.history_hash}", PDF_MARK.format(id=data["file"]), language(),
        settings().timezone, font_named(font_file(settings().pdf_font)), rung_names() | {PART_LATE: PART_LATE_NAME},
        names_in(data),
    )  # fmt: skip
    content = pdf_of(sheet)
    remember_issued(data, PDF, content)
    return Response(content, mimetype=PDF_TYPE, headers=_named(issue, "pdf"))


def _kind_of(link: IssuePhoto, data: dict[str, Any]) -> str:
    """Return what a photo is on paper: one of a cure is told apart by the step that refused it since, `returned` or `reopened`."""
    undone = (_REFUSED_BY.get(entry["verb"]) for entry in data["entries"] if entry["seq"] > link.seq)
    return next(filter(None, undone), link.kind) if link.kind == "after" else link.kind


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
    content = data["file"].stream.read(LARGEST_PDF_BYTES + 1)
    most = LARGEST_JSON_BYTES if content.lstrip().startswith(b"{") else LARGEST_PDF_BYTES
    if len(content) > most:
        fault = _TOO_LARGE.format(most=most // 2**20)
        raise Invalid(fault, errors={"file": [fault]})
    return answer(_shown(verify_file(content)))


@room.route("/case-files/<uuid:issue_id>/<string:entry_hash>", may=None, refuses=(429,))
@public_read
@room.response(200, VerdictOut)
def verify_printed(issue_id: UUID, entry_hash: str) -> Response:
    """Say whether the last hash on a printed case file stands in this system's history: what its QR code asks."""
    verdict = standing_of(issue_id, entry_hash)
    if verdict is None:
        raise NotFound(_NEVER_WRITTEN)
    shown = _shown(verdict)
    if verdict.facts and verdict.fault is None:
        shown["text"] += " " * (language() == "en") + _COMPARE.in_language(language())
    return answer(shown)
