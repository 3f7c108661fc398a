"""What is open to everybody: the board on the bank, the map of issues and the figures, without anything personal."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.geometry import Box
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, Severity
from patrol.issues.lifecycle import ENDED, STATE_NAME, STATE_PUBLIC_TEXT, State, Verb
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.issues.placing import BY_BOARD, place_in_region
from patrol.people.models import Region
from patrol.people.paths import code_of
from patrol.public.models import Follow, Rating, ReopeningRequest
from patrol.public.progress import shown_office
from patrol.waters.models import Reach, Signboard
from patrol.waters.queries import ChiefOn, chiefs_on
from patrol.waters.terms import LEVELS, is_deputy, post_name

# Four decimals of a degree are at most 11 m: enough to find the place, too little to tell which door.
POSITION_DECIMALS = 4
# A charge against a chief or a piece of advice is no matter of a place; what was rejected or merged is no issue of its own.
_OFF_THE_MAP = tuple(code for code in CATEGORIES if code[0] in "FZ")
_OTHER, _OTHER_NAME = "other", Text("其他", "Other")
_NOT_COUNTED = (State.REJECTED, State.MERGED)
_NUMBER = re.compile(r"XH([0-9]{7,9})")
_CURED = (State.VERIFIED, State.CLOSED)


def shown_board(board: Signboard, *, language: str, day: date) -> dict[str, Any]:
    """Return what a board says: its reach, and the posts that answer for it on `day`, lowest level first; no person."""
    reach, water, region = board.reach, board.reach.water_body, board.reach.region
    office = place_in_region(region, day=day, because=BY_BOARD).office
    return {
        "code": board.code, "latitude": board.latitude, "longitude": board.longitude,
        "reach": {name: getattr(reach, name) for name in ("code", "name", "level", "bank", "length_m")},
        "water_body": {name: getattr(water, name) for name in ("code", "name", "kind", "target_class")},
        "region": {"code": region.code, "name": region.name},
        "office": shown_office({"code": code_of(office.path), "name": office.name}, language),
        "posts": _posts_over(reach, language=language, day=day),
    }  # fmt: skip


def _posts_over(reach: Reach, *, language: str, day: date) -> list[dict[str, str]]:
    """Return the posts of the reach's chiefs, and of those of higher levels' reaches on the same water over its region."""
    rows = db.session.execute(
        select(Reach.id, Reach.level, Region.name, Region.path, Region.id).join(Region, Region.id == Reach.region_id)
        .where(Reach.water_body_id == reach.water_body_id, Reach.retired_at.is_(None))
    ).all()  # fmt: skip
    ranks = {level: rank for rank, level in enumerate(LEVELS)}
    own = ranks.get(reach.level, 0)
    over = [row for row in rows if row[0] == reach.id or (
        ranks.get(row[1], own) < own and reach.region.path.startswith(row[3])
    )]  # fmt: skip
    over.sort(key=lambda row: (-ranks.get(row[1], own), row[3]))
    chiefs = chiefs_on([row[0] for row in over], day)
    posts = [
        (level, _title_of(chief, level, region_id).in_language(language), name)
        for reach_id, level, name, _, region_id in over for chief in chiefs.get(reach_id, ())
    ]  # fmt: skip
    return [{"level": level, "title": title, "region": name} for level, title, name in dict.fromkeys(posts)]


def _title_of(chief: ChiefOn, level: str, region_id: UUID) -> Text:
    """Return what the board calls a chief of a reach of this level and region.

    A person's own title tells of one office: it names no post elsewhere, and none that is deputy where it is not.
    """
    own = chief.person_title
    if own and chief.region_id == region_id and is_deputy(own) == is_deputy(chief.title):
        return Text(own, own)
    return post_name(chief.title, level)


def open_map(
    *, bbox: Box | None, category: str | None, severity: str | None, limit: int, language: str, timezone: str
) -> dict[str, Any]:
    """Return the latest issues as GeoJSON: place to about 10 m, month, category, severity and state in plain words."""
    statement = (
        select(Issue.latitude, Issue.longitude, Issue.category, Issue.severity, Issue.state, Issue.received_at)
        .where(*_open_to_all(bbox, category, severity))
        .order_by(Issue.received_at.desc(), Issue.id.desc()).limit(limit + 1)
    )  # fmt: skip
    rows = db.session.execute(statement).all()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(longitude, POSITION_DECIMALS), round(latitude, POSITION_DECIMALS)]},
            "properties": {
                "category": code, "category_name": CATEGORIES[code].name.in_language(language),
                "severity": grade, "severity_name": SEVERITY_NAME[Severity(grade)].in_language(language),
                "state": state, "message": STATE_PUBLIC_TEXT[State(state)].in_language(language),
                "month": clock.local_date(received_at, timezone).isoformat()[:7],
            },
        }
        for latitude, longitude, code, grade, state, received_at in rows[:limit]
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features, "truncated": len(rows) > limit}


def latest(limit: int, timezone: str, *, before: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """Return the latest issues of the open map in both languages, with number and reach as Open311 tells them, and whether there are older ones.

    They are those older than the one with the number `before`, if there is such; the second value is the `before` of the
    next page, None on the last.
    """
    statement = (
        select(Issue.serial, Issue.category, Issue.severity, Issue.state, Issue.received_at, Reach.name)
        .outerjoin(Reach, Reach.id == Issue.reach_id).where(*_open_to_all(None, None, None))
        .order_by(Issue.received_at.desc(), Issue.id.desc()).limit(limit + 1)
    )  # fmt: skip
    if before and (serial := _NUMBER.fullmatch(before)):
        last = db.session.execute(select(Issue.received_at, Issue.id).where(Issue.serial == int(serial[1]))).first()
        if last is not None:
            statement = statement.where(or_(Issue.received_at < last[0], and_(Issue.received_at == last[0], Issue.id < last[1])))
    rows = db.session.execute(statement).all()
    shown: list[dict[str, Any]] = [
        {
            "number": number_of(serial), "category": CATEGORIES[code].name, "severity": SEVERITY_NAME[Severity(grade)],
            "message": STATE_PUBLIC_TEXT[State(state)], "month": clock.local_date(received_at, timezone).isoformat()[:7], "reach": reach,
        }
        for serial, code, grade, state, received_at, reach in rows[:limit]
    ]  # fmt: skip
    return shown, shown[-1]["number"] if len(rows) > limit else None


def _open_to_all(bbox: Box | None, category: str | None, severity: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Issue.state.not_in(_NOT_COUNTED), Issue.category.not_in(_OFF_THE_MAP)]
    if bbox is not None:
        conditions += [
            Issue.longitude.between(bbox.min_longitude, bbox.max_longitude),
            Issue.latitude.between(bbox.min_latitude, bbox.max_latitude),
        ]  # fmt: skip
    if category:
        conditions.append(Issue.category.in_([code for code in CATEGORIES if code.startswith(category)]))
    if severity:
        conditions.append(Issue.severity == severity)
    return conditions


def statistics(language: str) -> dict[str, Any]:
    """Return the figures with numerators and denominators; what was rejected, merged or came back never counts as cured."""
    states = dict(db.session.execute(select(Issue.state, func.count()).group_by(Issue.state)).all())
    categories = dict(db.session.execute(select(Issue.category, func.count()).group_by(Issue.category)).all())
    in_time = select(func.count()).where(Issue.state == State.CLOSED, Issue.closed_at <= Issue.due_at)
    closed, came_back = states.get(State.CLOSED, 0), _came_back()
    relapsed = db.session.scalar(select(func.count()).where(Issue.relapsed_in_id.is_not(None), Issue.state == State.CLOSED)) or 0
    received, dropped = sum(states.values()), sum(states.get(state, 0) for state in _NOT_COUNTED)
    return {
        "received": received,
        "open": sum(count for state, count in states.items() if state not in ENDED),
        "rejected": states.get(State.REJECTED, 0),
        "merged": states.get(State.MERGED, 0),
        "also_reported": states.get(State.MERGED, 0) + (db.session.scalar(select(func.count()).where(Follow.withdrawn_at.is_(None))) or 0),
        "suspended": states.get(State.SUSPENDED, 0),
        "cured": {"numerator": sum(states.get(state, 0) for state in _CURED) - relapsed, "denominator": received - dropped},
        "closed_in_time": {"numerator": db.session.scalar(in_time) or 0, "denominator": closed},
        "reopened": {"numerator": sum(came_back.values()), "denominator": closed + came_back.get(False, 0)},
        "relapsed": {"numerator": relapsed, "denominator": closed},
        "called_not_fixed": _called_not_fixed(),
        "satisfied": _satisfied(),
        "by_state": _counted(states, {state.value: name for state, name in STATE_NAME.items()}, language),
        "by_category": _counted(_without_charges(categories), {code: row.name for code, row in CATEGORIES.items()} | {_OTHER: _OTHER_NAME}, language),
    }


def _without_charges(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts by category with all that is no matter of a place as one: where there are few, a charge would be told to the accused."""
    off_the_map = sum(counts.get(code, 0) for code in _OFF_THE_MAP)
    return {code: count for code, count in counts.items() if code not in _OFF_THE_MAP} | ({_OTHER: off_the_map} if off_the_map else {})


