"""For every route one request that the right caller gets through with: its address, query and body in the prepared world."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.access.world import CONTACT, HERE, PASSWORD, POLICIES, REFRESH_TOKEN, World, picture, policy_body

LONG_AGO = "2026-05-01T08:30:00+08:00"


@dataclass
class Request:
    """`path` has its placeholders filled in; `shows` is the text that tells in a 200 answer whether the target is in it."""

    path: str
    query: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    form: dict[str, Any] | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    shows: str | None = None

    def options(self) -> dict[str, Any]:
        """Return what Flask's test client takes."""
        made: dict[str, Any] = {"query_string": self.query, "headers": dict(self.headers)}
        if self.json is not None:
            made["json"] = self.json
        if self.form is not None:
            made["data"] = {
                name: (io.BytesIO(value), "photo.jpg") if isinstance(value, bytes) else value for name, value in self.form.items()}
            made["content_type"] = "multipart/form-data"
        if self.body is not None:
            made["data"] = self.body
        return made


Made = Callable[[World], Request]
REQUESTS: dict[str, Made] = {}
V1 = "/api/v1"


def _add(route: str, make: Made) -> None:
    assert route not in REQUESTS, route
    REQUESTS[route] = make


def _service() -> None:
    for path in (
        "/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/docs", "/report", "/open", "/b", "/t", "/u/<token>",
        "/u/<token>/confirm", "/verify", "/verify/<issue_id>/<entry_hash>",
    ):
        _add(f"GET {path}", lambda _w, path=path: Request(path.replace("<token>", "token")))
    _add("GET /b/<path:code>", lambda w: Request(f"/b/{w.others['board_code']}"))
    _add("GET /t/<path:code>", lambda w: Request(f"/t/{w.complaints['open']['tracking_code']}"))
    _add("GET /site/<path:name>", lambda _w: Request("/site/start.css"))
    _add("GET /vendor/<path:name>", lambda _w: Request("/vendor/swagger-ui/swagger-ui.css"))


def _people() -> None:
    _add("POST /api/v1/auth/login", lambda _w: Request(
        f"{V1}/auth/login", json={"username": "patroller", "password": PASSWORD}))
    _add("POST /api/v1/auth/refresh", lambda _w: Request(f"{V1}/auth/refresh", json={"refresh_token": REFRESH_TOKEN}))
    _add("POST /api/v1/auth/logout", lambda _w: Request(f"{V1}/auth/logout"))
    _add("GET /api/v1/me", lambda _w: Request(f"{V1}/me"))
    _add("POST /api/v1/me/password", lambda _w: Request(
        f"{V1}/me/password", json={"current_password": PASSWORD, "new_password": "another long password"}))
    _add("GET /api/v1/me/sessions", lambda w: Request(f"{V1}/me/sessions", shows=w.sign_ins["patroller"]))
    _add("DELETE /api/v1/me/sessions", lambda _w: Request(f"{V1}/me/sessions"))
    _add("GET /api/v1/audit", lambda _w: Request(f"{V1}/audit"))
    _add("DELETE /api/v1/me/sessions/<uuid:sign_in_id>", lambda w: Request(f"{V1}/me/sessions/{w.sign_ins['patroller']}"))
    _add("GET /api/v1/people", lambda w: Request(f"{V1}/people", shows=w.people["patroller"]))
    _add("POST /api/v1/people", lambda w: Request(f"{V1}/people", json={
        "username": f"new.{uuid4().hex[:8]}", "name": "新来的", "roles": ["patroller"], "region_code": w.regions["this"]}))
    _add("GET /api/v1/people/<uuid:person_id>", lambda w: Request(f"{V1}/people/{w.people['patroller']}"))
    _add("PATCH /api/v1/people/<uuid:person_id>", lambda w: Request(
        f"{V1}/people/{w.people['patroller']}", json={"name": "改名"}, headers={"If-Match": "*"}))


def _evidence() -> None:
    _add("POST /api/v1/photos", lambda _w: Request(f"{V1}/photos", form={"file": picture(77)}))
    _add("PUT /api/v1/photos/<uuid:photo_id>", lambda _w: Request(
        f"{V1}/photos/{uuid4()}", body=picture(78), headers={"Content-Type": "image/jpeg"}))
    # A photo on a check-in of the chief, so that it is seen by whoever sees the check-in.
    _add("GET /api/v1/photos/<uuid:photo_id>", lambda w: Request(f"{V1}/photos/{w.photos['chief']}"))
    _add("GET /api/v1/photos/<uuid:photo_id>/<size>", lambda w: Request(f"{V1}/photos/{w.photos['chief']}/original"))


