"""Tracks over HTTP: batches of fixes and pauses in, exports out, each look at another's track written down."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response, current_app, stream_with_context

from patrol.foundation.paging import Page, page_schema
from patrol.patrols.api import room
from patrol.patrols.intake import enter_pause, enter_track
from patrol.patrols.models import Patrol
from patrol.patrols.queries import get_patrol
from patrol.patrols.receipts import track_receipt
from patrol.patrols.track_exports import collection_of, feature_of, gpx_of, line_of
from patrol.patrols.track_models import PatrolPause
from patrol.patrols.track_queries import (
    SEE_TRACK,
    list_queues,
    looks_at,
    own_patrols,
    track_and_raw_of,
    track_of_patrol,
)
from patrol.patrols.track_schemas import (
    LineArgs,
    PauseIn,
    PauseOut,
    PhoneQueueArgs,
    PhoneQueueOut,
    TrackFeatureOut,
    TrackFeaturesOut,
    TrackIn,
    TrackReceiptOut,
)
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

GEOJSON, GPX = "application/geo+json", "application/gpx+xml"


@room.route("/patrols/<uuid:patrol_id>/track", may=P.PATROL, methods=("POST",), refuses=(409,))
@room.body(TrackIn)
@room.response(201, TrackReceiptOut)
@room.alt_response(200, schema=TrackReceiptOut, description="It was here already", success=True)
def add_track(data: dict[str, Any], patrol_id: UUID) -> tuple[dict[str, Any], int]:
    """Add a batch of fixes under the client's id; the receipt says what may be deleted on the phone."""
    batch, is_new = enter_track(data, by=current_actor(), patrol_id=patrol_id)
    return track_receipt(batch, is_new), 201 if is_new else 200


@room.route("/patrols/<uuid:patrol_id>/pauses", may=P.PATROL, methods=("POST",), refuses=(409,))
@room.body(PauseIn)
@room.response(201, PauseOut)
@room.alt_response(200, schema=PauseOut, description="It was here already", success=True)
def add_pause(data: dict[str, Any], patrol_id: UUID) -> tuple[PatrolPause, int]:
    """Say that a patrol paused; what was recorded meanwhile is kept and does not count.

    With the cause `no_signal` it is the phone's mark that it heard no satellites: that explains why there are no fixes,
    and changes nothing about those that there are.
    """
    pause, is_new = enter_pause(data, by=current_actor(), patrol_id=patrol_id)
    return pause, 201 if is_new else 200


@room.route("/patrols/<uuid:patrol_id>.gpx", may=P.SEE_PATROLS, writes=True)
@room.response(200, {"type": "string"}, content_type=GPX)
def track_as_gpx(patrol_id: UUID) -> Response:
    """Give a patrol's track as GPX 1.1."""
    patrol = _looked_at(patrol_id, "gpx")
    return Response(gpx_of(patrol, *track_and_raw_of(patrol)), mimetype=GPX, headers={
        "Content-Disposition": f'attachment; filename="patrol-{patrol.id}.gpx"'})


@room.route("/patrols/<uuid:patrol_id>.geojson", may=P.SEE_PATROLS, writes=True)
@room.response(200, TrackFeatureOut, content_type=GEOJSON)
def track_as_geojson(patrol_id: UUID) -> Response:
    """Give a patrol's track as a GeoJSON feature, with every measure of each fix."""
    patrol = _looked_at(patrol_id, "geojson")
    return _geojson(feature_of(patrol, *track_and_raw_of(patrol), {}))


@room.route("/patrols/<uuid:patrol_id>/line", may=P.SEE_PATROLS, writes=True)
@room.arguments(LineArgs, location="query")
@room.response(200, TrackFeatureOut, content_type=GEOJSON)
def track_as_line(args: dict[str, Any], patrol_id: UUID) -> Response:
    """Give a patrol's track as a simplified line for the map."""
    patrol = _looked_at(patrol_id, "line")
    return _geojson(line_of(patrol, track_of_patrol(patrol), args["tolerance_m"]))


@room.route("/me/tracks.geojson", may=P.SEE_OWN_ACCOUNT)
@room.response(200, TrackFeaturesOut, content_type=GEOJSON)
def own_tracks() -> Response:
    """Give all of one's own tracks, and with each who else looked at it and when."""
    return Response(stream_with_context(collection_of(_own_features(current_actor()))), mimetype=GEOJSON)


@room.route("/phone-queues", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(PhoneQueueArgs, location="query")
@room.response(200, page_schema(PhoneQueueOut))
def list_phone_queues(args: dict[str, Any]) -> Page[Any]:
    """List what phones still hold, as each told last, those heard of last first."""
    return list_queues(current_actor(), **args)


def _looked_at(patrol_id: UUID, shape: str) -> Patrol:
    """Return a visible patrol, and write into the audit log that somebody else looks at its track."""
    actor = current_actor()
    patrol = get_patrol(actor, patrol_id)
    if patrol.person_id != actor.person_id:
        note_audit(actor, SEE_TRACK, str(patrol.id), shape=shape, person_id=str(patrol.person_id))
    return patrol


def _own_features(actor: Actor) -> Iterator[dict[str, Any]]:
    for patrol in own_patrols(actor):
        looks = [{"at": at, "by": name} for at, name in looks_at(patrol.id)]
        yield feature_of(patrol, *track_and_raw_of(patrol), {"looks": looks})


def _geojson(feature: dict[str, Any]) -> Response:
    return Response(current_app.json.dumps(feature), mimetype=GEOJSON)
