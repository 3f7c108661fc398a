"""Issues whose histories hold entries of every kind that there is beside the steps of the lifecycle, for L1 to tamper with."""

import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.access.world import HERE
from tests.soak.server import Server
from tests.soak.web import Caller, Reply
from tests.soak.writing import RECORDED, new_photo

# The entries of the newer kinds, by the maker whose history holds them.
KINDS = {
    "duplicate": ("merge", "unmerge"),
    "seen": ("take_in", "give_back", "supervise", "answer_order", "ask_extension", "grant_extension", "report_part", "spot_check"),
    "late": ("escalate", "recount"),
}
LATE = "late history"


def plain(server: Server) -> UUID:
    """Make an issue with seven entries, a photo among them."""
    path = _reported(server, "history")
    _go(server, path, "accept", "dispatch", "start", "progress", "rectify", "return")
    return _id(path)


def duplicate(server: Server) -> UUID:
    """Make an issue that was merged into another, and taken out again."""
    return _id(_pair(server)[0])


def seen(server: Server) -> UUID:
    """Make an issue that took in another for a while, was shared and supervised, got more time, was closed, and was looked at after that."""
    chief, supervisor, path = server.caller("chief_of_this_reach"), server.caller("supervisor"), _pair(server)[1]
    _go(server, path, "accept", "share", "report", "supervise")
    _must(chief.post(f"{path}/extensions", {"until": an_hour_more(chief, path), "reason": "下雨"}, headers={"If-Match": "*"}))
    _go(server, path, "grant", "rectify", "verify", "close")
    [[order]] = server.query("SELECT id FROM orders WHERE issue_id = :it", it=_stored(server, path))
    _must(chief.post(f"/orders/{UUID(str(order))}/answer", {"text": "已部署"}))
    planned = _must(supervisor.post("/spot-checks", {"issue_id": path.split("/")[-1], "reason": "回头看", "due_on": "2099-01-01"}))
    photo = str(uuid4())
    _must(supervisor.call("PUT", f"/photos/{photo}", body=new_photo(), headers={"Content-Type": "image/jpeg"}))
    found = {**HERE, "result": "cured", "note": "未见反弹", "recorded_at": RECORDED, "photo_ids": [photo]}
    _must(supervisor.post(f"/spot-checks/{planned.json['id']}/finish", found, headers={"If-Match": "*"}))
    return _id(path)


def late(server: Server) -> UUID:
    """Make an issue that the worker can let climb and count again, once `let_climb` has been called."""
    path = _reported(server, LATE)
    _go(server, path, "accept", "dispatch")
    return _id(path)


MAKERS = {"plain": plain, "duplicate": duplicate, "seen": seen, "late": late}


def let_climb(server: Server) -> None:
    """Let the late issues reach every rung, and then be counted again by order: their due dates come back."""
    moments = [datetime.now(UTC) - timedelta(days=days) for days in (60, 100)]
    due, since = moments if server.engine == "postgresql" else [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments]
    server.change("UPDATE issues SET due_at = :due, next_escalation_at = :since WHERE description = :it", due=due, since=since, it=LATE)
    server.run(sys.executable, "-m", "tests.soak.histories", "climb")
    _must(server.caller("admin").post("/policies/apply-to-open", {"id": str(uuid4()), "reason": "区文件"}))
    server.run(sys.executable, "-m", "tests.soak.histories", "deliver")


def export_heads(server: Server) -> None:
    """Write down the heads of what was done today, or yesterday when midnight has just passed."""
    server.run(sys.executable, "-m", "tests.soak.histories", "heads")


def _reported(server: Server, description: str) -> str:
    body = {**HERE, "category": "C1", "severity": "serious", "description": description}
    return f"/issues/{_must(server.caller('chief_of_this_reach').post('/issues', body)).json['id']}"


def _pair(server: Server) -> tuple[str, str]:
    """Return the paths of a former duplicate and of its former original."""
    office, original, copy = server.caller("office_of_this_region"), _reported(server, "history"), _reported(server, "history")
    for verb, more in (("merge", {"into": str(_id(original))}), ("unmerge", {})):
        _must(office.post(f"{copy}/{verb}", {"reason": "同一处", **more}, headers={"If-Match": "*"}))
    return copy, original


def _go(server: Server, path: str, *verbs: str) -> None:
    chief, office, supervisor = (server.caller(name) for name in ("chief_of_this_reach", "office_of_this_region", "supervisor"))
    steps: dict[str, tuple[Caller, str, dict[str, object]]] = {
        "accept": (office, "accept", {"note": "a"}), "dispatch": (office, "dispatch", {"note": "b"}), "start": (chief, "start", {"note": "c"}),
        "share": (office, "dispatch", {"note": "b", "co_handlers": [{"person": server.world.people["patroller"], "part": "清运"}]}),
        "report": (server.caller("patroller"), "parts/1/report", {"note": "已清运"}),
        "progress": (chief, "progress", {"note": "d"}), "rectify": (chief, "rectify", {"note": "e", "photos": new_photo()}),
        "return": (office, "return", {"reason": "f"}), "verify": (office, "verify", {}), "close": (office, "close", {}),
        "supervise": (supervisor, "supervise", {"kind": "letter", "text": "请整改"}),
        "grant": (office, "extensions/1/decide", {"granted": True, "reason": "属实"}),
    }
    for name in verbs:
        caller, verb, content = steps[name]
        body = {"form": content} if verb in {"progress", "rectify"} else {"json_body": content}
        _must(caller.call("POST", f"{path}/{verb}", headers={"If-Match": "*"}, **body))


def an_hour_more(caller: Caller, path: str) -> str:
    """Return a moment an hour after an issue is due: more time can be asked for up to as much as was given."""
    due = caller.get(path).json["due_at"]
    return (datetime.fromisoformat(due) + timedelta(hours=1)).isoformat()


def _id(path: str) -> UUID:
    return UUID(path.rsplit("/", maxsplit=1)[-1])


def _stored(server: Server, path: str) -> str:
    return str(_id(path)) if server.engine == "postgresql" else _id(path).hex


def _must(reply: Reply) -> Reply:
    if reply.status >= 300:
        raise RuntimeError(f"{reply.status} {reply.body[:500]!r}")
    return reply


def main(what: str) -> None:
    """Do in a process of the service what its worker does at its time."""
    from patrol.application import create_app
    from patrol.foundation import clock, worker
    from patrol.issues import heads
    from patrol.issues.escalating import escalate_all_due

    app = create_app()
    with app.app_context():
        settings = app.extensions["settings"]
        today = clock.today(settings.timezone)
        if what == "climb":
            escalate_all_due()
        elif what == "deliver":
            while worker.deliver_due():
                pass
        else:
            for day in (today - timedelta(days=1), today):
                heads.export_heads(day, settings.heads, settings.timezone)


if __name__ == "__main__":
    main(sys.argv[1])