def _uploads() -> None:
    one, tus = "/api/v1/uploads/<uuid:upload_id>", {"Tus-Resumable": "1.0.0"}
    chunk = {**tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    _add("POST /api/v1/uploads", lambda _w: Request(f"{V1}/uploads", headers={**tus, "Upload-Length": "1000"}))
    _add(f"HEAD {one}", lambda w: Request(f"{V1}/uploads/{w.others['upload_id']}", headers=tus))
    _add(f"PATCH {one}", lambda w: Request(f"{V1}/uploads/{w.others['upload_id']}", body=b"\xff\xd8\xff", headers=chunk))
    _add(f"DELETE {one}", lambda w: Request(f"{V1}/uploads/{w.others['upload_id']}", headers=tus))
    _add(f"POST {one}", lambda w: Request(
        f"{V1}/uploads/{w.others['upload_id']}", body=b"\xff\xd8\xff", headers={**chunk, "X-HTTP-Method-Override": "PATCH"}))


def _waters() -> None:
    shown = {
        "regions": lambda w: f'"{w.regions["this"]}"', "water-bodies": lambda w: w.others["water_body_id"],
        "reaches": lambda w: w.reaches["this"], "signboards": lambda w: f'"{w.others["board_code"]}"',
    }
    for name, shows in shown.items():
        for ending in ("", ".geojson"):
            _add(f"GET {V1}/{name}{ending}", lambda w, path=f"{V1}/{name}{ending}", shows=shows: Request(path, shows=shows(w)))
    _add(f"GET {V1}/reaches/<uuid:reach_id>", lambda w: Request(f"{V1}/reaches/{w.reaches['this']}"))
    for listed in ("waters/gaps", "waters/gaps.geojson"):
        _add(f"GET {V1}/{listed}", lambda w, listed=listed: Request(f"{V1}/{listed}", shows=w.others["vacant_reach_id"]))
    _add(f"GET {V1}/appointments", lambda w: Request(f"{V1}/appointments", shows=w.others["appointment_id"]))
    one = f"{V1}/appointments/<uuid:appointment_id>"
    _add(f"GET {one}", lambda w: Request(f"{V1}/appointments/{w.others['appointment_id']}"))
    _add(f"POST {V1}/appointments", lambda w: Request(f"{V1}/appointments", json={
        "reach_id": w.reaches["this"], "person_id": w.others["successor_id"], "valid_from": "2026-01-01"}))
    _add(f"PATCH {one}", lambda w: Request(
        f"{V1}/appointments/{w.others['appointment_id']}", json={"valid_to": "2099-12-31"}, headers={"If-Match": "*"}))
    _add(f"POST {one}/hand-over", lambda w: Request(
        f"{V1}/appointments/{w.others['appointment_id']}/hand-over", headers={"If-Match": "*"},
        json={"to_person_id": w.others["successor_id"], "on": "2026-07-01"}))
    _add(f"POST {V1}/signboards", lambda w: Request(
        f"{V1}/signboards", json={**HERE, "reach_id": w.reaches["this"], "code": f"NEW-{uuid4().hex[:8]}"}))
    _add(f"GET {V1}/signboards/<string:code>/qr.svg", lambda w: Request(f"{V1}/signboards/{w.others['board_code']}/qr.svg"))
    _add(f"POST {V1}/imports", lambda w: Request(f"{V1}/imports", form={
        "kind": "appointments",
        "file": f"reach_code,username,title,valid_from,valid_to\n{w.others['reach_code']},successor,deputy,2026-01-01,\n".encode()}))


def _patrols() -> None:
    _add("PUT /api/v1/patrols/<uuid:patrol_id>", lambda w: Request(f"{V1}/patrols/{uuid4()}", json={
        "reach_ids": [w.reaches["this"]], "mode": "walk", "started_at": LONG_AGO}))
    _add("POST /api/v1/patrols/<uuid:patrol_id>/finish", lambda w: Request(
        f"{V1}/patrols/{w.others['patrol_id']}/finish", json={"ended_at": "2026-05-01T09:30:00+08:00"}))
    _add("GET /api/v1/patrols", lambda w: Request(f"{V1}/patrols", shows=w.others["patrol_id"]))
    _add("GET /api/v1/patrols/<uuid:patrol_id>", lambda w: Request(f"{V1}/patrols/{w.others['patrol_id']}"))
    one = "/api/v1/patrols/<uuid:patrol_id>"
    _add(f"POST {one}/track", lambda w: Request(f"{V1}/patrols/{w.others['patrol_id']}/track", json={
        "batch_id": str(uuid4()), "points": [{"recorded_at": LONG_AGO, "latitude": 29.6001, "longitude": 119.812}]}))
    _add(f"POST {one}/pauses", lambda w: Request(f"{V1}/patrols/{w.others['patrol_id']}/pauses", json={
        "id": str(uuid4()), "started_at": LONG_AGO, "ended_at": "2026-05-01T08:40:00+08:00"}))
    for ending in (".gpx", ".geojson", "/line"):
        _add(f"GET {one}{ending}", lambda w, ending=ending: Request(f"{V1}/patrols/{w.others['patrol_id']}{ending}", shows="119.811"))
    _add(f"GET {one}/preview", lambda w: Request(f"{V1}/patrols/{w.others['patrol_id']}/preview", shows='"verdict"'))
    for verb in ("reply", "judge", "withdraw"):
        _add(f"POST {one}/findings/<string:code>/{verb}", lambda w, verb=verb: Request(
            f"{V1}/patrols/{w.others['patrol_id']}/findings/{w.others['finding_code']}/{verb}",
            json={"id": str(uuid4()), "text": "已核实", **({"judgement": "dismissed"} if verb == "judge" else {})}))
    _add("GET /api/v1/integrity-rules", lambda w: Request(f"{V1}/integrity-rules", shows="datum_mislabelled"))
    _add("GET /api/v1/me/tracks.geojson", lambda w: Request(f"{V1}/me/tracks.geojson", shows=w.others["patrol_id"]))
    _add("POST /api/v1/sync", lambda w: Request(f"{V1}/sync", json={"device": "phone", "pending": 1, "items": [
        {"kind": "patrol", "id": str(uuid4()), "data": {"reach_ids": [w.reaches["this"]], "mode": "walk", "started_at": LONG_AGO}}]},
        shows='"accepted"'))
    _add("GET /api/v1/phone-queues", lambda w: Request(f"{V1}/phone-queues", shows="the chief's phone"))
    _add("PUT /api/v1/check-ins/<uuid:check_in_id>", lambda _w: Request(
        f"{V1}/check-ins/{uuid4()}", json={**HERE, "recorded_at": LONG_AGO, "photos": []}))
    _add("POST /api/v1/check-ins", lambda _w: Request(f"{V1}/check-ins", form={
        **{name: str(value) for name, value in HERE.items()}, "recorded_at": LONG_AGO, "photos": picture(79)}))
    _add("GET /api/v1/check-ins", lambda w: Request(f"{V1}/check-ins", shows=w.others["check_in_id"]))
    _add("GET /api/v1/check-ins/<uuid:check_in_id>", lambda w: Request(f"{V1}/check-ins/{w.others['check_in_id']}"))


def _patrol_policies() -> None:
    said = {"source": {"zh": "本地规定", "en": "Local rule"}}
    for kind in ("integrity", "coverage", "datum"):
        path = f"{V1}/policies/{kind}"
        _add(f"GET {path}", lambda _w, path=path: Request(path, shows="2026-11"))
        _add(f"POST {path}", lambda _w, path=path: Request(path, json={"id": str(uuid4()), "valid_from": "2999-01-01", "thresholds": {}, **said}))
        _add(f"POST {path}/dry-run", lambda _w, path=path: Request(f"{path}/dry-run", json={"thresholds": {}}))
        _add(f"DELETE {path}/<uuid:version_id>", lambda w, path=path, kind=kind: Request(f"{path}/{w.others[f'{kind}_policy_id']}"))
    path = f"{V1}/policies/frequency"
    trial = {"level": "village", "period": "month", "times": 4}
    row = {**trial, **said}
    _add(f"GET {path}", lambda w: Request(path, shows=w.others["policy_id"]))
    _add(f"POST {path}", lambda w: Request(path, json={**row, "id": str(uuid4()), "region": w.regions["this"], "valid_from": "2999-01-01"}))
    _add(f"POST {path}/dry-run", lambda w: Request(f"{path}/dry-run", json={**trial, "region": w.regions["this"], "during": "2026-05"}))
    _add(f"DELETE {path}/<uuid:version_id>", lambda w: Request(f"{path}/{w.others['coming_policy_id']}"))


def _duties() -> None:
    _add(f"GET {V1}/duties", lambda w: Request(f"{V1}/duties", query={"period": "2026-05"}, shows=w.reaches["this"]))
    for ending in ("csv", "xlsx"):
        readable = ending == "csv"
        _add(f"GET {V1}/duties.{ending}", lambda w, ending=ending, readable=readable: Request(
            f"{V1}/duties.{ending}", query={"period": "2026-05"}, shows=f",{w.others['reach_code']}," if readable else None))
        _add(f"GET {V1}/patrols.{ending}", lambda w, ending=ending, readable=readable: Request(
            f"{V1}/patrols.{ending}", shows=w.others["patrol_id"] if readable else None))
    _add(f"GET {V1}/duties/gaps", lambda w: Request(f"{V1}/duties/gaps", shows=w.reaches["this"]))
    _add(f"GET {V1}/me/reminders", lambda w: Request(f"{V1}/me/reminders", shows=w.others["reminder_id"]))
    _add(f"GET {V1}/frequency-policies", lambda w: Request(f"{V1}/frequency-policies", shows=w.others["policy_id"]))
    policy = f"{V1}/frequency-policies/<uuid:policy_id>"
    _add(f"GET {policy}", lambda w: Request(f"{V1}/frequency-policies/{w.others['policy_id']}"))
    _add(f"PUT {policy}", lambda w: Request(f"{V1}/frequency-policies/{uuid4()}", json={
        "level": "village", "region": w.regions["this"], "period": "month", "times": 4, "valid_from": "2026-01-01",
        "source": {"zh": "本村规定", "en": "Rule of the village"}}))
    _add(f"PATCH {policy}", lambda w: Request(
        f"{V1}/frequency-policies/{w.others['policy_id']}", json={"valid_to": "2026-12-31"}, headers={"If-Match": "*"}))
    _patrol_policies()
    _add(f"GET {V1}/reach-warnings", lambda w: Request(f"{V1}/reach-warnings", shows=w.others["warning_id"]))
    _add(f"PUT {V1}/reach-warnings/<uuid:warning_id>", lambda w: Request(f"{V1}/reach-warnings/{uuid4()}", json={
        "reach_id": w.reaches["this"], "colour": "red", "trigger": "bulletin", "valid_from": "2026-05-01", "reason": "通报"}))
    _add(f"POST {V1}/reach-warnings/<uuid:warning_id>/lift", lambda w: Request(
        f"{V1}/reach-warnings/{w.others['warning_id']}/lift", headers={"If-Match": "*"}))
    delegation = f"{V1}/delegations/<uuid:delegation_id>"
    _add(f"GET {V1}/delegations", lambda w: Request(f"{V1}/delegations", shows=w.others["delegation_id"]))
    _add(f"GET {delegation}", lambda w: Request(f"{V1}/delegations/{w.others['delegation_id']}"))
    _add(f"PUT {delegation}", lambda w: Request(f"{V1}/delegations/{uuid4()}", json={
        "principal_id": w.people["chief_of_this_reach"], "deputy_id": w.people["citizen_chief"], "valid_from": "2026-05-01",
        "valid_to": "2026-05-31", "reason": "外出培训"}))
    _add(f"POST {delegation}/revoke", lambda w: Request(
        f"{V1}/delegations/{w.others['delegation_id']}/revoke", headers={"If-Match": "*"}))
    _add(f"GET {V1}/me/checkpoint-seeds", lambda w: Request(f"{V1}/me/checkpoint-seeds", shows=w.reaches["this"]))
    _add(f"PUT {V1}/patrols/<uuid:patrol_id>/checkpoints/<int:number>", lambda w: Request(
        f"{V1}/patrols/{w.others['patrol_id']}/checkpoints/1", json={**HERE, "reached": True, "recorded_at": LONG_AGO, "photo_id": str(uuid4())}))


def _issues() -> None:
    _add("POST /api/v1/issues", lambda _w: Request(f"{V1}/issues", json={**HERE, "category": "C1", "description": "桥下有垃圾"}))
    for ending in ("", ".geojson", ".csv", ".xlsx"):
        _add(f"GET /api/v1/issues{ending}", lambda w, ending=ending: Request(
            f"{V1}/issues{ending}", query={"state": "submitted"}, shows=None if ending == ".xlsx" else w.others["number"]))
    _add("GET /api/v1/issues/counts", lambda _w: Request(f"{V1}/issues/counts", shows='"dispatched":3'))
    _add("GET /api/v1/issues/lists", lambda _w: Request(f"{V1}/issues/lists"))
    _add("GET /api/v1/statistics/daily", lambda _w: Request(f"{V1}/statistics/daily"))
    _add("GET /api/v1/issues/nearby", lambda _w: Request(
        f"{V1}/issues/nearby", query={**HERE, "category": "C1"}, shows='"distance_m"'))
    for ending in ("", "/history", "/routing", "/allowed", "/origin"):
        _add(f"GET /api/v1/issues/<uuid:issue_id>{ending}", lambda w, ending=ending: Request(
            f"{V1}/issues/{w.issues['submitted']}{ending}"))
    _add("GET /api/v1/responsible", lambda _w: Request(f"{V1}/responsible", query=HERE, shows="chief_of_this_reach的姓名"))
    _add("GET /api/v1/categories", lambda _w: Request(f"{V1}/categories"))
    _add("GET /api/v1/issues/<uuid:issue_id>/complaint", lambda w: Request(
        f"{V1}/issues/{w.complaints['open']['issue_id']}/complaint"))
    _add("POST /api/v1/issues/<uuid:issue_id>/reporter/reveal", lambda w: Request(
        f"{V1}/issues/{w.complaints['open']['issue_id']}/reporter/reveal", json={"reason": "核实位置"}, shows=CONTACT["phone"]))


STEP_BODIES: dict[str, tuple[str, Callable[[World], dict[str, Any]]]] = {
    "accept": ("submitted", lambda _w: {"note": "属实"}),
    "reject": ("submitted", lambda _w: {"ground": "no_evidence_found", "reason": "现场未见"}),
    "merge": ("submitted", lambda w: {"into": w.issues["dispatched"], "reason": "同一处"}),
    "unmerge": ("merged", lambda _w: {"reason": "并非同一处"}),
    "dispatch": ("accepted", lambda _w: {"note": "请尽快"}),
    "transfer": ("accepted", lambda w: {"reason": "不在本段", "reach_id": w.reaches["other"]}),
    "decline": ("dispatched", lambda _w: {"ground": "other_reach", "reason": "不在本段", "suggested_owner": "石桥镇"}),
    "suspend": ("dispatched", lambda _w: {
        "reason": "需截污工程", "review_on": f"{datetime.now(UTC).date() + timedelta(days=300)}", "milestones": [{"text": "完工", "due_on": "2999-09-30"}],
        "approved_by": "supervisor"}),
    "resume": ("suspended", lambda _w: {"note": "工程已完工"}),
    "start": ("dispatched", lambda _w: {"note": "已到场"}),
    "progress": ("in_progress", lambda _w: {"note": "清理中"}),
    "verify": ("rectified", lambda _w: {"note": "属实"}),
    "return": ("rectified", lambda _w: {"reason": "仍有垃圾"}),
    "close": ("verified", lambda _w: {"public_summary": "已清理干净"}),
    "reopen": ("closed", lambda _w: {"reason": "又出现了"}),
    "supervise": ("in_progress", lambda _w: {"kind": "letter", "text": "请三日内完成整改"}),
}


def _steps() -> None:
    for verb, (state, body) in STEP_BODIES.items():
        _add(f"POST /api/v1/issues/<uuid:issue_id>/{verb}", lambda w, verb=verb, state=state, body=body: Request(
            f"{V1}/issues/{w.issues[state]}/{verb}", json=body(w), headers={"If-Match": "*"}))
    _add("GET /api/v1/issues/<uuid:issue_id>/duplicates", lambda w: Request(
        f"{V1}/issues/{w.issues['submitted']}/duplicates", shows='"distance_m"'))
    _add("POST /api/v1/issues/<uuid:issue_id>/milestones/<int:n>/done", lambda w: Request(
        f"{V1}/issues/{w.issues['suspended']}/milestones/1/done", json={"note": "已完工"}, headers={"If-Match": "*"}))
    for verb, state, photo in (("hide", "rectified", "after, shown"), ("show", "verified", "after, hidden")):
        _add(f"POST /api/v1/issues/<uuid:issue_id>/photos/<uuid:photo_id>/{verb}", lambda w, verb=verb, state=state, photo=photo: Request(
            f"{V1}/issues/{w.issues[state]}/photos/{w.photos[photo]}/{verb}", json={"reason": "拍到路人"}, headers={"If-Match": "*"}))
    _add("POST /api/v1/issues/<uuid:issue_id>/extensions", lambda w: Request(
        f"{V1}/issues/{w.issues['in_progress']}/extensions", json={"until": w.others["later"], "reason": "连续降雨"}, headers={"If-Match": "*"}))
    _add("GET /api/v1/issues/<uuid:issue_id>/extensions", lambda w: Request(f"{V1}/issues/{w.issues['dispatched']}/extensions"))
    _add("POST /api/v1/issues/<uuid:issue_id>/extensions/<int:n>/decide", lambda w: Request(
        f"{V1}/issues/{w.issues['dispatched']}/extensions/1/decide", json={"granted": True, "reason": "属实"},
        headers={"If-Match": "*"}))
    # With the photo in the request: a photo of somebody else would be refused before the issue is looked at.
    _add("POST /api/v1/issues/<uuid:issue_id>/rectify", lambda w: Request(
        f"{V1}/issues/{w.issues['in_progress']}/rectify", form={"note": "已清理", "photos": picture(81)}, headers={"If-Match": "*"}))


def _departments() -> None:
    base = f"{V1}/ownership"
    row = {"category": "C1", "department": "ecology", "valid_from": "2026-01-01", "source_zh": "文件", "source_en": "paper"}
    _add(f"GET {base}", lambda w: Request(base, shows=w.others["ownership_id"]))
    _add(f"POST {base}", lambda w: Request(base, json={**row, "region": w.regions["town"]}))
    _add(f"GET {base}/<uuid:row_id>", lambda w: Request(f"{base}/{w.others['ownership_id']}"))
    _add(f"POST {base}/<uuid:row_id>/end", lambda w: Request(
        f"{base}/{w.others['ownership_id']}/end", json={"reason": "职责划转"}, headers={"If-Match": "*"}))
    part = f"{V1}/issues/<uuid:issue_id>/parts/<int:n>"
    _add(f"POST {part}/report", lambda w: Request(
        f"{V1}/issues/{w.others['shared_id']}/parts/1/report", json={"note": "已清运"}, headers={"If-Match": "*"}))
    _add(f"POST {part}/take-back", lambda w: Request(
        f"{V1}/issues/{w.others['shared_id']}/parts/1/take-back", json={"reason": "一并处理"}, headers={"If-Match": "*"}))
    _add(f"GET {V1}/issues/grounds", lambda _w: Request(f"{V1}/issues/grounds"))


def _case_files() -> None:
    for ending in ("json", "pdf"):
        _add(f"GET {V1}/issues/<uuid:issue_id>/case-file.{ending}", lambda w, ending=ending: Request(
            f"{V1}/issues/{w.issues['submitted']}/case-file.{ending}"))
    _add(f"GET {V1}/case-files/<uuid:issue_id>/<string:entry_hash>", lambda w: Request(
        f"{V1}/case-files/{w.issues['submitted']}/{w.others['head_hash']}", shows='"genuine":true'))
    _add(f"POST {V1}/case-files/verify", lambda w: Request(
        f"{V1}/case-files/verify", form={"file": w.others["case_file"].encode()}, shows='"genuine":true'))


def _devices() -> None:
    base = f"{V1}/devices"
    _add(f"GET {base}", lambda w: Request(base, shows=w.others["device_id"]))
    _add(f"POST {base}", lambda _w: Request(base, json={"label": "OsmAnd"}))
    _add(f"DELETE {base}/<uuid:device_id>", lambda w: Request(f"{base}/{w.others['device_id']}"))
    _add(f"PATCH {base}/<uuid:device_id>", lambda w: Request(
        f"{base}/{w.others['device_id']}", json={"is_receiver": True}, headers={"If-Match": "*"}))
    fix = {"lat": "29.6", "lon": "119.81", "timestamp": "1777595400"}
    for method in ("GET", "POST"):
        _add(f"{method} {V1}/ingest/osmand", lambda w: Request(f"{V1}/ingest/osmand", query={"id": w.others["device_key"], **fix}))
    _add(f"POST {V1}/ingest/owntracks", lambda _w: Request(f"{V1}/ingest/owntracks", json={"_type": "location"}))
    track = b'<gpx><trk><trkseg><trkpt lat="29.6" lon="119.81"><time>2026-05-01T00:30:00Z</time></trkpt></trkseg></trk></gpx>'
    _add(f"POST {V1}/patrols/<uuid:patrol_id>/gpx", lambda w: Request(
        f"{V1}/patrols/{w.others['patrol_id']}/gpx", body=track, headers={"Content-Type": "application/gpx+xml"}))


def _orders() -> None:
    base = f"{V1}/orders"
    _add(f"GET {base}", lambda w: Request(base, shows=w.others["order_id"]))
    _add(f"POST {base}/<uuid:order_id>/acknowledge", lambda w: Request(f"{base}/{w.others['order_id']}/acknowledge"))
    _add(f"POST {base}/<uuid:order_id>/answer", lambda w: Request(f"{base}/{w.others['order_id']}/answer", json={"text": "已清理"}))
    _add(f"GET {V1}/escalations", lambda _w: Request(f"{V1}/escalations"))


def _supervision() -> None:
    checks = f"{V1}/spot-checks"
    _add(f"GET {checks}", lambda w: Request(checks, shows=w.others["spot_check_id"]))
    _add(f"POST {checks}", lambda w: Request(checks, json={
        "issue_id": w.issues["verified"], "reason": "回头看", "due_on": "2099-01-01"}))
    _add(f"GET {checks}/draws", lambda _w: Request(f"{checks}/draws"))
    _add(f"POST {checks}/draws", lambda w: Request(f"{checks}/draws", json={
        "id": str(uuid4()), "region": w.regions["town"], "count": 1}))
    _add(f"GET {checks}/<uuid:check_id>", lambda w: Request(f"{checks}/{w.others['spot_check_id']}"))
    _add(f"POST {checks}/<uuid:check_id>/finish", lambda w: Request(
        f"{checks}/{w.others['spot_check_id']}/finish", headers={"If-Match": "*"}, json={
            **HERE, "result": "cured", "note": "未见反弹", "recorded_at": LONG_AGO, "photo_ids": [w.photos["supervisor"]]}))
    _add(f"GET {V1}/watch-list", lambda w: Request(f"{V1}/watch-list", shows=w.issues["submitted"]))
    _add(f"PUT {V1}/watch-list/issues/<uuid:issue_id>", lambda w: Request(
        f"{V1}/watch-list/issues/{w.issues['submitted']}", json={"note": "盯住"}))
    _add(f"PUT {V1}/watch-list/reaches/<uuid:reach_id>", lambda w: Request(
        f"{V1}/watch-list/reaches/{w.reaches['this']}", json={"note": "盯住"}))
    _add(f"DELETE {V1}/watch-list/<uuid:subject_id>", lambda w: Request(f"{V1}/watch-list/{w.issues['submitted']}"))


def _notifications() -> None:
    _add(f"GET {V1}/me/messages", lambda _w: Request(f"{V1}/me/messages", shows='"issue.submit"'))
    _add(f"POST {V1}/me/messages/read", lambda _w: Request(f"{V1}/me/messages/read", json={"until": LONG_AGO}))
    _add(f"GET {V1}/me/channels", lambda w: Request(f"{V1}/me/channels", shows=w.others["channel_id"]))
    _add(f"POST {V1}/me/channels", lambda w: Request(f"{V1}/me/channels", json={
        "way": "mail", "address": "office@example.org", "region": w.regions["town"]}))
    _add(f"PATCH {V1}/me/channels/<uuid:channel_id>", lambda w: Request(
        f"{V1}/me/channels/{w.others['channel_id']}", json={"enabled": False}, headers={"If-Match": "*"}))
    _add(f"GET {V1}/outbox", lambda w: Request(f"{V1}/outbox", shows=w.others["outbox_id"]))
    _add(f"POST {V1}/outbox/<uuid:row_id>/retry", lambda w: Request(f"{V1}/outbox/{w.others['outbox_id']}/retry"))
    _add(f"GET {V1}/webhooks", lambda w: Request(f"{V1}/webhooks", shows=w.others["webhook_id"]))
    _add(f"POST {V1}/webhooks", lambda w: Request(
        f"{V1}/webhooks", json={"region": w.regions["town"], "url": "https://hooks.example.org/other"}))
    one = f"{V1}/webhooks/<uuid:webhook_id>"
    _add(f"PATCH {one}", lambda w: Request(
        f"{V1}/webhooks/{w.others['webhook_id']}", json={"enabled": False}, headers={"If-Match": "*"}))
    _add(f"DELETE {one}", lambda w: Request(f"{V1}/webhooks/{w.others['webhook_id']}", headers={"If-Match": "*"}))
    _add(f"GET {one}/deliveries", lambda w: Request(f"{V1}/webhooks/{w.others['webhook_id']}/deliveries", shows=w.others["delivery_id"]))
    _add(f"POST {one}/deliveries/<uuid:delivery_id>/replay", lambda w: Request(
        f"{V1}/webhooks/{w.others['webhook_id']}/deliveries/{w.others['delivery_id']}/replay"))


def _public() -> None:
    for name in ("challenge", "issues.geojson", "waters.geojson", "statistics"):
        _add(f"GET /api/v1/public/{name}", lambda _w, name=name: Request(f"{V1}/public/{name}"))
    _add("POST /api/v1/public/complaints", lambda _w: Request(
        f"{V1}/public/complaints", json={**HERE, "category": "C1", "description": "水面有垃圾"}))
    path = "/api/v1/public/complaints/<tracking_code>"
    _add(f"GET {path}", lambda w: Request(f"{V1}/public/complaints/{w.complaints['open']['tracking_code']}"))
    _add(f"POST {path}/photos", lambda w: Request(
        f"{V1}/public/complaints/{w.complaints['open']['tracking_code']}/photos", form={"photos": picture(80)}))
    _add(f"POST {path}/rating", lambda w: Request(
        f"{V1}/public/complaints/{w.complaints['closed']['tracking_code']}/rating", json={"satisfied": True, "score": 5}))
    _add(f"GET {path}/photos/<uuid:photo_id>/<size>", lambda w: Request(
        "{v}/public/complaints/{tracking_code}/photos/{photo_id}/thumb".format(v=V1, **w.complaints["open"])))
    _add(f"POST {path}/not-fixed", lambda w: Request(
        f"{V1}/public/complaints/{w.complaints['closed']['tracking_code']}/not-fixed", json={"reason": "还有垃圾"}))
    _add(f"POST {path}/withdraw", lambda w: Request(f"{V1}/public/complaints/{w.others['follow_code']}/withdraw"))
    for verb, ending in (("GET", ""), ("POST", "/confirm"), ("POST", "/end")):
        _add(f"{verb} /api/v1/public/subscriptions/<token>{ending}", lambda w, ending=ending: Request(
            f"{V1}/public/subscriptions/{w.others['subscription_token']}{ending}"))
    _add("GET /api/v1/public/issues/<number>/photos/<uuid:photo_id>/<size>", lambda w: Request(
        f"{V1}/public/issues/{w.complaints['closed']['number']}/photos/{w.complaints['closed']['photo_id']}/thumb"))
    _add("GET /api/v1/public/nearby", lambda _w: Request(f"{V1}/public/nearby", query={**HERE, "category": "C1"}))
    _add("POST /api/v1/public/issues/<number>/follow", lambda w: Request(
        f"{V1}/public/issues/{w.complaints['open']['number']}/follow", json={}))
    _add("GET /api/v1/public/boards/<code>", lambda w: Request(f"{V1}/public/boards/{w.others['board_code']}"))


def _reopening() -> None:
    path, asked = f"{V1}/reopening-requests", lambda w: w.others["reopening_id"]
    _add(f"GET {path}", lambda w: Request(path, shows=asked(w)))
    _add(f"GET {path}/<uuid:request_id>", lambda w: Request(f"{path}/{asked(w)}"))
    _add(f"POST {path}/<uuid:request_id>/decide", lambda w: Request(
        f"{path}/{asked(w)}/decide", json={"granted": True, "reason": "现场仍有垃圾"}, headers={"If-Match": "*"}))


def _open311() -> None:
    base = "/open311/v2"
    for name in ("discovery", "services", "requests", "servicerequestupdates"):
        _add(f"GET {base}/{name}.<suffix>", lambda _w, name=name: Request(f"{base}/{name}.json"))
    _add(f"GET {base}/services/<service_code>.<suffix>", lambda _w: Request(f"{base}/services/A31.xml"))
    _add(f"GET {base}/requests/<service_request_id>.<suffix>", lambda w: Request(f"{base}/requests/{w.others['number']}.json"))
    _add(f"GET {base}/tokens/<token>.<suffix>", lambda w: Request(f"{base}/tokens/{w.complaints['open']['tracking_code']}.json"))
    _add(f"POST {base}/requests.<suffix>", lambda w: Request(
        f"{base}/requests.json", form={"service_code": "C1", "lat": "29.6", "long": "119.81", "api_key": w.others["partner_key"]}))
    _add(f"POST {base}/servicerequestupdates.<suffix>", lambda w: Request(f"{base}/servicerequestupdates.json", form={
        "service_request_id": w.others["partners_number"], "update_id": "1", "api_key": w.others["partner_key"]}))


def _policies() -> None:
    base = f"{V1}/policies"
    _add(f"GET {base}", lambda _w: Request(base, shows="general_10_wd"))
    _add(f"POST {base}/apply-to-open", lambda _w: Request(f"{base}/apply-to-open", json={"id": str(uuid4()), "reason": "区文件"}))
    _add(f"GET {base}/apply-to-open/<uuid:application_id>", lambda w: Request(f"{base}/apply-to-open/{w.others['application_id']}"))
    _add(f"POST {base}/calendar/import", lambda _w: Request(f"{base}/calendar/import", form={
        "file": f"day,works,name\n{policy_body('calendar', 300)['day']},no,春节\n".encode(), "dry_run": "true"}))
    for kind in POLICIES:
        _add(f"GET {base}/{kind}", lambda _w, kind=kind: Request(f"{base}/{kind}", shows='"version":1'))
        _add(f"POST {base}/{kind}", lambda _w, kind=kind: Request(f"{base}/{kind}", json=policy_body(kind, 200)))
        _add(f"POST {base}/{kind}/dry-run", lambda _w, kind=kind: Request(f"{base}/{kind}/dry-run", json=policy_body(kind, 200)))
        _add(f"DELETE {base}/{kind}/<uuid:version_id>", lambda w, kind=kind: Request(f"{base}/{kind}/{w.others[kind]}"))


for _fill in (
    _service, _people, _waters, _evidence, _uploads, _patrols, _duties, _devices, _issues, _steps, _departments, _case_files, _orders, _policies, _supervision, _notifications,
    _public, _reopening, _open311,
):
    _fill()
