"""The case file on paper: facts, photos, the history with its hashes, and a QR code that asks whether it is genuine."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

import segno

from patrol.foundation import clock
from patrol.foundation.lengths import length
from patrol.foundation.tables import without_controls
from patrol.foundation.texts import Text
from patrol.issues.case_file_words import RESULT_NAME, Names, changes_said
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, SOURCE_NAME, Severity, Source
from patrol.issues.grounds import GROUND_NAME
from patrol.issues.history import ESCALATE
from patrol.issues.lifecycle import STATE_NAME, State
from patrol.issues.system_words import reason_in_both
from patrol.people.departments import DEPARTMENTS

# A font is read by one thread at a time, and letters drawn by several would be mixed up.
_printing = Lock()
_TITLE = Text("河湖问题案卷", "Case file")
LABELS: tuple[tuple[str, Text], ...] = (
    ("number", Text("编号", "Number")), ("state", Text("状态", "State")), ("category", Text("类别", "Category")),
    ("severity", Text("严重程度", "Severity")), ("source", Text("来源", "Source")), ("place", Text("地点", "Place")),
    ("position", Text("坐标（WGS 84）", "Position (WGS 84)")), ("received_at", Text("收到时间", "Received")),
    ("description", Text("描述", "Description")), ("lead", Text("责任人", "Lead")),
    ("co_handlers", Text("协办", "Beside the lead")), ("dispatched_at", Text("派单时间", "Dispatched")),
    ("last_day", Text("期限", "Due by")),
    ("rectified_at", Text("整改完成时间", "Rectified")), ("closed_at", Text("结案时间", "Closed")), ("public_summary", Text("公开的办理结果", "Public summary")),
)  # fmt: skip
_PHOTOS, _HISTORY = Text("照片", "Photos"), Text("办理经过", "History")
_COLUMNS = (Text("序号", "No."), Text("时间", "Time"), Text("经手", "By"), Text("事项", "Step"), Text("说明", "Said"))
_KINDS = {
    "before": Text("整改前", "before"), "during": Text("整改中", "during"), "after": Text("整改后", "after"),
    "other": Text("反映人认为未整改到位", "called not fixed by the complainant"),
    "returned": Text("被退回的整改照片（不是整改后）", "proof that was returned (not the result)"),
    "reopened": Text("重新办理之前的整改照片", "proof from before it was reopened"),
}  # fmt: skip
_SAME = Text("（与第 {steps} 步同一张照片）", " (the same photo as in step {steps})")
_HIDDEN = Text("已对公众隐藏", "hidden from the public")
_CHECKS, _FINDINGS = Text("现场抽查", "Spot checks"), Text("存疑之处（供人判断）", "Doubts, for a person to judge")
_GRAVITY = {"info": Text("提示", "note"), "warning": Text("可疑", "doubtful"), "serious": Text("严重", "serious")}
_AWAY = Text("距问题位置 {metres}", "{metres} from the issue")
_NONE = "—"
_CITIZEN, _SYSTEM = Text("市民", "a citizen"), Text("系统", "the system")
_VERIFY = Text("扫码核验：末条哈希 {hash}", "Scan to verify; last hash {hash}")
_PAGE = Text("{number}　第 {page} 页，共 {pages} 页　生成于 {made_at}", "{number}   page {page} of {pages}   made {made_at}")


@dataclass(frozen=True)
class Sheet:
    """What goes onto paper: the case file's data, words for steps, photos (kind, entry, digest, JPEG or None, whether hidden from the public), the QR's address.

    `font` is the name of a registered one (`case_file_fonts`), `rung_names` what the rules of a ladder are called, `names` what
    codes and ids among the changes are.
    `mark` stands in the file's properties: by it a changed file still says which it was.
    """

    data: Mapping[str, Any]
    place: str
    step_name: Callable[[str], Text]
    photos: Sequence[tuple[str, int, str, bytes | None, bool]]
    verify_url: str
    mark: str
    language: str
    timezone: str
    font: str
    rung_names: Mapping[str, Text]
    names: Names

    def said(self, text: Text) -> str:
        """Return the words in the sheet's language."""
        return text.in_language(self.language)

    def local(self, moment: str) -> str:
        """Return an ISO moment as local time for people."""
        return clock.local_words(datetime.fromisoformat(moment), self.timezone)


def pdf_of(sheet: Sheet) -> bytes:
    """Return the PDF (A4). Letters that the font lacks show as blanks or boxes; nothing is fetched from anywhere."""
    # Only who prints a case needs the library.
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415
    from reportlab.lib.units import mm  # noqa: PLC0415
    from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=18 * mm,
        title=f"{sheet.said(_TITLE)} {sheet.data['number']}", author="Xunhe 巡河", keywords=sheet.mark,
    )  # fmt: skip
    parts = [*_head(sheet), *_photos(sheet), *_checks(sheet), *_findings(sheet), *_history(sheet)]
    with _printing:
        document.build(parts, canvasmaker=_numbered(sheet, document.leftMargin))
    return out.getvalue()


