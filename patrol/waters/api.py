"""The registers of waters over HTTP, as JSON and as GeoJSON."""

import io
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

import segno
import shapely
from flask import Response, current_app, request

from patrol.foundation import clock
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import BadGeometry, Box, from_wkb, parse_bbox, to_geojson, to_wkb
from patrol.foundation.http import Room, set_etag
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.positions import position_of
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.consequences import says_of_leaving
from patrol.people.door import current_actor
from patrol.people.models import Person
from patrol.people.permissions import Permission as P
from patrol.people.profile import adds_to_profile
from patrol.waters import actions, queries, register_lists
from patrol.waters.geojson import GEO_JSON, feature_collection
from patrol.waters.models import Reach, Signboard
from patrol.waters.schemas import (
    FeatureCollectionOut,
    GapOut,
    ReachArgs,
    ReachDetailOut,
    ReachFeatureArgs,
    ReachOut,
    RegionArgs,
    RegionFeatureArgs,
    RegionOut,
    SignboardArgs,
    SignboardFeatureArgs,
    SignboardIn,
    SignboardOut,
    WaterBodyArgs,
    WaterBodyFeatureArgs,
    WaterBodyOut,
)
from patrol.waters.shown import shown_board, shown_neighbour, shown_reach, shown_region, shown_water_body
from patrol.waters.terms import answers_for_reach, post_name

room = Room("waters", __name__, url_prefix="/api/v1", description="Regions, waters, reaches, their chiefs and boards")
_LEFT = Text(
    "“{reach}”已没有河长：{name} 的账号已停用，未办结的问题转由河长办重新安排。如有接任者，请移交（hand-over）或任命",
    "Nobody is chief of {reach} any more, since the account of {name} is disabled: the office decides anew on open issues. For a successor use hand-over, "
    "or appoint one",
)
_STAYS = Text(
    "{name} 已没有河长角色，但仍任“{reach}”河长，今后的问题仍会派给此账号：请移交（hand-over）或结束任期",
    "{name} does not have the role chief any more and is still appointed to {reach}: what comes is still laid to that account, until the appointment is handed over or ended",
)
_NOT_AN_ID = Text("应为 me 或人员编号", "It should be me or a person's id")


def today() -> date:
    """Return today where the district lies."""
    return clock.today(current_app.extensions["settings"].timezone)


def person_meant(given: str | None, field: str) -> UUID | None:
    """Return the person of a `me`-or-id filter. Raises Invalid (422) for anything else."""
    if given is None or given == "me":
        return None if given is None else current_actor().person_id
    try:
        return UUID(given)
    except ValueError as error:
        raise Invalid(_NOT_AN_ID, errors={field: [_NOT_AN_ID]}) from error


def box_of(text: str | None) -> Box | None:
    """Return the box of a `bbox` filter. Raises Invalid (422) for one that is none."""
    try:
        return parse_bbox(text) if text else None
    except BadGeometry as bad:
        raise Invalid(bad.text, errors={"bbox": [bad.text]}) from bad


def _wants_features() -> bool:
    return request.accept_mimetypes.best_match(("application/json", GEO_JSON)) == GEO_JSON


def _features(rows: list[tuple[dict[str, Any], bytes | None]], following: str | None) -> Response:
    body = feature_collection(((str(shown["id"]), shown, shape) for shown, shape in rows), following=following)
    return Response(body, content_type=GEO_JSON, headers={"Vary": "Accept"})


def _region_features(args: dict[str, Any]) -> Response:
    page = register_lists.list_regions(current_actor(), geometry=True, **args)
    return _features([(shown_region(row), row.outline) for row in page.items], page.next)


@room.route("/regions", may=P.SEE_WATERS)
@room.arguments(RegionArgs, location="query")
@room.response(200, page_schema(RegionOut))
@room.alt_response(200, schema=FeatureCollectionOut, content_type=GEO_JSON, success=True)
def list_regions(args: dict[str, Any]) -> Any:
    """List the regions of one's area by code."""
    if _wants_features():
        return _region_features(args)
    page = register_lists.list_regions(current_actor(), **args)
    return Page([shown_region(region) for region in page.items], page.next)


@room.route("/regions.geojson", may=P.SEE_WATERS)
@room.arguments(RegionFeatureArgs, location="query")
@room.response(200, FeatureCollectionOut, content_type=GEO_JSON)
def list_regions_geojson(args: dict[str, Any]) -> Response:
    """List the regions of one's area with their outlines."""
    return _region_features(args)