def _came_back() -> dict[bool, int]:
    """Count the issues that were reopened after a closing, by whether they are closed again."""
    reopened = (
        select(HistoryEntry.issue_id).join(Issue, Issue.id == HistoryEntry.issue_id)
        .where(Issue.reopened_times > 0, HistoryEntry.verb == Verb.REOPEN, HistoryEntry.from_state == State.CLOSED).distinct()
    )  # fmt: skip
    again = Issue.state == State.CLOSED
    return dict(db.session.execute(select(again, func.count()).where(Issue.id.in_(reopened)).group_by(again)).all())


def _called_not_fixed() -> dict[str, int]:
    """Count what complainants called not fixed after a closing, and how that was decided."""
    rows = dict(db.session.execute(select(ReopeningRequest.granted, func.count()).group_by(ReopeningRequest.granted)).all())
    return {"asked": sum(rows.values()), "granted": rows.get(True, 0), "refused": rows.get(False, 0)}


def _satisfied() -> dict[str, int]:
    """Count each complaint's latest rating."""
    latest = select(Rating.complaint_id, func.max(Rating.rated_at)).group_by(Rating.complaint_id)
    counted = (
        select(Rating.satisfied, func.count())
        .where(tuple_(Rating.complaint_id, Rating.rated_at).in_(latest)).group_by(Rating.satisfied)
    )  # fmt: skip
    rows = dict(db.session.execute(counted).all())
    return {"numerator": rows.get(True, 0), "denominator": sum(rows.values())}


def _counted(counts: Mapping[str, int], names: Mapping[str, Text], language: str) -> list[dict[str, Any]]:
    """Return the counts in the order of `names`, without those of nothing."""
    return [{"code": code, "name": name.in_language(language), "count": counts[code]} for code, name in names.items() if code in counts]
