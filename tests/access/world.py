"""One prepared district for the matrix of access and for the long runs: people of every role, and issues in every state.

Two villages lie in two townships of one district, each with a river reach and its chief. Everything that the routes
show belongs to the first village, so that "other" always means the second.
"""

import io
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from flask import current_app
from sqlalchemy import select

from patrol.foundation import clock, outbox, worker
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.patrols.checkpoint_models import CheckpointHandout
from patrol.patrols.checkpoints import Place
from patrol.patrols.duty_models import DutyReminder
from patrol.patrols.examination_models import ExaminationPolicy, PatrolFinding
from patrol.people.models import Person, Region, SignIn, Token
from patrol.people.permissions import Role
from patrol.people.tokens import digest_of, new_token
from patrol.public.models import Follow
from patrol.public.open311_actions import make_partner_key
from patrol.public.subscription_models import Subscription
from patrol.public.subscriptions import link_token
from tests.builders import Builders
from tests.evidence.material import jpeg, scene

PERSONAS = (
    "anonymous", "citizen_chief", "patroller", "chief_of_this_reach", "chief_of_other_reach", "office_of_this_region",
    "office_of_other_region", "supervisor", "handler", "auditor", "admin", "disabled", "expired",
)
PASSWORD = "a password of the prepared world"
HERE = {"latitude": 29.6001, "longitude": 119.811, "accuracy_m": 5}
CONTACT = {"name": "金丝雀女士", "phone": "13900427731", "email": "canary.7731@example.org"}
REFRESH_TOKEN = "refresh-token-of-the-prepared-world"


POLICIES: dict[str, dict[str, Any]] = {
    "deadlines": {"code": "carcass_1_d", "stage": "rectification", "severity": "general", "category": "C3", "amount": 1, "unit": "calendar_days"},
    "calendar": {"works": False, "origin": "local", "name": {"zh": "防汛停工", "en": "flood stoppage"}},
    "dispatch": {"code": "hotline_to_office", "position": 5, "sources": ["hotline"], "severities": ["general"], "straight": False,
                 "reason": {"zh": "热线先受理", "en": "hotline to the office first"}},
    "escalation": {"code": "letter", "basis": "working_days_after", "amount": 2, "order_kind": "letter", "name": {"zh": "督办函", "en": "Letter"}},
    "relapse": {"days": 60, "radius_m": 100},
    "look_back": {"severity": "general", "share_percent": 10.0, "after_days": 30, "within_days": 10},
}


def policy_body(kind: str, days_ahead: int, **others: Any) -> dict[str, Any]:
    """A new version of a kind of policy, which begins so many days from now."""
    day = (clock.today("Asia/Shanghai") + timedelta(days=days_ahead)).isoformat()
    begins = {"day" if kind == "calendar" else "valid_from": day}
    return {"id": str(uuid4()), "source": {"zh": "区文件", "en": "district document"}, **begins, **POLICIES[kind], **others}