def _paragraph(sheet: Sheet, text: str, *, size: float = 9, colour: str = "#111111") -> Any:
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415
    from reportlab.platypus import Paragraph  # noqa: PLC0415

    style = ParagraphStyle("said", fontName=sheet.font, fontSize=size, leading=size * 1.45, wordWrap="CJK", textColor=colour)
    return Paragraph(escape(without_controls(text)).replace("\n", "<br/>"), style)


def _heading(sheet: Sheet, title: Text, *, room: float = 110) -> list[Any]:
    """Return a heading that begins a page when less `room` (points) is left than it needs with the first rows below it."""
    from reportlab.platypus import CondPageBreak, Spacer  # noqa: PLC0415

    return [CondPageBreak(room), _paragraph(sheet, sheet.said(title), size=12), Spacer(1, 4)]


def _table(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, heading: bool = False) -> Any:
    from reportlab.lib import colors  # noqa: PLC0415
    from reportlab.platypus import Table, TableStyle  # noqa: PLC0415

    commands: list[Any] = [("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#9db4b8")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    if heading:
        commands.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6f0f1")))
    # A row higher than a page is split, so that a long text cannot stop the printing.
    return Table(rows, colWidths=widths, repeatRows=1 if heading else 0, splitInRow=1, style=TableStyle(commands))


def _head(sheet: Sheet) -> list[Any]:
    from reportlab.platypus import Image, Spacer  # noqa: PLC0415

    data, code = sheet.data, io.BytesIO()
    segno.make(sheet.verify_url, error="m", micro=False).save(code, kind="png", scale=6, border=2)
    category = CATEGORIES[data["category"]].name
    values = {
        "number": data["number"], "state": sheet.said(STATE_NAME[State(data["state"])]),
        "category": f"{data['category']} {sheet.said(category)}", "severity": sheet.said(SEVERITY_NAME[Severity(data["severity"])]),
        "source": sheet.said(SOURCE_NAME[Source(data["source"])]), "place": sheet.place,
        "position": f"{data['latitude']:.6f}, {data['longitude']:.6f}", "received_at": sheet.local(data["received_at"]),
        "description": data["description"], **_work_of(sheet),
    }  # fmt: skip
    facts = [[_paragraph(sheet, sheet.said(label)), _paragraph(sheet, str(values[name]))] for name, label in LABELS]
    code.seek(0)
    verify = _paragraph(sheet, sheet.said(_VERIFY).format(hash=data["head"]["hash"]), size=7.5)
    title = _paragraph(sheet, f"{sheet.said(_TITLE)}　{data['number']}", size=16)
    return [_table([[title, Image(code, 80, 80)], [verify, ""]], (400, 93)), Spacer(1, 8), _table(facts, (95, 398)), Spacer(1, 10)]


def _work_of(sheet: Sheet) -> dict[str, str]:
    """Return who has to do what by when, in words."""
    data = sheet.data
    department = sheet.said(DEPARTMENTS[data["department"]].name) if data["department"] else None
    return {
        "lead": "　".join(filter(None, (department, _person(data["lead"])))) or _NONE,
        "co_handlers": "、".join(_person(person) for person in data["co_handlers"]) or _NONE,
        **{name: sheet.local(data[name]) if data[name] else _NONE for name in ("dispatched_at", "rectified_at", "closed_at")},
        "last_day": data["last_day"] or _NONE, "public_summary": data["public_summary"] or _NONE,
    }  # fmt: skip


def _person(person: Mapping[str, Any] | None) -> str:
    return " ".join(filter(None, (person["name"], person["title"]))) if person else ""


def _checks(sheet: Sheet) -> list[Any]:
    rows = []
    for check in sheet.data["spot_checks"]:
        result = sheet.said(RESULT_NAME.get(check["result"], Text(check["result"], check["result"])))
        why = check["reason_en"] if sheet.language == "en" else check["reason"]
        away = "" if check["distance_m"] is None else sheet.said(_AWAY.format(metres=length(round(check["distance_m"]))))
        rows.append((sheet.local(check["done_at"]), check["done_by"] or "", result, "\n".join(filter(None, (why, check["note"], away)))))
    return _listed(sheet, _CHECKS, rows, (100, 80, 80, 233))


def _findings(sheet: Sheet) -> list[Any]:
    rows = [(sheet.said(_GRAVITY.get(row["severity"], Text(row["severity"], row["severity"]))), row[sheet.language]) for row in sheet.data["findings"]]
    return _listed(sheet, _FINDINGS, rows, (80, 413))


def _listed(sheet: Sheet, title: Text, rows: Sequence[Sequence[str]], widths: Sequence[float]) -> list[Any]:
    from reportlab.platypus import Spacer  # noqa: PLC0415 - only who prints a case pays for the library

    if not rows:
        return []
    cells = [[_paragraph(sheet, text, size=8) for text in row] for row in rows]
    return [*_heading(sheet, title), _table(cells, widths), Spacer(1, 10)]


def _photos(sheet: Sheet) -> list[Any]:
    from reportlab.lib.utils import ImageReader  # noqa: PLC0415
    from reportlab.platypus import Image, Spacer  # noqa: PLC0415

    if not sheet.photos:
        return []
    cells = []
    for kind, seq, digest, jpeg, is_hidden in sheet.photos:
        label = [
            _paragraph(sheet, " · ".join([sheet.said(_KINDS.get(kind, Text(kind, kind))), *_came_by(sheet, seq, digest)]), size=8),
            _paragraph(sheet, f"SHA-256 {digest}", size=6.5, colour="#55666a"),
        ]
        if is_hidden:
            label.insert(1, _paragraph(sheet, sheet.said(_HIDDEN), size=8, colour="#a02020"))
        if jpeg is None:
            cells.append(label)
            continue
        width, height = ImageReader(io.BytesIO(jpeg)).getSize()
        scale = min(228 / width, 190 / height)
        cells.append([Image(io.BytesIO(jpeg), width * scale, height * scale), *label])
    pairs = [[cells[at], cells[at + 1] if at + 1 < len(cells) else ""] for at in range(0, len(cells), 2)]
    return [*_heading(sheet, _PHOTOS, room=270), _table(pairs, (246.5, 246.5)), Spacer(1, 10)]


def _came_by(sheet: Sheet, seq: int, digest: str) -> list[str]:
    """Return by which step a photo came, and when; and in which others the same file came too, a cure with the picture of the trouble."""
    entries = {entry["seq"]: entry for entry in sheet.data["entries"]}
    others = [str(other) for other, entry in entries.items() if other != seq and digest in entry["photo_digests"]]
    if (entry := entries.get(seq)) is None:
        return []
    same = sheet.said(_SAME).format(steps=("、" if sheet.language == "zh" else ", ").join(others)) if others else ""
    return [f"{seq}. {sheet.said(sheet.step_name(entry['verb']))}", sheet.local(entry["happened_at"]) + same]


def _history(sheet: Sheet) -> list[Any]:
    rows = [[_paragraph(sheet, sheet.said(column)) for column in _COLUMNS]]
    for entry in sheet.data["entries"]:
        details = entry["details"]
        actor = details["actor_name"] if entry["actor_id"] else sheet.said(_SYSTEM if details.get("rule") else _CITIZEN)
        changed = changes_said(
            entry, sheet.data["entries"], sheet.language, sheet.timezone, findings=sheet.data["findings"], names=sheet.names,
        )  # fmt: skip
        ground = GROUND_NAME.get(details.get("ground") or "")
        # Most rungs are called as the order that they send.
        told = dict.fromkeys([*_rung(sheet, entry), *changed])
        words = [*told, *filter(None, (ground and sheet.said(ground), details.get("note"), _reason(sheet, entry)))]
        said = [*([_paragraph(sheet, "\n".join(words), size=8)] if words else []), _paragraph(sheet, entry["hash"], size=6.5, colour="#55666a")]
        rows.append([
            _paragraph(sheet, str(entry["seq"])), _paragraph(sheet, sheet.local(entry["happened_at"]), size=8), _paragraph(sheet, actor),
            _paragraph(sheet, sheet.said(sheet.step_name(entry["verb"]))), said,
        ])  # fmt: skip
    return [*_heading(sheet, _HISTORY), _table(rows, (34, 86, 64, 84, 225), heading=True)]


def _reason(sheet: Sheet, entry: Mapping[str, Any]) -> str | None:
    reason = entry["details"].get("reason")
    return sheet.said(reason_in_both(entry["verb"], reason)) if reason else None


def _rung(sheet: Sheet, entry: Mapping[str, Any]) -> list[str]:
    """Return which rung was reached, or that a part is late."""
    rung = sheet.rung_names.get(entry["details"].get("rule")) if entry["verb"] == ESCALATE else None
    return [sheet.said(rung)] if rung else []


def _numbered(sheet: Sheet, left: float) -> Any:
    """Return the class of a canvas that writes the foot of each page when all are there, since each tells how many there are."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    made_at = sheet.local(sheet.data["made_at"])

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the library's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, state in enumerate(self._pages, 1):
                self.__dict__.update(state)
                self.setFont(sheet.font, 7.5)
                words = sheet.said(_PAGE).format(number=sheet.data["number"], page=page, pages=len(self._pages), made_at=made_at)
                self.drawString(left, 28, words)
                super().showPage()
            super().save()

    return Numbered
