"""Spot checks, their drawings and watch lists over HTTP."""

from typing import Any
from uuid import UUID

from flask import current_app

from patrol.evidence.queries import photo_links, usable_photos
from patrol.foundation import clock
from patrol.foundation.http import Room, expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.positions import position_of
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P
from patrol.supervision import actions, queries
from patrol.supervision.models import Draw, SpotCheck
from patrol.supervision.on_site import Finding, findings_of
from patrol.supervision.reasons import reason_in_both
from patrol.supervision.schemas import (
    DrawIn,
    DrawOut,
    FinishCheckIn,
    SpotCheckArgs,
    SpotCheckIn,
    SpotCheckOut,
    WatchIn,
    WatchOut,
)
from patrol.supervision.watching import shown_watches
from patrol.waters.api import person_meant

room = Room("supervision", __name__, url_prefix="/api/v1", description="Spot checks, look-backs, watch lists")


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def _findings(check: SpotCheck) -> list[Finding] | None:
    """Return what a person should look at, None of a check that is not done."""
    if check.distance_m is None or check.recorded_at is None or check.done_at is None:
        return None
    return findings_of(
        distance_m=check.distance_m, accuracy_m=check.accuracy_m, recorded_at=check.recorded_at, planned_at=check.created_at,
        received_at=check.done_at, tolerance_m=_settings().routing_tolerance_m,
    )  # fmt: skip


def _shown(check: SpotCheck) -> dict[str, Any]:
    plain = ("id", "kind", "state", "draw_id", "due_on", "created_at", "result", "sheet", "note", "latitude", "longitude",
             "accuracy_m", "distance_m", "recorded_at", "done_at", "assigned_to", "done_by", "version")
    found = _findings(check)
    return {
        **{name: getattr(check, name) for name in plain}, "reason": reason_in_both(check).in_language(language()),
        "region": {"code": check.region.code, "name": check.region.name},
        "reach": check.reach and {"id": str(check.reach.id), "code": check.reach.code, "name": check.reach.name},
        "issue": check.issue and {"id": str(check.issue.id), "number": check.issue.number, "state": check.issue.state},
        "on_site": None if found is None else not found,
        "findings": [{"code": finding.code, "text": finding.text.in_language(language())} for finding in found or ()],
        "overdue": check.state == "open" and check.due_on < clock.today(_settings().timezone),
        "photos": [{"id": str(photo.photo_id), **photo_links(photo.photo_id)} for photo in check.photos],
    }  # fmt: skip