@dataclass
class World:
    """What tests need to name: ids as text, bearer tokens by persona, issues and their versions by state."""

    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    sign_ins: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    reaches: dict[str, str] = field(default_factory=dict)
    issues: dict[str, str] = field(default_factory=dict)
    photos: dict[str, str] = field(default_factory=dict)
    complaints: dict[str, dict[str, str]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def picture(seed: int) -> bytes:
    """A small photo that differs by seed, with a phone's Exif."""
    return jpeg(scene(seed, (96, 72)))


class WorldMaker:
    """Makes the world in `app` with its test client; must run inside the app's context."""

    def __init__(self, app: Any) -> None:
        self.client, self.build, self.world = app.test_client(), Builders(), World()

    def make(self) -> World:
        self._make_register()
        self._make_people()
        self._make_evidence()
        self._make_duties()
        self._make_finding()
        for state in ("submitted", "accepted", "rejected", "dispatched", "in_progress", "rectified", "verified", "closed",
                      "suspended", "merged"):
            self.world.issues[state] = self._issue(state)
        after = {state: self.call("supervisor", "GET", f"/issues/{self.world.issues[state]}")["photos"][-1]["id"] for state in ("rectified", "verified")}
        self.world.photos |= {"after, shown": after["rectified"], "after, hidden": after["verified"]}
        self.call("office_of_this_region", "POST", f"/issues/{self.world.issues['verified']}/photos/{after['verified']}/hide",
                  json={"reason": "拍到路人"}, headers={"If-Match": "*"})
        due = datetime.fromisoformat(self.call("supervisor", "GET", f"/issues/{self.world.issues['dispatched']}")["due_at"])
        self.world.others["later"] = (due + timedelta(days=1)).isoformat()
        self.call("chief_of_this_reach", "POST", f"/issues/{self.world.issues['dispatched']}/extensions",
                  json={"until": self.world.others["later"], "reason": "连续降雨"}, headers={"If-Match": "*"})
        self.world.others["number"] = self.call("supervisor", "GET", f"/issues/{self.world.issues['submitted']}")["number"]
        self.call("supervisor", "POST", f"/issues/{self.world.issues['dispatched']}/supervise",
                  json={"kind": "letter", "text": "请三日内完成整改"}, headers={"If-Match": "*"})
        [order] = self.call("supervisor", "GET", "/orders")["items"]
        self.world.others["order_id"] = order["id"]
        case_file = self.call("supervisor", "GET", f"/issues/{self.world.issues['submitted']}/case-file.json")
        self.world.others |= {"case_file": json.dumps(case_file), "head_hash": case_file["head"]["hash"]}
        check = self.call("supervisor", "POST", "/spot-checks", json={
            "issue_id": self.world.issues["closed"], "reason": "回头看", "due_on": "2099-01-01"})
        self.world.others["spot_check_id"], self.world.photos["supervisor"] = check["id"], self._photo("supervisor", 90)
        self.call("supervisor", "PUT", f"/watch-list/issues/{self.world.issues['submitted']}", json={"note": "盯住"})
        self._make_departments()
        self._make_charge()
        self._make_complaints()
        self._make_policies()
        while worker.deliver_due():
            pass
        self._make_ways_out()
        db.session.rollback()
        return self.world

    def call(self, persona: str, method: str, path: str, **options: Any) -> Any:
        """Send one request that must succeed; return the JSON of the answer."""
        headers = dict(options.pop("headers", {}))
        if persona != "anonymous":
            headers["Authorization"] = f"Bearer {self.world.tokens[persona]}"
        reply = self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        assert reply.status_code < 300, (method, path, reply.status_code, reply.get_data(as_text=True)[:500])
        return reply.json if reply.data else None

    def _make_register(self) -> None:
        build, self.district = self.build, self.build.district
        self.this_town = build.region(name="柳岸镇")
        self.other_town = build.region(name="石桥镇")
        self.village = build.region(self.this_town, level="village", name="上柳村")
        self.other_village = build.region(self.other_town, level="village", name="下桥村")
        self.reach = build.reach(((119.80, 29.60), (119.82, 29.60)), region=self.village, name="清溪上柳段")
        self.other_reach = build.reach(((119.90, 29.70), (119.92, 29.70)), region=self.other_village, name="石溪下桥段")
        vacant = build.reach(((119.70, 29.50), (119.71, 29.50)), region=self.village, name="无人段")
        board = build.board(self.reach)
        self.world.regions = {"this": self.village.code, "town": self.this_town.code, "other": self.other_village.code}
        self.world.reaches = {"this": str(self.reach.id), "other": str(self.other_reach.id)}
        self.world.others |= {"board_code": board.code, "reach_code": self.reach.code, "vacant_reach_id": str(vacant.id)}
        self.world.others["water_body_id"] = str(self.reach.water_body_id)

    def _make_people(self) -> None:
        # Cheap to check: the matrix signs everybody in, and the strength of the hash is not its subject.
        hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
        places: dict[str, tuple[Role, Region]] = {
            "citizen_chief": (Role.CITIZEN_CHIEF, self.village), "patroller": (Role.PATROLLER, self.village),
            "chief_of_this_reach": (Role.CHIEF, self.village), "chief_of_other_reach": (Role.CHIEF, self.other_village),
            "office_of_this_region": (Role.OFFICE, self.this_town), "office_of_other_region": (Role.OFFICE, self.other_town),
            "supervisor": (Role.SUPERVISOR, self.district), "handler": (Role.HANDLER, self.district),
            "auditor": (Role.AUDITOR, self.district), "admin": (Role.ADMIN, self.district),
            "disabled": (Role.OFFICE, self.this_town), "expired": (Role.OFFICE, self.this_town),
        }
        for persona, (role, region) in places.items():
            person = self.build.person(
                role, region=region, name=f"{persona}的姓名", username=persona.replace("_", "."), password_hash=hashed,
                department="water" if role is Role.HANDLER else None, phone="0571-00000000", title="工作人员",
                disabled_at=clock.now() if persona == "disabled" else None,
            )
            self._sign_in(persona, person, expires_in=timedelta(days=-1 if persona == "expired" else 400))
            self.world.people[persona] = str(person.id)
            if persona == "chief_of_this_reach":
                self.world.others["appointment_id"] = str(self.build.appointment(self.reach, person).id)
                self.world.others["successor_id"] = str(self.build.person(Role.CHIEF, region=region, username="successor").id)
            if persona == "chief_of_other_reach":
                self.build.appointment(self.other_reach, person)

    def _sign_in(self, persona: str, person: Person, *, expires_in: timedelta) -> None:
        token, now = new_token(), clock.now()
        sign_in = SignIn(id=new_id(), person_id=person.id, started_at=now, refreshed_at=now)
        texts = {"access": token} | ({"refresh": REFRESH_TOKEN} if persona == "patroller" else {})
        with transaction():
            db.session.add(sign_in)
            db.session.flush()
            for kind, text in texts.items():
                db.session.add(Token(
                    digest=digest_of(text), kind=kind, sign_in_id=sign_in.id, issued_at=now - timedelta(days=2),
                    expires_at=now + expires_in))
        self.world.tokens[persona], self.world.sign_ins[persona] = token, str(sign_in.id)

    def _make_evidence(self) -> None:
        self.world.photos["chief"] = self._photo("chief_of_this_reach", 1)
        patrol_id, check_in_id = str(uuid4()), str(uuid4())
        self.call("chief_of_this_reach", "PUT", f"/patrols/{patrol_id}", json={
            "reach_ids": [self.world.reaches["this"]], "mode": "walk", "started_at": "2026-05-01T08:00:00+08:00"})
        self.call("chief_of_this_reach", "PUT", f"/check-ins/{check_in_id}", json={
            **HERE, "patrol_id": patrol_id, "recorded_at": "2026-05-01T08:10:00+08:00",
            "photos": [{"id": self.world.photos["chief"]}]})
        self.call("chief_of_this_reach", "POST", f"/patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": [
            {**HERE, "recorded_at": "2026-05-01T08:10:00+08:00"}]})
        self.call("chief_of_this_reach", "POST", "/sync", json={"device": "the chief's phone", "pending": 3})
        device = self.call("chief_of_this_reach", "POST", "/devices", json={"label": "OsmAnd"})
        self.world.others |= {"patrol_id": patrol_id, "check_in_id": check_in_id, "device_id": device["id"], "device_key": device["key"]}
        upload = self.client.post("/api/v1/uploads", headers={
            "Authorization": f"Bearer {self.world.tokens['chief_of_this_reach']}", "Tus-Resumable": "1.0.0", "Upload-Length": "1000"})
        self.world.others["upload_id"] = upload.headers["Location"].rsplit("/", maxsplit=1)[-1]

    def _make_duties(self) -> None:
        ids = {name: str(uuid4()) for name in ("delegation_id", "warning_id", "policy_id", "coming_policy_id")}
        self.call("chief_of_this_reach", "PUT", f"/delegations/{ids['delegation_id']}", json={
            "principal_id": self.world.people["chief_of_this_reach"], "deputy_id": self.world.people["patroller"],
            "valid_from": "2026-05-01", "valid_to": "2026-05-31", "reason": "外出培训"})
        self.call("office_of_this_region", "PUT", f"/reach-warnings/{ids['warning_id']}", json={
            "reach_id": self.world.reaches["this"], "colour": "yellow", "trigger": "issue", "valid_from": "2026-05-01", "reason": "反复倾倒"})
        self.call("office_of_this_region", "PUT", f"/frequency-policies/{ids['policy_id']}", json={
            "level": "village", "region": self.world.regions["town"], "period": "week", "times": 1, "valid_from": "2026-05-01",
            "source": {"zh": "本镇规定", "en": "Rule of the township"}})
        self.call("office_of_this_region", "PUT", f"/frequency-policies/{ids['coming_policy_id']}", json={
            "level": "village", "region": self.world.regions["town"], "period": "week", "times": 1, "valid_from": "2999-05-01",
            "source": {"zh": "本镇规定", "en": "Rule of the township"}})
        for kind in ("integrity", "coverage", "datum"):
            row = self.build.save(ExaminationPolicy(
                kind=kind, number=2, version="coming", valid_from=date(2998, 1, 1), data={}, trusted_receivers=[], source_zh="本地", source_en="local",
                added_at=clock.now()))
            ids[f"{kind}_policy_id"] = str(row.id)
        place = Place("B1", "board", self.reach.id, HERE["latitude"], HERE["longitude"])
        self.build.save(CheckpointHandout(
            person_id=UUID(self.world.people["chief_of_this_reach"]), day=date(2026, 5, 1), seed="00" * 32, places=[place.as_data()],
            made_at=clock.now()))
        now = clock.now()
        reminder = self.build.save(DutyReminder(
            id=new_id(), person_id=UUID(self.world.people["chief_of_this_reach"]), period="week", first_day=date(2026, 4, 27),
            last_day=date(2026, 5, 3), kind="half", created_at=now, noticed_at=now, facts={"required": 1, "left": 1, "reaches": []}))
        self.world.others |= ids | {"reminder_id": str(reminder.id)}

    def _make_finding(self) -> None:
        """A finding on the patrol that its chief has answered and a supervisor has judged."""
        code, patrol_id = "gap", self.world.others["patrol_id"]
        self.build.save(PatrolFinding(
            patrol_id=UUID(patrol_id), code=code, severity="info", text=["记录中断", "Gap"], innocent=[["无信号", "No signal"]], evidence={},
            threshold={}, version="1", found_at=clock.now()))
        for persona, verb, more in (("chief_of_this_reach", "reply", {}), ("supervisor", "judge", {"judgement": "upheld"})):
            self.call(persona, "POST", f"/patrols/{patrol_id}/findings/{code}/{verb}", json={"id": str(uuid4()), "text": "已核实", **more})
        self.world.others["finding_code"] = code

    def _photo(self, persona: str, seed: int) -> str:
        sent = self.call(persona, "POST", "/photos", data={"file": (io.BytesIO(picture(seed)), "photo.jpg")})
        return str(sent["id"])

    def report(self, persona: str = "patroller", category: str = "C1", severity: str = "serious") -> dict[str, Any]:
        """Report an issue here; anything above general severity waits for the office."""
        reported: dict[str, Any] = self.call(persona, "POST", "/issues", json={
            **HERE, "category": category, "severity": severity, "description": "桥下漂着成片的生活垃圾"})
        return reported

    def _issue(self, state: str) -> str:
        issue = self.report()
        self.walk(issue, state)
        return str(issue["id"])

    def walk(self, issue: dict[str, Any], state: str) -> None:
        """Take `issue` step by step to `state`, each step by who may."""
        office, chief = "office_of_this_region", "chief_of_this_reach"
        path: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
            ("accepted", office, "accept", {}), ("dispatched", office, "dispatch", {}),
            ("in_progress", chief, "start", {}), ("rectified", chief, "rectify", {"note": "已清理"}),
            ("verified", office, "verify", {}), ("closed", office, "close", {"public_summary": "已清理干净"}),
        )
        if state == "rejected":
            path = (("rejected", office, "reject", {"ground": "no_evidence_found", "reason": "现场未见"}),)
        if state == "suspended":
            body = {"reason": "需截污工程", "review_on": f"{datetime.now(UTC).date() + timedelta(days=300)}", "milestones": [{"text": "完工", "due_on": "2999-09-30"}],
                    "approved_by": "supervisor"}
            path = (("accepted", office, "accept", {}), ("suspended", office, "suspend", body))
        if state == "merged":
            path = (("merged", office, "merge", {"into": self.world.issues["dispatched"], "reason": "同一处"}),)
        order = ["submitted", *(step[0] for step in path)]
        for _, persona, verb, body in path[order.index(issue["state"]):order.index(state)]:
            if verb == "rectify":
                photo_id = self._photo(chief, 1000 + len(self.world.photos))
                self.world.photos[f"after {len(self.world.photos)}"], body["photo_ids"] = photo_id, [photo_id]
            issue |= self.call(persona, "POST", f"/issues/{issue['id']}/{verb}", json=body, headers={"If-Match": "*"})
        assert issue["state"] == state, issue

    def _make_departments(self) -> None:
        """A row of the ownership matrix for this town, and an issue of which the patroller has a part."""
        row = self.call("office_of_this_region", "POST", "/ownership", json={
            "category": "C1", "region": self.world.regions["town"], "department": "ecology", "valid_from": "2026-01-01",
            "source_zh": "镇文件", "source_en": "town paper"})
        issue = self.report()
        self.walk(issue, "accepted")
        share = {"co_handlers": [{"person": "patroller", "part": "清运岸边固废"}]}
        for persona, verb, body in (("office_of_this_region", "dispatch", share), ("chief_of_this_reach", "start", {})):
            self.call(persona, "POST", f"/issues/{issue['id']}/{verb}", json=body, headers={"If-Match": "*"})
        self.world.others |= {"ownership_id": row["id"], "shared_id": str(issue["id"])}

    def _make_charge(self) -> None:
        """A complaint about the chief of this very reach: he must not read it."""
        self.world.issues["charge"] = str(self.report("supervisor", "F1", "general")["id"])

    def _make_complaints(self) -> None:
        for name, board in (("open", None), ("closed", self.world.others["board_code"]), ("unfixed", None)):
            sent = self.call("anonymous", "POST", "/public/complaints", data={
                **{key: str(value) for key, value in HERE.items()}, "category": "C1", "description": f"{name}:水面有垃圾",
                "contact": json.dumps(CONTACT),
                **({"board_code": board} if board else {}),
                "photos": (io.BytesIO(picture(50 + len(name))), "photo.jpg")})
            code = sent["tracking_code"]
            shown = self.call("anonymous", "GET", f"/public/complaints/{code}")
            found = self.call("office_of_this_region", "GET", "/issues", query_string={"source": "citizen"})
            [issue] = [item for item in found["items"] if item["number"] == shown["number"]]
            self.world.complaints[name] = {
                "tracking_code": code, "photo_id": shown["photos"][0]["id"], "issue_id": issue["id"], "number": shown["number"]}
            self.world.issues[f"complained, {name}"] = issue["id"]
            if name != "open":
                self.walk(issue, "closed")
        code = self.world.complaints["unfixed"]["tracking_code"]
        self.call("anonymous", "POST", f"/public/complaints/{code}/not-fixed", json={"reason": "还有垃圾"})
        [asked] = self.call("office_of_this_region", "GET", "/reopening-requests")["items"]
        self.world.others["reopening_id"] = asked["id"]
        followed = self.call("anonymous", "POST", f"/public/issues/{self.world.complaints['open']['number']}/follow", json={})
        self.world.others["follow_code"] = followed["tracking_code"]
        with transaction():
            self.world.others["partner_key"] = make_partner_key("partner")
            follow = db.session.scalars(select(Follow).where(Follow.tracking_code == followed["tracking_code"])).one()
            row = Subscription(id=new_id(), follow_id=follow.id, way="mail", language="zh", created_at=clock.now())
            db.session.add(row)
        sent = {"service_code": "C1", "lat": "29.6", "long": "119.811", "api_key": self.world.others["partner_key"]}
        self.world.others["partners_number"] = self.client.post("/open311/v2/requests.json", data=sent).json[0]["service_request_id"]
        self.world.others["subscription_token"] = link_token(row.id, current_app.extensions["settings"].secret_key)

    def _make_policies(self) -> None:
        """A version of each kind of policy that is not in force yet, and a recount that was ordered."""
        for kind in POLICIES:
            self.world.others[kind] = self.call("admin", "POST", f"/policies/{kind}", json=policy_body(kind, 100))["id"]
        self.world.others["application_id"] = self.call(
            "admin", "POST", "/policies/apply-to-open", json={"id": str(uuid4()), "reason": "区文件"})["id"]

    def _make_ways_out(self) -> None:
        """A channel of the patroller, and a webhook of the town with one event."""
        channel = self.call("patroller", "POST", "/me/channels", json={"way": "mail", "address": "patroller@example.org"})
        hook = self.call("office_of_this_region", "POST", "/webhooks", json={
            "region": self.world.regions["town"], "url": "https://city.example.org/river", "kinds": ["issue.submit"]})
        self.report("supervisor")
        told = select(outbox.OutboxRow.id).where(outbox.OutboxRow.kind == "notifications.tell", outbox.OutboxRow.delivered_at.is_(None))
        for row_id in db.session.scalars(told).all():
            outbox.deliver(row_id)
        [event] = self.call("office_of_this_region", "GET", f"/webhooks/{hook['id']}/deliveries")["items"]
        # They rest from now on: nothing may be left that cannot be delivered.
        for persona, path in (("patroller", f"/me/channels/{channel['id']}"), ("office_of_this_region", f"/webhooks/{hook['id']}")):
            self.call(persona, "PATCH", path, json={"enabled": False}, headers={"If-Match": "*"})
        while worker.deliver_due():
            pass
        stuck = self.build.save(outbox.OutboxRow(kind="notifications.send", payload={"channel_id": channel["id"]}, created_at=clock.now(),
                                                 available_at=clock.now(), attempts=outbox.MOST_ATTEMPTS))
        self.world.others |= {"channel_id": channel["id"], "webhook_id": hook["id"], "delivery_id": event["id"], "outbox_id": str(stuck.id)}
