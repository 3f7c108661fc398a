"""Patrols over HTTP as a phone makes them: simulated walks sent in batches, ended, and examined by the worker."""

from datetime import timedelta
from uuid import uuid4

import numpy as np

from patrol.foundation import outbox, worker
from patrol.patrols.window import moment_of
from tests.patrols.walks import START_MS, meander, reach_of, to_degrees

LINE = meander(1500.0, amplitude_m=40.0)
REACH = [tuple(pair) for pair in to_degrees(LINE[::10])]
SHAPE = reach_of(LINE)
PHOTO_TIME = moment_of(START_MS + 300_000).isoformat()


def points_of(track):
    """Return a track as the points that a phone sends."""
    return [
        {"recorded_at": moment_of(int(track.recorded_ms[i])).isoformat(), "latitude": round(float(track.latitude[i]), 7),
         "longitude": round(float(track.longitude[i]), 7), "accuracy_m": round(float(track.accuracy_m[i]), 1),
         "altitude_m": round(float(track.altitude_m[i]), 1), "speed_mps": round(float(track.speed_mps[i]), 2),
         "mock": {1: True, 0: False, -1: None}[int(track.mock[i])]}
        for i in range(len(track))
    ]


def begin(caller, reach, track, **more):
    """Begin a patrol of a reach with the first fix of a track; return its id."""
    patrol_id = str(uuid4())
    body = {"reach_ids": [str(reach.id)], "mode": "walk", "started_at": moment_of(int(track.recorded_ms[0])).isoformat(), **more}
    reply = caller.put(f"patrols/{patrol_id}", json=body)
    assert reply.status_code == 201, reply.json
    return patrol_id


def send(caller, patrol_id, track):
    """Send a track in one batch."""
    reply = caller.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": points_of(track)})
    assert reply.status_code == 201, reply.json


def finish(caller, patrol_id, track, *, later=timedelta(0)):
    """End a patrol with the last fix of a track."""
    ended_at = (moment_of(int(track.recorded_ms[-1])) + later).isoformat()
    assert caller.post(f"patrols/{patrol_id}/finish", json={"ended_at": ended_at}).status_code == 200


def patrolled(caller, reach, track, **more):
    """Walk a patrol, and let the worker examine it; return its id."""
    patrol_id = begin(caller, reach, track, **more)
    if len(track):
        send(caller, patrol_id, track)
    finish(caller, patrol_id, track)
    work()
    return patrol_id


def work():
    """Let the worker do all that waits."""
    while worker.deliver_due():
        pass
    assert outbox.pending_and_stuck() == (0, 0)


def two_ends(track):
    """Return only the first and the last fix of a track."""
    return track.at(np.array([0, len(track) - 1]))