@room.route("/spot-checks", may=P.SEE_SPOT_CHECKS, refuses=(404,))
@room.arguments(SpotCheckArgs, location="query")
@room.response(200, page_schema(SpotCheckOut))
def list_spot_checks(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the spot checks of one's area, the soonest due first."""
    filters = {**args, "assigned_to": person_meant(args["assigned_to"], "assigned_to"), "today": clock.today(_settings().timezone)}
    page = queries.list_checks(current_actor(), **filters)
    return Page([_shown(check) for check in page.items], page.next)


@room.route("/spot-checks", may=P.DO_SPOT_CHECKS, methods=("POST",), refuses=(404, 409))
@room.body(SpotCheckIn)
@room.response(201, SpotCheckOut)
@room.alt_response(200, schema=SpotCheckOut, description="It was there already", success=True)
def plan_spot_check(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Choose an issue or a reach to be looked at on the spot."""
    check, is_new = actions.plan_check(by=current_actor(), today=clock.today(_settings().timezone), **data)
    set_etag(check.version)
    return _shown(queries.get_check(current_actor(), check.id)), 201 if is_new else 200


@room.route("/spot-checks/<uuid:check_id>", may=P.SEE_SPOT_CHECKS)
@room.response(200, SpotCheckOut)
def show_spot_check(check_id: UUID) -> dict[str, Any]:
    """Show one spot check."""
    check = queries.get_check(current_actor(), check_id)
    set_etag(check.version)
    return _shown(check)


@room.route("/spot-checks/<uuid:check_id>/finish", may=P.DO_SPOT_CHECKS, methods=("POST",), refuses=(403, 409), if_match=True)
@room.body(FinishCheckIn)
@room.response(200, SpotCheckOut)
def finish_spot_check(data: dict[str, Any], check_id: UUID) -> dict[str, Any]:
    """Enter what was found on the spot, with position and photos; a relapse reopens a closed issue."""
    expected, actor = expected_version(), current_actor()
    check = queries.get_check(actor, check_id, lock=True)
    refuse_stale(expected, check.version)
    facts = {name: data[name] for name in ("result", "sheet", "note", "recorded_at")}
    actions.finish_check(
        check, by=actor, position=position_of(data), photos=usable_photos(data["photo_ids"], by=actor),
        timezone=_settings().timezone, tolerance_m=_settings().routing_tolerance_m, **facts,
    )  # fmt: skip
    set_etag(check.version)
    return _shown(queries.get_check(actor, check_id, lock=True))


@room.route("/spot-checks/draws", may=P.SEE_SPOT_CHECKS)
@room.arguments(PageArgs, location="query")
@room.response(200, page_schema(DrawOut))
def list_draws(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the drawings, each with its seed, from what it drew and what it picked."""
    page = queries.list_draws(current_actor(), **args)
    return Page([_shown_draw(draw) for draw in page.items], page.next)


def _shown_draw(draw: Draw) -> dict[str, Any]:
    rows = [row for row in draw.facts.get("by_severity", {}).values() if "picked" in row]
    issues = [{"id": id_, "share_percent": row["share_percent"], "weight": None} for row in rows for id_ in row["candidates"]]
    reaches = [{"id": id_, "share_percent": None, "weight": weight} for id_, weight in draw.facts.get("weights", {}).items()]
    picked = [*(id_ for row in rows for id_ in row["picked"]), *draw.facts.get("drawn", [])]
    shown = {name: getattr(draw, name) for name in ("id", "kind", "period", "seed", "facts", "drawn_at")}
    return {**shown, "candidates": [*issues, *reaches], "picked": picked}


@room.route("/spot-checks/draws", may=P.DO_SPOT_CHECKS, methods=("POST",), refuses=(404, 409))
@room.body(DrawIn)
@room.response(201, DrawOut)
@room.alt_response(200, schema=DrawOut, description="It was drawn already", success=True)
def draw_spot_checks(data: dict[str, Any]) -> Any:
    """Draw reaches to be looked at, at random, the riskier the likelier."""
    draw, is_new = actions.draw_checks(by=current_actor(), today=clock.today(_settings().timezone), **data)
    return _shown_draw(draw), 201 if is_new else 200


@room.route("/watch-list", may=P.WATCH)
@room.arguments(PageArgs, location="query")
@room.response(200, page_schema(WatchOut))
def list_watches(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List what one watches, with how it stands now."""
    actor = current_actor()
    page = queries.list_watches(actor, **args)
    return Page(shown_watches(page.items, actor), page.next)


@room.route("/watch-list/issues/<uuid:issue_id>", may=P.WATCH, methods=("PUT",))
@room.body(WatchIn)
@room.response(204)
def watch_issue(data: dict[str, Any], issue_id: UUID) -> None:
    """Put an issue onto one's watch list, or change the note."""
    actions.watch(by=current_actor(), kind="issue", subject_id=issue_id, note=data["note"])


@room.route("/watch-list/reaches/<uuid:reach_id>", may=P.WATCH, methods=("PUT",))
@room.body(WatchIn)
@room.response(204)
def watch_reach(data: dict[str, Any], reach_id: UUID) -> None:
    """Put a reach onto one's watch list, or change the note."""
    actions.watch(by=current_actor(), kind="reach", subject_id=reach_id, note=data["note"])


@room.route("/watch-list/<uuid:subject_id>", may=P.WATCH, methods=("DELETE",))
@room.response(204)
def stop_watching(subject_id: UUID) -> None:
    """Take an issue or a reach off one's watch list."""
    actions.stop_watching(by=current_actor(), subject_id=subject_id)