def _water_body_features(args: dict[str, Any]) -> Response:
    page = register_lists.list_water_bodies(geometry=True, **args)
    return _features([(shown_water_body(row), row.geometry) for row in page.items], page.next)


@room.route("/water-bodies", may=P.SEE_WATERS)
@room.arguments(WaterBodyArgs, location="query")
@room.response(200, page_schema(WaterBodyOut))
@room.alt_response(200, schema=FeatureCollectionOut, content_type=GEO_JSON, success=True)
def list_water_bodies(args: dict[str, Any]) -> Any:
    """List rivers, lakes, reservoirs and small waters by code."""
    if _wants_features():
        return _water_body_features(args)
    page = register_lists.list_water_bodies(**args)
    return Page([shown_water_body(body) for body in page.items], page.next)


@room.route("/water-bodies.geojson", may=P.SEE_WATERS)
@room.arguments(WaterBodyFeatureArgs, location="query")
@room.response(200, FeatureCollectionOut, content_type=GEO_JSON)
def list_water_bodies_geojson(args: dict[str, Any]) -> Response:
    """List the waters with their shapes."""
    return _water_body_features(args)


def _page_of_reaches(args: dict[str, Any], *, geometry: bool = False) -> Page[Reach]:
    filters = {**args, "bbox": box_of(args["bbox"]), "chief": person_meant(args["chief"], "chief")}
    return queries.list_reaches(current_actor(), day=today(), geometry=geometry, **filters)


def _with_chiefs(page: Page[Reach]) -> list[dict[str, Any]]:
    chiefs = queries.chiefs_on([reach.id for reach in page.items], today()) if page.items else {}
    return [shown_reach(reach, chiefs) for reach in page.items]


def _reach_features(args: dict[str, Any]) -> Response:
    page = _page_of_reaches(args, geometry=True)
    shapes = [reach.geometry for reach in page.items]
    return _features(list(zip(_with_chiefs(page), shapes, strict=True)), page.next)


@room.route("/reaches", may=P.SEE_WATERS, refuses=(404,))
@room.arguments(ReachArgs, location="query")
@room.response(200, page_schema(ReachOut))
@room.alt_response(200, schema=FeatureCollectionOut, content_type=GEO_JSON, success=True)
def list_reaches(args: dict[str, Any]) -> Any:
    """List the reaches of one's area, and those one is chief of, by code."""
    if _wants_features():
        return _reach_features(args)
    page = _page_of_reaches(args)
    return Page(_with_chiefs(page), page.next)


@room.route("/reaches.geojson", may=P.SEE_WATERS, refuses=(404,))
@room.arguments(ReachFeatureArgs, location="query")
@room.response(200, FeatureCollectionOut, content_type=GEO_JSON)
def list_reaches_geojson(args: dict[str, Any]) -> Response:
    """List the reaches of one's area with their shapes."""
    return _reach_features(args)


@room.route("/reaches/<uuid:reach_id>", may=P.SEE_WATERS)
@room.response(200, ReachDetailOut)
def show_reach(reach_id: UUID) -> dict[str, Any]:
    """Show one reach: its shape, chiefs of today, the reaches on the other side of its boundaries, what it lacks."""
    reach = queries.get_reach(current_actor(), reach_id)
    chiefs, boards = queries.chiefs_on([reach.id], today()), register_lists.boards_of([reach.id]).get(reach.id, 0)
    set_etag(reach.version)
    return {
        **shown_reach(reach, chiefs), "geometry": to_geojson(from_wkb(reach.geometry)),
        "shared_boundaries": [shown_neighbour(other) for other in queries.shared_boundaries(reach)],
        "condition": {"vacant": reach.id not in chiefs, "boards": boards, "board_missing": boards == 0},
    }


@room.route("/waters/gaps", may=P.SEE_WATERS)
@room.arguments(PageArgs, location="query")
@room.response(200, page_schema(GapOut))
@room.alt_response(200, schema=FeatureCollectionOut, content_type=GEO_JSON, success=True)
def list_gaps(args: dict[str, Any]) -> Any:
    """List the reaches for which nobody answers today."""
    if _wants_features():
        return _gap_features(args)
    page = queries.reaches_without_chief(current_actor(), today(), **args)
    return Page([shown_reach(reach, {}) for reach in page.items], page.next)


