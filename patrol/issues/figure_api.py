"""The figures of days over HTTP, as they were counted and stored: each share with its numerator and denominator."""

from datetime import date, timedelta
from typing import Any

import marshmallow as ma
from sqlalchemy import func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.moments import Moment
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.issues.api import room, settings
from patrol.issues.figure_models import DailyFigures
from patrol.issues.figures import COUNTS
from patrol.people.door import current_actor
from patrol.people.models import Region
from patrol.people.permissions import Permission as P
from patrol.people.queries import covered_region

MOST_DAYS = 400
_ONLY_ENDED = Text(
    "按日数据在当天结束后由后台写入，已存到{last}；之后各天（含今天）尚无数据，请次日再查，目前的件数见 GET /api/v1/issues?created_after=…",
    "A day's figures are stored by the worker once it has ended, so far up to {last}; later days, today among them, are not there yet: "
    "ask again on the day after, and for what stands now GET /api/v1/issues?created_after=…",
)
_NOT_YET = Text(
    "尚无按日数据：每天的数据在当天结束后由后台写入，请确认后台任务在运行，次日再查",
    "No figures are stored yet: the worker writes a day's once it has ended; see that the worker runs, and ask again on the day after",
)
_ORDER = Text("起始日期不能晚于截止日期，且最多 {most} 天", "`from` lies before `to`, and at most {most} days apart")


class DailyFiguresArgs(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    region = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 20), metadata={
        "description": "Code: this region with all below it; one's own when nothing is said.", "example": "990100"})
    first = ma.fields.Date(load_default=None, data_key="from", metadata={"description": "30 days before `to` when nothing is said."})
    last = ma.fields.Date(load_default=None, data_key="to", metadata={"description": "Yesterday when nothing is said."})


class ShareOut(ma.Schema):
    numerator = ma.fields.Integer(required=True)
    denominator = ma.fields.Integer(required=True)


def _figures() -> dict[str, Any]:
    counts: dict[str, Any] = {name: ma.fields.Integer(required=True, metadata={"description": words}) for name, words in COUNTS.items()}
    share = {"not_fixed": "Closings undone, of those closed.", "in_time": "Closed in time, of those closed."}
    return counts | {name: ma.fields.Nested(ShareOut, required=True, metadata={"description": words}) for name, words in share.items()}


FiguresOut = ma.Schema.from_dict(_figures(), name="FiguresOut")
DayFiguresOut = ma.Schema.from_dict({
    "day": ma.fields.Date(required=True), "counted_at": Moment(required=True, metadata={"description": "When the worker wrote it."}), **_figures(),
}, name="DayFiguresOut")  # fmt: skip


class DailyFiguresOut(ma.Schema):
    region = ma.fields.Dict(required=True, metadata={"example": {"code": "990100", "name": "清溪区"}})
    items = ma.fields.List(ma.fields.Nested(DayFiguresOut), required=True, metadata={"description": "Each day that was counted, the first one first."})
    total = ma.fields.Nested(FiguresOut, required=True)
    counted_until = ma.fields.Date(required=True, allow_none=True, metadata={
        "description": "The last day whose figures are stored, null when there is none. A day is stored once it has ended: today is never among `items`."})
    note = ma.fields.String(required=True, metadata={"description": "The same in words, and what to do for later days."})
    next = ma.fields.String(required=True, allow_none=True)


@room.route("/statistics/daily", may=P.SEE_ISSUES, refuses=(404,))
@room.arguments(DailyFiguresArgs, location="query")
@room.response(200, DailyFiguresOut)
def show_daily_figures(args: dict[str, Any]) -> dict[str, Any]:
    """Give what was reported, closed and undone day by day, as it was stored: closed is not fixed. Charges are not counted."""
    region = _region_asked(args["region"])
    last: date = args["last"] or clock.today(settings().timezone) - timedelta(days=1)
    first: date = args["first"] or date.fromordinal(max(1, last.toordinal() - 29))
    if not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        fault = _ORDER.format(most=MOST_DAYS)
        raise Invalid(fault, errors={"from": [fault]})
    sums = [func.sum(getattr(DailyFigures, name)) for name in COUNTS]
    rows = db.session.execute(
        select(DailyFigures.day, func.max(DailyFigures.counted_at), *sums).join(Region, Region.id == DailyFigures.region_id)
        .where(DailyFigures.day.between(first, last), Region.path.startswith(region.path, autoescape=True))
        .group_by(DailyFigures.day).order_by(DailyFigures.day)
    ).all()  # fmt: skip
    days = [{"day": row[0], "counted_at": row[1], **_with_shares(dict(zip(COUNTS, map(int, row[2:]), strict=True)))} for row in rows]
    until = db.session.scalar(select(func.max(DailyFigures.day)))
    note = _ONLY_ENDED.format(last=until) if until else _NOT_YET
    total = {name: sum(day[name] for day in days) for name in COUNTS}
    return {
        "region": {"code": region.code, "name": region.name}, "items": days, "total": _with_shares(total),
        "counted_until": until, "note": note.in_language(language()), "next": None,
    }  # fmt: skip


def _region_asked(code: str | None) -> Region:
    actor = current_actor()
    if code is None:
        return db.session.scalars(select(Region).where(Region.id == actor.region_id)).one()
    return covered_region(code, actor)


def _with_shares(counts: dict[str, int]) -> dict[str, Any]:
    return {
        **counts, "not_fixed": {"numerator": counts["undone"], "denominator": counts["closed"]},
        "in_time": {"numerator": counts["closed_in_time"], "denominator": counts["closed"]},
    }  # fmt: skip
