"""Random steps by random people on a real application, each compared with what `law.py` says must come of it."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID, uuid4

from flask import g
from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.issues.climbing import put_off
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Order
from patrol.issues.history import broken_chains
from patrol.issues.models import HistoryEntry, Issue
from patrol.patrols.duty_models import Delegation
from patrol.people.actor import SYSTEM
from patrol.people.models import Person, Region, SignIn, Token
from patrol.people.tokens import digest_of, new_token
from patrol.public.models import Complaint, ReopeningRequest
from tests.builders import Builders
from tests.issues import law
from tests.issues.law import Case, Reach, Somebody

BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
# The categories that are walked with, and how grave each is when nobody says so.
USUAL = {"C1": "general", "C2": "general", "A21": "serious", "D1": "urgent", "F1": "general"}
OFTEN = dict.fromkeys(("accept", "dispatch", "start", "rectify", "verify", "close", "resume"), 1.0) | {"merge": 0.4, "unmerge": 0.5}
STATES = (*law.OPEN, *law.ENDED)
WAITS_S = (30, 600, 3_600, 3 * 3_600, 20 * 3_600, 80 * 3_600)


class Walk:
    """One district with two towns, and everything that happened in it, twice: in the database and in the model."""

    # How often it turns out when something is accepted that it is about the chief.
    ACCUSES = 0.05

    def __init__(self, client, seed: int, *, code: str = "990100") -> None:
        # Whether a step brings its reason and its approval has a chance of its own, so that it turns no walk another way.
        self.plain, self.chance, self.word, self.signing, self.now = client, Random(seed), Random(seed), Random(seed), BEGIN
        self.faults, self.counts, self.numbers = [], {"rounds": 0, "taken": 0, "refused": 0, "rungs": 0, "merged": 0, "unmerged": 0, "relapses": 0}, count(1)
        self.cases: list[Case] = []
        self.precedents: list[tuple[str, str, str]] = []
        self._make_world(code)

    # The world -------------------------------------------------------------------------------------------------------

    def _make_world(self, code: str) -> None:
        build = self.build = Builders()
        build.numbers = count(7_000)
        build._district = build.save(Region(id=new_id(), code=code, name="清溪区", level="county", path=f"/{code}/", version=1))
        towns = [build.region(name=f"{n}镇") for n in "甲乙"]
        villages = [build.region(towns[n], level="village") for n in (0, 0, 1)]
        self.regions = {row.code: row.path for row in (build.district, *towns, *villages)}
        places = {
            "district_office": ("office", build.district), "town_office": ("office", towns[0]), "other_office": ("office", towns[1]),
            "supervisor": ("supervisor", build.district), "town_supervisor": ("supervisor", towns[0]), "auditor": ("auditor", build.district),
            "district_chief": ("chief", build.district), "town_chief": ("chief", towns[0]), "chief": ("chief", villages[0]),
            "other_chief": ("chief", villages[2]), "handler": ("handler", build.district), "other_handler": ("handler", towns[1]),
            "patroller": ("patroller", villages[0]), "citizen_chief": ("citizen_chief", villages[1]), "admin": ("admin", build.district),
            "both": ("office chief", towns[0]), "gone": ("office", towns[0]),
        }
        departments = {"handler": "urban_management", "other_handler": "water"}
        self.people, self.tokens = {}, {}
        for name, (roles, region) in places.items():
            person = build.person(*roles.split(), region=region, name=name, department=departments.get(name))
            self.people[name] = Somebody(name, str(person.id), person.username, set(roles.split()), region.path, person.department)
            self.tokens[name] = self._sign_in(person)
        self.gone, self.people["district_chief"].signs = self.people["gone"], build.district.path
        self._able(self.gone, False)
        spots = [((119.80, 31.60), "chief", villages[0]), ((119.80, 31.70), None, villages[1]), ((119.80, 31.80), "other_chief", villages[2])]
        self.spots = []
        for (longitude, latitude), chief, region in spots:
            row = build.reach(((longitude, latitude), (longitude + 0.02, latitude)), region=region)
            if chief:
                build.appointment(row, db.session.get_one(Person, UUID(self.people[chief].id)))
            self.spots.append((Reach(str(row.id), region.path, self.people.get(chief)), {"latitude": latitude, "longitude": longitude + 0.01, "accuracy_m": 8}))
        self._delegate("chief", "both")
        county = build.reach(((119.0, 31.0), (119.01, 31.0)), level="county")
        build.appointment(county, db.session.get_one(Person, UUID(self.people["district_chief"].id)))

    def _delegate(self, principal: str, deputy: str) -> None:
        """Let somebody act for another from the third to the fortieth day on."""
        first, last, ids = BEGIN.date() + timedelta(days=2), BEGIN.date() + timedelta(days=39), [UUID(self.people[name].id) for name in (principal, deputy)]
        self.build.save(Delegation(
            id=new_id(), principal_id=ids[0], deputy_id=ids[1], valid_from=first, valid_to=last, reason="培训", created_by_id=ids[0], created_at=BEGIN,
            digest="", version=1))
        for one, other in ((principal, deputy), (deputy, principal)):
            self.people[one].partners.append((self.people[other], first, last))

    def _sign_in(self, person) -> str:
        token, sign_in = new_token(), SignIn(id=new_id(), person_id=person.id, started_at=BEGIN, refreshed_at=BEGIN)
        self.build.save(sign_in)
        self.build.save(Token(digest=digest_of(token), kind="access", sign_in_id=sign_in.id, issued_at=BEGIN, expires_at=BEGIN + timedelta(days=9_999)))
        return token

    def _able(self, who: Somebody, able: bool) -> None:
        with transaction():
            db.session.get_one(Person, UUID(who.id)).disabled_at = None if able else self.now
        who.enabled, who.disabled_at = able, None if able else self.now

    def _photo_of(self, who: Somebody) -> str:
        photo_id = new_id()
        self.build.save(Photo(
            id=photo_id, sha256=secrets.token_hex(32), media_type="image/jpeg", size_bytes=1, width=8, height=8, kind=None,
            owner_id=UUID(who.id), received_at=self.now))
        return str(photo_id)

    def call(self, who: Somebody | None, method: str, path: str, body=None, etag=None):
        headers = {"Authorization": f"Bearer {self.tokens[who.name]}"} if who else {}
        if etag is not None:
            headers["If-Match"] = etag
        g.pop("language", None)
        g.pop("actor", None)
        return self.plain.open(f"/api/v1/{path}", method=method, headers=headers, json=body)

    # The walk --------------------------------------------------------------------------------------------------------

    def run(self, rounds: int) -> None:
        """Walk so many rounds, and check every history at the end."""
        acts = {self._step: 70, self._report: 5, self._wait: 6, self._extension: 7, self._citizen: 9, self._order: 4, self._account: 1, self._milestone: 2}
        with clock.moved_clock(lambda: self.now):
            for _ in range(rounds):
                self.now += timedelta(seconds=self.chance.choice(WAITS_S[:3]) if self.chance.random() < 0.7 else 1)
                [act] = self.chance.choices(list(acts), list(acts.values()))
                (act if self.cases else self._complain)()
                self._look()
                self.counts["rounds"] += 1
            for case in self.cases:
                self._read(self.people["auditor"], case, history=True)
            for who in self.people.values():
                self._read_lists(who)
            self.counts["relapses"] = sum(entry == "relapse" for case in self.cases for entry in case.entries)
            own = {UUID(case.id) for case in self.cases}
            broken = [found for found in broken_chains() if found and found.issue_id in own]
            self._must(not broken, f"broken histories: {broken[:3]}")
            nameless = select(HistoryEntry.verb).where(HistoryEntry.actor_name == SYSTEM.name, HistoryEntry.rule.is_(None), HistoryEntry.issue_id.in_(own))
            self._must(not (verbs := db.session.scalars(nameless).all()), f"the system acted by no rule: {verbs}")

    def _read_lists(self, who: Somebody) -> None:
        """An issue in a list reads as it does alone: the two are read by different ways."""
        for item in self.call(who, "GET", "issues?limit=200").json.get("items", ()):
            alone = self.call(who, "GET", f"issues/{item['id']}").json
            differing = {name: (item.get(name), alone[name]) for name in alone if item.get(name) != alone[name]}
            self._must(item.keys() == alone.keys() and not differing, f"{who.name}'s list tells otherwise: {differing}")
            for name in ("parts", "co_handlers", "photos", "merged_into", "relapse_of", "relapsed_in", "suspension", "reach"):
                self.counts[name] = self.counts.get(name, 0) + bool(item[name])

    def _must(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(f"round {self.counts['rounds']}: {fault}")

    def _answers(self, reply, wanted: int, what: str) -> bool:
        """Compare the status; tell whether something was done."""
        self.counts["taken" if wanted < 300 else "refused"] += 1
        self._must(reply.status_code == wanted, f"{what}: {reply.status_code} instead of {wanted}: {reply.get_data(as_text=True)[:300]}")
        return wanted < 300 and reply.status_code < 300

    def _somebody(self) -> Somebody:
        return self.chance.choice(list(self.people.values()))

    def _case(self) -> Case:
        """One of the cases, the latest more often."""
        return self.chance.choice(self.cases[-5:] if self.chance.random() < 0.8 else self.cases)

    def _etag(self, case: Case) -> tuple[str, int | None]:
        kind = self.chance.random()
        version = None if kind < 0.1 else case.version - 1 if kind < 0.15 else case.version
        return ("*" if version is None else f'"{version}"'), version

    def _look(self) -> None:
        """Let somebody read an issue; now and then compare a history, and all counts."""
        case, chance = self._case(), self.chance.random()
        self._read(self._somebody(), case, history=chance < 0.15)
        if chance > 0.8:
            self._compare_counts(self._somebody())

    def _read(self, who: Somebody, case: Case, *, history: bool = False) -> None:
        wanted = 401 if not who.enabled else 403 if not who.roles & law.SEES else 200 if law.sees(case, who) else 404
        reply = self.call(who, "GET", f"issues/{case.id}")
        self._must(reply.status_code == wanted, f"{who.name} reads {_said(case)}: {reply.status_code} instead of {wanted}")
        if wanted == reply.status_code == 200:
            self._compare(case, who, reply.json)
            if history:
                items = self.call(who, "GET", f"issues/{case.id}/history").json["items"]
                verbs = [entry["verb"] for entry in items]
                self._must(verbs == case.entries, f"history of {_said(case)}: {verbs} instead of {case.entries}")
                linked = all(later["previous_hash"] == entry["hash"] for entry, later in zip(items, items[1:], strict=False))
                self._must(linked and [entry["seq"] for entry in items] == list(range(1, len(items) + 1)), f"chain of {_said(case)}")

    def _compare(self, case: Case, who: Somebody, shown: dict) -> None:
        due = datetime.fromisoformat(shown["due_at"]) if shown["due_at"] else None
        found = {
            "state": shown["state"], "severity": shown["severity"], "lead": shown["lead"] and shown["lead"]["id"], "version": shown["version"],
            "helpers": sorted(person["id"] for person in shown["co_handlers"]), "department": shown["department"] and shown["department"]["code"],
            "region": shown["region"]["code"], "reach": shown["reach"] and shown["reach"]["id"], "due": due, "overdue": shown["overdue"],
            "returned": shown["returned_times"], "reopened": shown["reopened_times"], "allowed": shown["allowed"],
            "plan": (plan := shown["plan"]) and (*(plan[name] and datetime.fromisoformat(plan[name]) for name in ("due_at", "reported_at")), plan["late"]),
            "waits": shown["decision"] and (datetime.fromisoformat(shown["decision"]["by"]), shown["decision"]["late"]),
            "stopped": shown["suspension"] is not None, "also_reported": shown["also_reported"],
            "merged": datetime.fromisoformat(shown["merged_at"]) if shown["merged_at"] else None,
        } | {name: shown[name] and shown[name]["id"] for name in ("merged_into", "relapse_of", "relapsed_in")}
        wanted = {
            "state": case.state, "severity": case.severity, "lead": case.lead and case.lead.id, "version": case.version,
            "helpers": sorted(person.id for person in case.helpers), "department": case.department,
            "region": case.path.rstrip("/").rsplit("/", 1)[-1], "reach": case.reach and case.reach.id, "due": case.shown_due,
            "overdue": case.state in law.RUNNING and case.due <= self.now, "returned": case.returned, "reopened": case.reopened,
            "plan": case.shown_plan(self.now),
            "waits": (moment, moment <= self.now) if (moment := case.more_time_by or next(iter(case.waits), None)) else None,
            "allowed": law.allowed(case, who, self.now), "stopped": case.stopped_at is not None, "also_reported": self._also(case),
            "merged": case.merged_at, "merged_into": case.parent and case.original.id,
            "relapse_of": case.relapse_of and case.relapse_of.id, "relapsed_in": case.relapsed_in and case.relapsed_in.id,
        }
        wrong = {name: (found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}
        self._must(not wrong, f"{who.name} reads {_said(case)}: (found, wanted) {wrong}")

    def _also(self, case: Case) -> int:
        """How many other reports a case stands for; a duplicate stands for none."""
        return 0 if case.parent else len(law.below(case, self.cases))

    def _compare_counts(self, who: Somebody) -> None:
        reply = self.call(who, "GET", f"issues/counts?state={','.join(STATES)}")
        if not who.enabled or not who.roles & law.SEES:
            return self._must(reply.status_code == (403 if who.enabled else 401), f"{who.name} counts: {reply.status_code}")
        seen = [case.state for case in self.cases if law.sees(case, who)]
        wanted = {state: seen.count(state) for state in STATES}
        return self._must(reply.json["counts"] == wanted, f"{who.name} counts {reply.json['counts']} instead of {wanted}")

    # Acts ------------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        who, category = self._somebody(), self.chance.choice(list(USUAL))
        severity = self.chance.choice((None, None, "general", "serious", "major", "urgent"))
        reach, position = self._spot_of(None)
        closed = [case for case in self.cases if case.state == "closed"]
        if closed and self.chance.random() < 0.4:
            category, (reach, position) = closed[-1].category, self._spot_of(closed[-1])
        body = {**position, "id": str(uuid4()), "category": category, "description": "桥下有垃圾"} | ({"severity": severity} if severity else {})
        wanted = 401 if not who.enabled else 201 if who.roles & law.REPORTS else 403
        if self._answers(self.call(who, "POST", "issues", body), wanted, f"{who.name} reports"):
            self._enter(body["id"], category, severity or USUAL[category], reach, who, law.source_of(who.roles))

    def _spot_of(self, case: Case | None) -> tuple[Reach, dict]:
        return self.chance.choice([spot for spot in self.spots if case is None or spot[0].id == case.spot])

    def _complain(self) -> None:
        category, (reach, position) = self.chance.choice(["C1", "C2", "A21"]), self.chance.choice(self.spots)
        reply = self.call(None, "POST", "public/complaints", {**position, "id": str(uuid4()), "category": category, "description": "有垃圾"})
        if self._answers(reply, 201, "a citizen complains"):
            [issue_id] = db.session.scalars(select(Issue.id).order_by(Issue.serial.desc()).limit(1))
            self._enter(str(issue_id), category, USUAL[category], reach, None, "citizen").code = reply.json["tracking_code"]

    def _enter(self, issue_id: str, category: str, severity: str, reach: Reach, who: Somebody | None, source: str) -> Case:
        """What must come of a report: the office's clock, or accepted and dispatched at once by policy."""
        [number] = [row.number for row in db.session.scalars(select(Issue).where(Issue.id == UUID(issue_id)))]
        case = Case(
            issue_id, number, category, severity, reach.path, reach, who, spot=reach.id, received=self.now, graded=severity,
            district_chiefs=[self.people["district_chief"]])
        case.routed = reach.chief if reach.chief and reach.chief.enabled else None
        self._accuse(case)
        case.entries.append("submit")
        law.count_due(case, "acceptance", self.now, self.now)
        if severity == "general" and category != "F1" and source in ("patrol", "citizen") and case.routed:
            law.take(case, "accept", None, self.now, cases=self.cases)
            law.take(case, "dispatch", None, self.now, cases=self.cases)
            case.lead = case.routed
            case.workers.append(case.lead)
            case.dispatched_before = True
        self.cases.append(case)
        return case

    def _accuse(self, case: Case) -> None:
        """A charge is about the chief of the place, and goes to the region above."""
        if case.category[0] == law.CHARGE and case.reach:
            case.accused, case.routed, case.path = case.routed or case.accused, None, law.above(case.routed, case.reach)

    def _step(self) -> None:
        case, who, verb = self._case(), self._somebody(), self.chance.choice(law.VERBS)
        open_to = [(who, verb) for who in self.people.values() if who.enabled for verb in law.allowed(case, who, self.now)]
        # Mostly towards the end, or no issue would ever be closed, rated and reopened.
        verbs = [name for name in law.VERBS if name in {name for _, name in open_to} and self.chance.random() < OFTEN.get(name, 0.25)]
        if verbs and self.chance.random() < 0.65:
            verb = self.chance.choice(verbs)
            who = self.chance.choice([able for able, name in open_to if name == verb])
        body, content, effect = getattr(self, f"_{verb}", self._plainly)(case, who, verb)
        if self.chance.random() < 0.06 and (row := law.row_for(case.state, verb)) and row.must:
            body.pop(self.chance.choice(row.must))
        if self.chance.random() < 0.03:
            body["no such field"] = 1
        header, version = self._etag(case)
        wanted = law.answer_to_step(case, who, verb, body, version, self.now)
        wanted = content if wanted == 200 else wanted
        reply = self.call(who, "POST", f"issues/{case.id}/{verb}", body, header)
        if self._answers(reply, wanted, f"{who.name} {verb} {_said(case)} {body}"):
            told = {"into": self._with_id(body.get("into")), "raised": body.get("raise_severity"), "severity": body.get("severity"), "category": body.get("category")}
            law.take(case, verb, who, self.now, cases=self.cases, **told)
            self.counts |= {f"{verb}d": self.counts[f"{verb}d"] + 1} if verb in ("merge", "unmerge") else {}
            effect()
            self._compare(case, who, reply.json)

    def _plainly(self, case: Case, who: Somebody, verb: str):
        words = {
            "verify": {}, "start": {}, "resume": {}, "close": {"public_summary": "已清理"}, "return": {"reason": "仍有"}, "reopen": {"reason": "复发"},
            "unmerge": {"reason": "两处"},
            "progress": {"note": self.chance.choice(("已联系", "已联系", " "))}, "reject": {"ground": self.chance.choice(("no_evidence_found", "none such")), "reason": "无"},
            "decline": {"ground": self.chance.choice(("other_reach", "none such")), "reason": "不在本段", "suggested_owner": "水利局"},
        }
        body = dict(words[verb])
        return body, 422 if "none such" in body.values() else 200, lambda: None

    def _progress(self, case: Case, who: Somebody, verb: str):
        """Say how it goes, or bring the plan, which only the lead does."""
        body, content, effect = self._plainly(case, who, verb)
        if self.word.random() < 0.6:
            return body, content, effect
        return body | {"is_plan": True}, 200 if law.leads(case, who) else 403, lambda: setattr(case, "plan_reported", case.plan_reported or self.now)

    def _with_id(self, issue_id: str | None) -> Case | None:
        return next((case for case in self.cases if case.id == issue_id), None)

    def _merge(self, case: Case, who: Somebody, verb: str):
        """Into what it can be merged into, mostly; or into whatever there is, or is not."""
        able = [one for one in self.cases if law.can_take_in(one, case, who)]
        original = self.chance.choice(able) if able and self.chance.random() < 0.8 else self._case()
        body = {"into": original.id if self.chance.random() < 0.95 else str(uuid4()), "reason": "同一处"}
        raised = self.chance.choice(law.GRADES) if self.chance.random() < 0.3 else None
        good = law.can_take_in(self._with_id(body["into"]), case, who) and (raised is None or law.can_raise(original, raised))
        good = good and law.keeps_major(case, original, raised)

        def read() -> None:
            self._read(who, original, history=True)
            for child in law.below(case, self.cases):
                self._read(who, child)

        return body | ({"raise_severity": raised} if raised else {}), 200 if good else 422, read

    def _accept(self, case: Case, who: Somebody, verb: str):
        body = {} if self.chance.random() < 0.7 else {"severity": self.chance.choice(("general", "serious", "major", "urgent"))}
        body |= {"reason": "核实"} if self.word.random() < 0.5 else {}
        unexplained = law.lowers(case, body.get("severity")) and "reason" not in body
        signed = self._approve(case, who, body)
        if case.reach and self.word.random() < self.ACCUSES:
            # It turns out to be about the chief: all that is merged into it is a charge then.
            body["category"] = "F1"

        def accuse() -> None:
            if "category" in body and before != "F1":
                case.routed = law.chief_of(case.reach, case)
                self._accuse(case)
                law.let_duplicates_follow(case, self.cases)
                for one in (case, *law.below(case, self.cases)):
                    # A charge is told to whoever reported it only.
                    one.followers = 0

        before = case.category
        return body, signed if signed != 200 else 422 if unexplained else 200, accuse

    def _approve(self, case: Case, who: Somebody, body: dict) -> int:
        """Name now and then a chief who approves of another grade of what is major; return what must come of the grade."""
        grades = law.chief_signs(case) and body.get("severity") not in (None, "major")
        if self.signing.random() > (0.6 if grades else 0.03):
            return 403 if law.unsigned(case, who, body.get("severity")) else 200
        chiefs = [one for one in self.people.values() if law.general_chief(case, one, list(self.people.values()), self.now)]
        named = self.signing.choice(chiefs if chiefs and self.signing.random() < 0.8 else list(self.people.values()))
        body["approved_by"] = self.signing.choice((named.id, named.username))
        self.counts["regraded"] = self.counts.get("regraded", 0) + (grades and named in chiefs)
        return 200 if grades and named in chiefs else 422

    def _supervise(self, case: Case, who: Somebody, verb: str):
        kind = self.chance.choice(("reminder", "letter", "listed", "talk", "shout"))
        return {"kind": kind, "text": "请整改"}, 422 if kind == "shout" else 200, lambda: case.orders.append({"to": case.lead, "answered": False, "id": None})

    def _rectify(self, case: Case, who: Somebody, verb: str):
        again = case.photos and law.sees(case, who) and self.chance.random() < 0.1
        photo = self.chance.choice(sorted(case.photos)) if again else self._photo_of(who)
        return {"note": "已清理", "photo_ids": [photo]}, 422 if again else 200, lambda: case.photos.add(photo)

    def _suspend(self, case: Case, who: Somebody, verb: str):
        today = law.local_day(self.now)
        review, milestone = today + timedelta(days=self.chance.choice((0, 1, 40, 366, 367))), today + timedelta(days=self.chance.choice((1, 3, 60)))
        body = {"reason": "工程", "review_on": review.isoformat(), "milestones": [{"text": "立项", "due_on": milestone.isoformat()}]}
        chiefs = [one for one in self.people.values() if law.general_chief(case, one, list(self.people.values()), self.now)]
        approver = self.word.choice(chiefs if chiefs and self.word.random() < 0.9 else list(self.people.values()))
        body |= {"approved_by": self.word.choice((approver.id, approver.username))} if self.word.random() < 0.95 else {}
        is_charge = case.category[0] == law.CHARGE
        approved = "approved_by" not in body if is_charge else "approved_by" not in body or approver in chiefs
        if is_charge and self.word.random() < 0.7:
            body.pop("approved_by", None)
            approved = True

        def note() -> None:
            case.ledger = [review, milestone]
            law.wait_for_office(case, self.now)

        return body, 200 if approved and 0 < (review - today).days <= 366 else 422, note

    def _transfer(self, case: Case, who: Somebody, verb: str):
        kind = self.chance.choice(("reach", "region", "nowhere", "both"))
        reach, _ = self.chance.choice(self.spots)
        code, path = self.chance.choice(list(self.regions.items()))
        body = {"reason": "更正"} | ({"region": code if kind != "nowhere" else "000"} if kind != "reach" else {})
        body |= {"reach_id": reach.id} if kind in ("reach", "both") else {}
        if self.chance.random() < 0.2:
            body["category"] = self.chance.choice([code for code in USUAL if code[0] != law.CHARGE])
        no_charge = case.category[0] == law.CHARGE and "category" in body
        sideways = kind == "region" and case.category[0] == law.CHARGE and not case.path.startswith(path)

        def move() -> None:
            case.reach, case.path = (reach, reach.path) if kind == "reach" else (None, path)
            case.routed = law.chief_of(case.reach, case)
            self._accuse(case)
            law.let_duplicates_follow(case, self.cases)

        sideways = sideways or (kind == "reach" and not law.passed_on(case, reach))
        return body, 422 if kind in ("nowhere", "both") or sideways or no_charge else 200, move

    def _dispatch(self, case: Case, who: Somebody, verb: str):
        """Name a lead, call in a department, or leave it to the chief of the place; helpers, severity and due date besides."""
        body, kind, lead = {}, self.chance.choice(("default", "default", "lead", "department")), None
        if kind == "lead":
            lead = self._somebody()
            body["lead"] = self.chance.choice((lead.id, lead.username))
            lead = lead if self._can_handle(lead, who) else None
        if kind == "department":
            body["department"] = self.chance.choice(("urban_management", "water", "housing"))
            lead = self._handler(body["department"], case, who)
        if kind == "default" and case.category[0] != law.CHARGE:
            of_reach = case.reach.chief if case.reach else None
            lead = next((chief for chief in (of_reach, case.routed) if chief and chief.enabled), None)
        by_matrix = None
        if kind == "default" and lead is None and case.category[0] != law.CHARGE and (by_matrix := law.owner(case, self.precedents)):
            lead = self._handler(by_matrix, case, who)
        helper = self._somebody() if self.chance.random() < 0.2 else None
        if helper:
            body["co_handlers"] = [helper.username]
        if self.chance.random() < 0.2:
            body["severity"] = self.chance.choice(("general", "serious", "major", "urgent"))
        due = self.now + timedelta(days=self.chance.choice((-1, 3, 30))) if self.chance.random() < 0.2 else None
        if due:
            body |= {"due_at": due.isoformat()}
        body |= {"reason": "工程复杂"} if (self.chance if due else self.word).random() < 0.5 else {}
        good = lead is not None and (helper is None or self._can_handle(helper, who))
        good = good and (due is None or law.can_name(case, body.get("severity", case.severity), due, "reason" in body, self.now))
        good = good and all(law.may_handle(case, one) for one in (lead, helper) if one)
        good = good and ("reason" in body or not law.lowers(case, body.get("severity")))
        good = good and ("reason" in body or not law.moves_later(case, body.get("severity"), due, self.now))
        signed = self._approve(case, who, body)

        def send() -> None:
            case.lead, case.helpers = lead, [helper] if helper and helper is not lead else []
            case.workers += [one for one in (lead, *case.helpers) if one]
            case.department = body.get("department", by_matrix or case.department)
            if case.declined and case.category[0] != law.CHARGE and (ruled := case.department or lead.department):
                self.precedents.append((case.category, case.path, ruled))
            if due:
                law.name_due(case, due, self.now)
            case.dispatched_before = True

        return body, signed if signed != 200 else 200 if good else 422, send

    def _can_handle(self, person: Somebody, by: Somebody) -> bool:
        return person.enabled and by.covers(person.path) and bool(person.roles & law.HANDLES)

    def _handler(self, department: str, case: Case, by: Somebody) -> Somebody | None:
        able = [who for who in self.people.values() if who.department == department and case.path.startswith(who.path) and self._can_handle(who, by)]
        return max(able, key=lambda who: len(who.path), default=None)

    def _wait(self) -> None:
        """Let time pass, and the sweep with it, from one worker or two."""
        self.now += timedelta(seconds=self.chance.choice(WAITS_S))
        rungs = [code for case in self.cases for code in law.climb(case, self.now)]
        found = escalate_all_due()
        db.session.rollback()
        self.counts["rungs"] += len(rungs)
        self._must(found >= len(rungs), f"the sweep reached {found} rungs instead of {rungs}")
        self._must(escalate_all_due() == 0, "the sweep reached something twice")
        self._must(not list(put_off("Asia/Shanghai")), "an issue would not climb")

    def _extension(self) -> None:
        working = [case for case in self.cases if case.state in law.IN_WORK] or self.cases
        case, who = self.chance.choice(working), self._somebody()
        waiting = next((row for row in case.extensions if row["granted"] is None), None)
        if waiting and self.chance.random() < 0.8:
            return self._decide_extension(case, self._office_of(case) or who, waiting)
        if case.lead and self.chance.random() < 0.7:
            who = case.lead
        until = case.due + timedelta(days=self.chance.choice((-1, 2, 9)))
        header, version = self._etag(case)
        own = [row for row in case.extensions if row["opening"] == case.reopened]
        wanted = _first(
            (not who.enabled, 401), (not who.roles & law.HANDLES, 403), (not law.sees(case, who), 404), (version not in (None, case.version), 412),
            (not law.leads(case, who), 403), (case.state not in law.IN_WORK or case.due <= self.now, 409), (not case.due < until <= case.due + (case.due - case.since), 422),
            (any(row["granted"] is None for row in own) or len(own) >= 2, 409))
        reply = self.call(who, "POST", f"issues/{case.id}/extensions", {"until": until.isoformat(), "reason": "下雨"}, header)
        if self._answers(reply, wanted, f"{who.name} asks for time on {_said(case)}"):
            case.extensions.append({"n": len(case.extensions) + 1, "opening": case.reopened, "until": until, "by": who, "granted": None})
            law.climb(case, self.now)
            case.entries.append("ask_extension")
            law.ask_for_time(case, self.now)
        return None

    def _decide_extension(self, case: Case, who: Somebody, row: dict) -> None:
        who, granted = who if self.chance.random() < 0.8 else self._somebody(), self.chance.random() < 0.5
        header, version = self._etag(case)
        wanted = _first(
            (not who.enabled, 401), (not who.roles & law.OFFICE, 403), (not law.sees(case, who), 404), (version not in (None, case.version), 412),
            (not who.covers(case.path) or row["by"] is who or law.handled(case, who, self.now), 403),
            (row["granted"] is not None or row["opening"] != case.reopened or case.state not in law.IN_WORK, 409),
            (granted and row["until"] <= max(self.now, case.due), 409))
        reply = self.call(who, "POST", f"issues/{case.id}/extensions/{row['n']}/decide", {"granted": granted, "reason": "属实"}, header)
        if self._answers(reply, wanted, f"{who.name} decides on time for {_said(case)}"):
            law.climb(case, self.now)
            row["granted"], case.more_time_by = granted, None
            case.entries.append("grant_extension" if granted else "refuse_extension")
            if granted:
                law.extend(case, row["until"], self.now)

    def _office_of(self, case: Case) -> Somebody | None:
        able = [who for who in self.people.values() if "office" in who.roles and who.covers(case.path) and who.enabled]
        return self.chance.choice(able) if able else None

    def _order(self) -> None:
        ordered = [case for case in self.cases if case.orders]
        if not ordered:
            return
        case, who = self.chance.choice(ordered), self._somebody()
        rows = db.session.scalars(select(Order.id).where(Order.issue_id == UUID(case.id)).order_by(Order.at, Order.id)).all()
        self._must(len(rows) == len(case.orders), f"{len(rows)} orders on {_said(case)} instead of {len(case.orders)}")
        place = self.chance.randrange(len(case.orders))
        order, row = case.orders[place], db.session.get_one(Order, rows[place])
        self._must(row.to_id == (UUID(order["to"].id) if order["to"] else None), f"an order on {_said(case)} is addressed to another")
        if order["to"] and self.chance.random() < 0.6:
            who = order["to"]
        wanted = _first(
            (not who.enabled, 401), (not who.roles & law.SEES, 403), ((order["to"] is not who or case.category[0] == law.CHARGE) and not law.oversees(case, who), 404),
            (order["to"] is not who and not law.leads(case, who), 403), (order["answered"], 409))
        reply = self.call(who, "POST", f"orders/{row.id}/answer", {"text": "已部署"})
        if self._answers(reply, wanted, f"{who.name} answers an order on {_said(case)}"):
            order["answered"] = True
            case.entries.append("answer_order")

    def _milestone(self) -> None:
        """Report the one milestone of what is on the ledger."""
        case, who = self.chance.choice([case for case in self.cases if case.state == "suspended"] or self.cases), self._somebody()
        if self.chance.random() < 0.5:
            who = case.lead or self._office_of(case) or who
        header, version = self._etag(case)
        own = law.leads(case, who) or ("office" in who.roles and who.covers(case.path))
        wanted = _first(
            (not who.enabled, 401), (not who.roles & law.HANDLES, 403), (not law.sees(case, who), 404), (version not in (None, case.version), 412),
            (not own, 403), (case.state != "suspended" or case.is_reached, 409))
        reply = self.call(who, "POST", f"issues/{case.id}/milestones/1/done", {"note": "已立项"}, header)
        if self._answers(reply, wanted, f"{who.name} reports a milestone of {_said(case)}"):
            law.climb(case, self.now)
            case.is_reached = True
            law.reach_milestone(case)
            case.entries.append("milestone_done")

    def _citizen(self) -> None:
        """Complain, follow, rate, call it not fixed, or let somebody decide on that."""
        theirs = [case for case in self.cases if case.code]
        closed = [case for case in theirs if case.original.state == "closed" or case.requests] or theirs
        if not theirs or self.chance.random() < 0.3:
            return self._complain()
        case, act = self.chance.choice(closed), self.chance.choice((self._rate, self._not_fixed, self._decide_request, self._follow, self._track))
        return act(case)

    def _follow(self, case: Case) -> None:
        reply = self.call(None, "POST", f"public/issues/{case.number}/follow", {"id": str(uuid4())})
        if self._answers(reply, 404 if case.category[0] == law.CHARGE else 201, f"a citizen follows {_said(case)}"):
            case.followers += 1

    def _track(self, case: Case) -> None:
        """Whoever holds the code of a duplicate reads how its original goes."""
        told, shown = case.original, self.call(None, "GET", f"public/complaints/{case.code}").json
        found = (shown["number"], shown["state"], shown["also_reported"], shown["merged_into"] and shown["merged_into"]["number"])
        followers = sum(one.followers for one in self.cases if one.original is told)
        wanted = (case.number, told.state, self._also(told) + followers, case.parent and told.number)
        self._must(found == wanted, f"a citizen reads {_said(case)}: {found} instead of {wanted}")

    def _rate(self, case: Case) -> None:
        told, said = case.original, (self.chance.random() < 0.5, self.chance.randint(1, 5))
        known = case.ratings.get((told.id, told.reopened))
        wanted = (200 if known == said else 409) if known else 201 if told.state == "closed" else 409
        if said[1] not in (range(3, 6) if said[0] else range(1, 4)):
            wanted = 422
        reply = self.call(None, "POST", f"public/complaints/{case.code}/rating", {"satisfied": said[0], "score": said[1]})
        if self._answers(reply, wanted, f"a citizen rates {_said(case)}"):
            case.ratings[told.id, told.reopened] = said

    def _not_fixed(self, case: Case) -> None:
        told, said = case.original, self.chance.choice(("还有", "还有", "仍有"))
        last = law.local_day(max(told.closed_at, case.merged_at or told.closed_at)) + timedelta(days=15) if told.closed_at else None
        wanted = 409 if told.state != "closed" or law.local_day(self.now) > last else 201
        known = next((row for row in reversed(case.requests) if row["of"] is told), None)
        if known and known["said"] == said and (told.state != "closed" or known["closing"] == told.reopened):
            wanted = 200
        elif known and known["closing"] == told.reopened:
            wanted = 409
        reply = self.call(None, "POST", f"public/complaints/{case.code}/not-fixed", {"reason": said})
        if self._answers(reply, wanted, f"a citizen calls {_said(case)} not fixed") and wanted == 201:
            law.climb(told, self.now)
            case.requests.append({"of": told, "said": said, "closing": told.reopened, "decided": False, "at": self.now})
            law.wait_for_answer(told, self._asked(told))
            told.entries.append("ask_reopening")

    def _asked(self, case: Case) -> list[datetime]:
        """Since when each word of "not fixed" on this closing waits."""
        requests = [row for one in self.cases for row in one.requests if row["of"] is case]
        return [row["at"] for row in requests if not row["decided"] and row["closing"] == case.reopened]

    def _decide_request(self, case: Case) -> None:
        """The request is about what was closed: the original, whatever becomes of the duplicate."""
        if not case.requests:
            return
        complaint, request = case, case.requests[-1]
        case = request["of"]
        who, granted = (self._office_of(case) or self._somebody()) if self.chance.random() < 0.5 else self._somebody(), self.chance.random() < 0.6
        row = db.session.scalars(select(ReopeningRequest).join(Complaint).where(Complaint.issue_id == UUID(complaint.id)).order_by(ReopeningRequest.asked_at)).all()[-1]
        self._must(row.version == 1 + request["decided"], f"a request on {_said(case)} has version {row.version}")
        own = law.handled(case, who, self.now)
        wanted = _first(
            (not who.enabled, 401), (not who.roles & law.REVIEWS, 403), (not law.sees(case, who), 404), (request["decided"], 409),
            (own or not who.covers(case.path), 403), (granted and case.reopened == request["closing"] and case.state == "merged", 409))
        reply = self.call(who, "POST", f"reopening-requests/{row.id}/decide", {"granted": granted, "reason": "核实"}, f'"{row.version}"')
        if self._answers(reply, wanted, f"{who.name} decides whether {_said(case)} is fixed"):
            request["decided"] = True
            if not granted:
                law.climb(case, self.now)
                case.entries.append("refuse_reopening")
                if case.state == "closed":
                    law.wait_for_answer(case, self._asked(case))
            elif case.reopened == request["closing"]:
                law.take(case, "reopen", who, self.now, cases=self.cases)

    def _account(self) -> None:
        """An account is disabled, or enabled again; from that moment on it may nothing."""
        who = self.chance.choice([self.people[name] for name in ("chief", "handler", "town_supervisor")])
        self._able(who, not who.enabled)


def _first(*cases: tuple[bool, int]) -> int:
    return next((status for holds, status in cases if holds), 200)


def _said(case: Case) -> str:
    return f"{case.number} ({case.category}, {case.severity}, {case.state}, {case.version})"