@room.route("/waters/gaps.geojson", may=P.SEE_WATERS)
@room.arguments(PageArgs, location="query")
@room.response(200, FeatureCollectionOut, content_type=GEO_JSON)
def list_gaps_geojson(args: dict[str, Any]) -> Response:
    """List the reaches for which nobody answers today with their shapes."""
    return _gap_features(args)


def _gap_features(args: dict[str, Any]) -> Response:
    page = queries.reaches_without_chief(current_actor(), today(), geometry=True, **args)
    return _features([(shown_reach(reach, {}), reach.geometry) for reach in page.items], page.next)


@adds_to_profile("reaches")
def reaches_of_today(actor: Actor) -> list[dict[str, Any]]:
    """Return the reaches that the actor answers for today, with the post in words."""
    if actor.person_id is None:
        return []
    return [
        {"id": reach.id, "code": reach.code, "name": reach.name, "title": post_name(title, reach.level).in_language(language())}
        for reach, title in queries.reaches_of(actor.person_id, today())
    ]


@says_of_leaving
def reaches_left(person: Person) -> list[Text]:
    """Return which reaches nobody answers for today, now that this account is disabled, or to which it stays appointed without the role chief."""
    own = [reach for reach, title in queries.reaches_of(person.id, today()) if answers_for_reach(title)]
    if person.disabled_at is None:
        return [_STAYS.format(reach=reach.name, name=person.name) for reach in own]
    chiefs = queries.chiefs_on([reach.id for reach in own], today())
    return [_LEFT.format(reach=reach.name, name=person.name) for reach in own if not chiefs.get(reach.id)]


def _shown_board(board: Signboard) -> dict[str, Any]:
    return shown_board(board, tolerance_m=current_app.extensions["settings"].routing_tolerance_m, language=language())


def _board_features(args: dict[str, Any]) -> Response:
    page = register_lists.list_signboards(current_actor(), **{**args, "bbox": box_of(args["bbox"])})
    return _features(
        [(_shown_board(row), to_wkb(shapely.Point(row.longitude, row.latitude))) for row in page.items], page.next
    )


@room.route("/signboards", may=P.SEE_WATERS)
@room.arguments(SignboardArgs, location="query")
@room.response(200, page_schema(SignboardOut))
@room.alt_response(200, schema=FeatureCollectionOut, content_type=GEO_JSON, success=True)
def list_signboards(args: dict[str, Any]) -> Any:
    """List the information boards of one's area by code."""
    if _wants_features():
        return _board_features(args)
    page = register_lists.list_signboards(current_actor(), **{**args, "bbox": box_of(args["bbox"])})
    return Page([_shown_board(board) for board in page.items], page.next)


@room.route("/signboards.geojson", may=P.SEE_WATERS)
@room.arguments(SignboardFeatureArgs, location="query")
@room.response(200, FeatureCollectionOut, content_type=GEO_JSON)
def list_signboards_geojson(args: dict[str, Any]) -> Response:
    """List the information boards of one's area as points."""
    return _board_features(args)


@room.route("/signboards", may=P.MANAGE_REGISTER, methods=("POST",), refuses=(409,))
@room.body(SignboardIn)
@room.response(201, SignboardOut)
@room.alt_response(200, schema=SignboardOut, description="It was there already", success=True)
def put_up_board(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Add an information board; the same id and content again is the same board. One far from its reach gets a `warning`."""
    board, is_new = actions.put_up_board(
        by=current_actor(), id=data.get("id"), code=data["code"], reach=data.get("reach_id") or data["reach_code"],
        position=position_of(data),
    )
    set_etag(board.version)
    return _shown_board(board), 201 if is_new else 200


@room.route("/signboards/<string:code>/qr.svg", may=None)
@room.response(200, {"type": "string"}, content_type="image/svg+xml")
def show_board_code(code: str) -> Response:
    """Draw the QR code that stands on a board: it opens the citizens' form, which knows the reach by it."""
    board = register_lists.board_with_code(code)
    origin = (current_app.extensions["settings"].public_url or request.host_url).rstrip("/")
    picture = io.BytesIO()
    segno.make(f"{origin}/b/{quote(board.code)}", error="q", micro=False).save(picture, kind="svg", scale=8, border=4)
    return Response(picture.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})
