"""P4: naughty strings in every free-text field come back as they were sent, or are refused; nothing breaks on them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.access.world import HERE
from tests.soak.openapi import Description, Operation, request_of, who_may
from tests.soak.proof import Outcome, Setup, histories_must_be_sound, proves
from tests.soak.server import Server
from tests.soak.strings import NAUGHTY
from tests.soak.web import NoAnswer, Reply
from tests.soak.writing import RECORDED, new_photo

Path = tuple[str, ...]
Field = tuple[str, Path]
# Free texts that do not come back, each with the reason: for them only "no 5xx, faults as problems" is asked.
_POLICIES = "once for each code and day: tests/issues reads reasons and sources back"
NOT_SHOWN: dict[Field, str] = {
    ("log_in", ("username",)): "an unknown user is refused", ("log_in", ("password",)): "a secret",
    ("log_in", ("device",)): "the world's sign-ins would be used up by the slow-down",
    ("refresh_tokens", ("refresh_token",)): "a secret", ("change_my_password", ("current_password",)): "a secret",
    ("change_my_password", ("new_password",)): "a secret", ("add_person", ("password",)): "a secret",
    ("change_person", ("password",)): "a secret", ("send_complaint", ("challenge",)): "a proof of work",
    ("reveal_reporter", ("reason",)): "stands in the audit log only",
    ("send_complaint", ("contact", "name")): "sealed", ("send_complaint", ("contact", "phone")): "sealed",
    ("send_complaint", ("contact", "email")): "sealed", ("add_channel", ("address",)): "sealed",
    ("add_webhook", ("url",)): "an address that must be one",
    ("follow_issue", ("challenge",)): "a proof of work", ("follow_issue", ("contact", "name")): "sealed",
    ("follow_issue", ("contact", "phone")): "sealed", ("follow_issue", ("contact", "email")): "sealed",
    ("say_not_fixed", ("reason",)): "once for each case: tests/public/test_reopening.py reads it back",
    ("try_frequency_version", ("title",)): "nothing is kept",
    ("try_frequency_version", ("during",)): "a period",
    **{(f"add_{kind}_version", ("source", tongue)): "only the top of the regions adds them: tests/patrols/test_policy_api.py reads it back"
       for kind in ("integrity", "coverage", "datum") for tongue in ("zh", "en")},
    ("decide_reopening_request", ("reason",)): "once for each request: tests/public/test_reopening.py reads it back",
    ("apply_policies_to_open", ("reason",)): "tests/issues/test_recounting.py reads it back",
    ("add_ownership", ("source_zh",)): "tests/issues/test_departments.py reads it back",
    ("add_ownership", ("source_en",)): "tests/issues/test_departments.py reads it back",
    ("end_ownership", ("reason",)): "once for each row: tests/issues/test_departments.py reads it back",
    ("dispatch_issue", ("co_handlers", "*", "part")): "tests/issues/test_departments.py reads it back",
    ("dispatch_issue", ("co_handlers", "*", "person")): "an account",
    ("dispatch_issue", ("reason",)): "tests/issues/test_far_dates.py reads it back",
    ("report_milestone_done", ("note",)): "once for each milestone: tests/issues/test_milestones.py reads it back",
    **{(name, ("reason",)): "once for each photo: tests/public/test_hidden_photos.py reads it back" for name in ("hide_photo", "show_photo_again")},
    ("report_part", ("note",)): "once for each part: tests/issues/test_departments.py reads it back",
    ("take_back_part", ("reason",)): "once for each part: tests/issues/test_departments.py reads it back",
    **{(f"{verb}_{kind}_version", (field, tongue)): _POLICIES if verb == "add" else "nothing is kept"
       for verb in ("add", "try") for kind, own in (("calendar", "name"), ("deadline", None), ("dispatch", "reason"), ("escalation", "name"),
                                                       ("relapse", None), ("look_back", None))
       for field in filter(None, ("source", own)) for tongue in ("zh", "en")},
    ("close_issue", ("note",)): "once for each case: tests/issues/test_judging.py reads it back",
    ("merge_issue", ("into",)): "an issue, by id or number",
    ("merge_issue", ("reason",)): "once for each pair: tests/issues/test_merging.py reads it back",
    ("unmerge_issue", ("reason",)): "once for each pair: tests/issues/test_merging.py reads it back",
}
# Codes and names of other things: a text that names nothing is refused, one that does is not free.
REFERENCES = {
    "region_code", "department", "category", "ground", "lead", "region", "board_code", "code", "reach_code", "username", "co_handlers", "*",
    "approved_by",
    "sha256",
}
# Longer ones make an address that gunicorn refuses before the application sees it; P6 sends such.
LONGEST_QUERY = 300


class Story:
    """Sends one naughty string through every field that an issue's whole life has, and through the other creates."""

    def __init__(self, server: Server, outcome: Outcome) -> None:
        self.server, self.outcome, self.covered = server, outcome, set[Field]()
        self.callers = {name: server.caller(name) for name in (
            "anonymous", "chief_of_this_reach", "office_of_this_region", "supervisor", "admin")}

    def send(self, who: str, operation: str, field: Path, method: str, path: str, body: dict[str, Any], **more: Any) -> Reply | None:
        """Send one request; None when there was no answer. `field` is covered by it."""
        self.covered.add((operation, field))
        return _must_be_clean(self.outcome, f"{operation} {field}", lambda: self.callers[who].call(
            method, path, json_body=body, **more))

    def same(self, operation: str, field: Path, sent: str, found: Any) -> None:
        # A field that says nothing may come back as left out.
        self.outcome.must(found == sent or (not sent and found is None), f"{operation} {field}: sent {sent[:60]!r}, came back {str(found)[:60]!r}")

    def tell(self, text: str) -> None:
        """Send `text` through everything."""
        for part in (self._people, self._patrols, self._findings, self._duties, self._issue_life, self._back_and_ledger, self._orders, self._supervision, self._complaint):
            part(text)

    def _people(self, text: str) -> None:
        fresh = {"username": f"n.{uuid4().hex}", "name": "姓名", "roles": ["patroller"], "region_code": self.server.world.regions["this"]}
        for field in ("name", "phone", "title"):
            body = {**fresh, "username": f"n.{uuid4().hex}", field: text}
            reply = self.send("admin", "add_person", (field,), "POST", "/people", body)
            if reply is not None and reply.status == 201:
                self.same("add_person", (field,), text, reply.json[field])
            path = f"/people/{self.server.world.people['citizen_chief']}"
            changed = self.send("admin", "change_person", (field,), "PATCH", path, {field: text}, headers={"If-Match": "*"})
            if changed is not None and changed.status == 200:
                self.same("change_person", (field,), text, self.callers["admin"].get(path).json[field])
        body = {"reach_id": self.server.world.reaches["this"], "person_id": self.server.world.people["patroller"], "title": text,
                "valid_from": "2026-01-01"}
        reply = self.send("office_of_this_region", "appoint", ("title",), "POST", "/appointments", body)
        if reply is not None and reply.status == 201:
            self.same("appoint", ("title",), text, reply.json["title"])

    def _orders(self, text: str) -> None:
        body = {**HERE, "category": "C1", "severity": "serious", "description": "水面有垃圾"}
        issue = self.callers["chief_of_this_reach"].call("POST", "/issues", json_body=body).json
        path = f"/issues/{issue['id']}/supervise"
        given = self.send("supervisor", "supervise_issue", ("text",), "POST", path, {"kind": "letter", "text": text}, headers={"If-Match": "*"})
        if given is None or given.status != 200:
            return
        [order] = self.callers["supervisor"].get(f"/orders?issue={issue['id']}").json["items"]
        self.same("supervise_issue", ("text",), text, order["text"])
        answered = self.send("office_of_this_region", "answer_order", ("text",), "POST", f"/orders/{order['id']}/answer", {"text": text})
        if answered is not None and answered.status == 200:
            self.same("answer_order", ("text",), text, answered.json["answer"])

    def _supervision(self, text: str) -> None:
        added = self.send("chief_of_this_reach", "add_device", ("label",), "POST", "/devices", {"label": text})
        if added is not None and added.status == 201:
            self.same("add_device", ("label",), text, added.json["label"])
        who, reach_id = "office_of_this_region", self.server.world.reaches["this"]
        body = {"reach_id": reach_id, "reason": text, "due_on": "2099-01-01"}
        planned = self.send(who, "plan_spot_check", ("reason",), "POST", "/spot-checks", body)
        if planned is not None and planned.status == 201:
            self.same("plan_spot_check", ("reason",), text, planned.json["reason"])
        check = self.callers[who].call("POST", "/spot-checks", json_body={**body, "reason": "抽查"}).json
        photo_id = self.callers[who].call("POST", "/photos", form={"file": new_photo()}).json["id"]
        found = {**HERE, "result": "cured", "note": text, "recorded_at": RECORDED, "photo_ids": [photo_id]}
        path = f"/spot-checks/{check['id']}/finish"
        done = self.send(who, "finish_spot_check", ("note",), "POST", path, found, headers={"If-Match": "*"})
        if done is not None and done.status == 200:
            self.same("finish_spot_check", ("note",), text, done.json["note"])
        for kind in ("issue", "reach"):
            self.covered.add((f"watch_{kind}", ("note",)))
        watched = self.send(who, "watch_reach", ("note",), "PUT", f"/watch-list/reaches/{reach_id}", {"note": text})
        if watched is not None and watched.status == 204:
            self.same("watch_reach", ("note",), text, self.callers[who].get("/watch-list").json["items"][0]["note"])

    def _patrols(self, text: str) -> None:
        path, who = f"/patrols/{uuid4()}", "chief_of_this_reach"
        body = {"reach_ids": [self.server.world.reaches["this"]], "mode": "walk", "started_at": RECORDED}
        reply = self.send(who, "begin_patrol", ("device",), "PUT", path, {**body, "device": text})
        if reply is not None and reply.status == 201:
            self.same("begin_patrol", ("device",), text, self.callers[who].get(path).json["device"])
        else:
            self.callers[who].put(path, body)
        for name in ("id", "model", "system", "app", "app_version", "receiver"):
            place, field = f"/patrols/{uuid4()}", ("device_details", name)
            reply = self.send(who, "begin_patrol", field, "PUT", place, {**body, "device_details": {name: text}})
            if reply is not None and reply.status == 201:
                self.same("begin_patrol", field, text, self.callers[who].get(place).json["device_details"][name])
        reply = self.send(who, "sync", ("device",), "POST", "/sync", {"device": text, "pending": 1, "items": []})
        if reply is not None and reply.status == 200:
            self.same("sync", ("device",), text, self.callers[who].get("/phone-queues?limit=1").json["items"][0]["device"])
        reply = self.send(who, "finish_patrol", ("summary",), "POST", f"{path}/finish", {"ended_at": "2026-05-02T08:00:00Z", "summary": text})
        if reply is not None and reply.status == 200:
            self.same("finish_patrol", ("summary",), text, self.callers[who].get(path).json["summary"])
        correction = {"ended_at": "2026-05-02T07:00:00Z", "reason": text}
        reply = self.send(who, "finish_patrol", ("reason",), "POST", f"{path}/finish", correction, headers={"If-Match": "*"})
        if reply is not None and reply.status == 200 and text:
            self.same("finish_patrol", ("reason",), text, self.callers[who].get(path).json["ends"][-1]["reason"])
        path = f"/check-ins/{uuid4()}"
        reply = self.send(who, "put_check_in", ("note",), "PUT", path, {**HERE, "recorded_at": RECORDED, "note": text})
        if reply is not None and reply.status == 201:
            self.same("put_check_in", ("note",), text, self.callers[who].get(path).json["note"])
        reply = self.send(who, "add_check_in", ("note",), "POST", "/check-ins", {**HERE, "recorded_at": RECORDED, "note": text})
        if reply is not None and reply.status == 201:
            self.same("add_check_in", ("note",), text, reply.json["note"])

    def _findings(self, text: str) -> None:
        world, chief, office = self.server.world, "chief_of_this_reach", "office_of_this_region"
        path = f"/patrols/{world.others['patrol_id']}/findings/{world.others['finding_code']}"
        for operation, verb, who in (
            ("reply_to_finding", "reply", chief), ("judge_finding", "judge", office), ("withdraw_from_finding", "withdraw", office)):
            body = {"id": str(uuid4()), "text": text, **({"judgement": "upheld"} if verb == "judge" else {})}
            reply = self.send(who, operation, ("text",), "POST", f"{path}/{verb}", body)
            if reply is not None and reply.status == 201:
                [finding] = reply.json["findings"]
                self.same(operation, ("text",), text, finding["statements"][-1]["text"])

    def _duties(self, text: str) -> None:
        world, chief, office = self.server.world, "chief_of_this_reach", "office_of_this_region"
        policy = {"level": "village", "region": world.regions["this"], "period": "week", "times": 1, "valid_from": "2026-01-01",
                  "source": {"zh": "规定", "en": "Rule"}}
        for way in (("source", "zh"), ("source", "en"), ("title",)):
            said = {"title": text} if way == ("title",) else {"source": {**policy["source"], way[1]: text}}
            path = f"/frequency-policies/{uuid4()}"
            reply = self.send(office, "add_frequency_policy", way, "PUT", path, {**policy, **said})
            if reply is not None and reply.status == 201:
                self.same("add_frequency_policy", way, text, reply.json["title"] if way == ("title",) else reply.json["source"][way[1]])
            body = {**policy, "id": str(uuid4()), "valid_from": "2999-01-01", **said}
            reply = self.send(office, "add_frequency_version", way, "POST", "/policies/frequency", body)
            if reply is not None and reply.status == 201:
                self.same("add_frequency_version", way, text, reply.json["title"] if way == ("title",) else reply.json["source"][way[1]])
        body = {"reach_id": world.reaches["this"], "colour": "red", "trigger": "issue", "valid_from": "2026-05-01", "reason": text}
        reply = self.send(office, "raise_reach_warning", ("reason",), "PUT", f"/reach-warnings/{uuid4()}", body)
        if reply is not None and reply.status == 201:
            self.same("raise_reach_warning", ("reason",), text, reply.json["reason"])
        path = f"/delegations/{uuid4()}"
        body = {"principal_id": world.people[chief], "deputy_id": world.people["patroller"], "valid_from": "2026-05-01",
                "valid_to": "2026-05-31", "reason": text}
        reply = self.send(chief, "delegate_patrols", ("reason",), "PUT", path, body)
        if reply is not None and reply.status == 201:
            self.same("delegate_patrols", ("reason",), text, self.callers[chief].get(path).json["reason"])
        # The prepared world has handed out a seed for this day.
        path, moment = f"/patrols/{uuid4()}", "2026-05-01T08:00:00+08:00"
        self.callers[chief].put(path, {"reach_ids": [world.reaches["this"]], "mode": "walk", "started_at": moment})
        body = {**HERE, "reached": True, "recorded_at": moment, "reason": text, "photo_id": str(uuid4())}
        reply = self.send(chief, "answer_patrol_checkpoint", ("reason",), "PUT", f"{path}/checkpoints/1", body)
        if reply is not None and reply.status == 201:
            self.same("answer_patrol_checkpoint", ("reason",), text, self.callers[chief].get(path).json["checkpoints"][0]["answer"]["reason"])

    def _issue_life(self, text: str) -> None:
        chief, office = "chief_of_this_reach", "office_of_this_region"
        body = {**HERE, "category": "C1", "severity": "serious", "description": text}
        reply = self.send(chief, "report_issue", ("description",), "POST", "/issues", body)
        if reply is not None and reply.status == 201:
            self.same("report_issue", ("description",), text, reply.json["description"])
        else:
            reply = self.callers[chief].post("/issues", {**body, "description": "平常的文字"})
        path = f"/issues/{reply.json['id']}"
        photo = {"photo_ids": [self.callers[chief].call("POST", "/photos", form={"file": new_photo()}).json["id"]]}
        again = {"photo_ids": [self.callers[chief].call("POST", "/photos", form={"file": new_photo()}).json["id"]]}
        for who, verb, field, more in (
            (office, "accept", "note", {}), (office, "transfer", "reason", {"reach_id": self.server.world.reaches["this"]}),
            (office, "dispatch", "note", {}), (chief, "start", "note", {}), (chief, "progress", "note", {}), (chief, "rectify", "note", photo),
            (office, "return", "reason", {}), (chief, "rectify", "note", again), (office, "verify", "note", {}),
            (office, "close", "public_summary", {}), (office, "reopen", "reason", {}),
            (office, "reject", "reason", {"ground": "no_evidence_found"}),
        ):
            self._step(who, verb, field, text, path, more)
        if text.strip() and text.isprintable():
            found = self.callers[office].call("GET", "/issues?" + urlencode({"q": text[:100]}))
            self.outcome.must(found.status < 500, f"q={text[:60]!r}: {found.status}")

    def _back_and_ledger(self, text: str) -> None:
        chief, office = "chief_of_this_reach", "office_of_this_region"
        body = {**HERE, "category": "C1", "severity": "general", "description": "平常的文字"}
        paths = [f"/issues/{self.callers[chief].post('/issues', body).json['id']}" for _ in range(3)]
        words = {"ground": "other_reach", "reason": "平常的文字", "suggested_owner": "水利局"}
        for path, field in zip(paths, ("reason", "suggested_owner"), strict=False):
            self._step(chief, "decline", field, text, path, words)
        waiting = self.callers[chief].post("/issues", {**body, "severity": "serious"}).json["id"]
        self._step(office, "accept", "reason", text, f"/issues/{waiting}", {})
        self._step(office, "merge", "reason", text, paths[0], {"into": paths[1].split("/")[-1]})
        self._step(office, "unmerge", "reason", text, paths[0], {})
        due = datetime.fromisoformat(self.callers[office].get(paths[2]).json["due_at"])
        later = {"until": (due + timedelta(days=1)).isoformat()}
        self._step(chief, "extensions", "reason", text, paths[2], later, "ask_extension")
        self._step(office, "extensions/1/decide", "reason", text, paths[2], {"granted": True}, "decide_extension")
        ledger = {"reason": "平常的文字", "review_on": f"{datetime.now(UTC).date() + timedelta(days=300)}", "milestones": [{"text": "平常的文字", "due_on": "2999-01-01"}],
                  "approved_by": "supervisor"}
        self._step(office, "suspend", "reason", text, paths[2], ledger)
        self._step(office, "resume", "note", text, paths[2], {})
        named = {**ledger, "milestones": [{"text": text, "due_on": "2999-01-01"}]}
        field = ("milestones", "*", "text")
        reply = self.send(office, "suspend_issue", field, "POST", f"{paths[2]}/suspend", named, headers={"If-Match": "*"})
        if reply is not None and reply.status == 200:
            self.same("suspend_issue", field, text, reply.json["suspension"]["milestones"][0]["text"])

    def _step(
        self, who: str, verb: str, field: str, text: str, path: str, more: dict[str, Any], operation: str = ""
    ) -> None:
        operation, match = operation or f"{verb}_issue", {"If-Match": "*"}
        reply = self.send(who, operation, (field,), "POST", f"{path}/{verb}", {**more, field: text}, headers=match)
        if reply is not None and reply.status == 200:
            entry = self.callers[who].get(f"{path}/history").json["items"][-1]
            found = reply.json["public_summary"] if field == "public_summary" else (
                entry["changes"][field]["to"] if field == "suggested_owner" else entry[field])
            self.same(operation, (field,), text, found)
            return
        # An owner must be somebody known; other texts may say anything.
        words = "水利局" if field == "suggested_owner" else "平常的文字"
        plain = self.callers[who].post(f"{path}/{verb}", {**more, field: words}, headers=match)
        self.outcome.must(plain.status == 200, f"{operation}: after a refusal the plain text got {plain.status} {plain.body[:200]!r}")

    def _complaint(self, text: str) -> None:
        body = {**HERE, "category": "C1", "description": text, "contact": {"phone": "13900000000"}}
        deed_id = str(uuid4())
        reply = self.send("anonymous", "send_complaint", ("description",), "POST", "/public/complaints", {**body, "id": deed_id})
        if reply is not None and reply.status == 201:
            stored = self.server.query(
                "SELECT i.description FROM issues i JOIN complaints c ON c.issue_id = i.id WHERE c.tracking_code = :code",
                code=reply.json["tracking_code"])
            self.same("send_complaint", ("description",), text, stored[0][0])


def _must_be_clean(outcome: Outcome, name: str, call: Callable[[], Reply]) -> Reply | None:
    """Count a request whose answer must be a success or a problem document; return it, None when none came."""
    outcome.count("requests")
    try:
        reply = call()
    except NoAnswer as error:
        outcome.faults.append(f"{name}: no whole answer: {error}")
        return None
    clean = reply.status < 400 or (reply.status < 500 and reply.media_type == "application/problem+json")
    outcome.must(clean, f"{name}: {reply.status} {reply.body[:200]!r}")
    return reply


@proves("P4")
def naughty_strings_come_back_or_are_refused(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send every naughty string through every free-text field that the description names, and through query strings."""
    outcome.counts = {"strings": 0, "fields": 0, "requests": 0}
    description = Description(server.caller(None))
    story, texts = Story(server, outcome), setup.sample(NAUGHTY, least=4 if setup.alone else 2)
    for text in texts:
        outcome.count("strings")
        story.tell(text)
    wanted = set(_fields(description))
    outcome.counts["fields"] = len(wanted)
    rating = {("rate_complaint", ("comment",))}
    for operation in description.operations():
        _through_the_rest(server, operation, [
            field for name, field in wanted - story.covered - rating if name == operation.name], texts, outcome)
        _through_the_query(server, operation, texts, outcome)
    _rate(server, texts, outcome)
    uncovered = wanted - story.covered - rating - NOT_SHOWN.keys() - {each for each in wanted if each[1][-1] in REFERENCES}
    outcome.must(not uncovered, f"free texts that nothing here reads back: {sorted(uncovered)}")
    for ending in ("csv", "xlsx", "geojson"):
        exported = server.caller("office_of_this_region").get(f"/issues.{ending}")
        outcome.must(exported.status == 200, f"issues.{ending}: {exported.status}")
    plain = [line for line in server.log().splitlines() if not _is_json(line)]
    outcome.must(not plain, f"{len(plain)} lines of the log are no JSON: {plain[:3]}")
    histories_must_be_sound(server, setup, outcome)


def _fields(description: Description) -> Iterator[Field]:
    for operation in description.operations():
        schema = operation.body_schema()
        for path in description.free_texts(schema) if schema else ():
            yield operation.name, path


def _with(body: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    if path[0] == "*":
        return [_with(None, path[1:], text)]
    return {**(body if isinstance(body, dict) else {}), path[0]: _with((body or {}).get(path[0]), path[1:], text)}


def _through_the_rest(server: Server, operation: Operation, paths: list[Path], texts: list[str], outcome: Outcome) -> None:
    """Fields of which nothing is read back: no 5xx, and faults as problems."""
    for path in paths:
        caller, request = server.caller(who_may(operation.permission)), request_of(operation, server.world)
        send = partial(caller.call, operation.method, request.path, headers=request.headers)
        for text in texts:
            body = _with(request.json, path, text)
            _must_be_clean(outcome, f"{operation.name} {path} {text[:60]!r}", partial(send, json_body=body))


def _through_the_query(server: Server, operation: Operation, texts: list[str], outcome: Outcome) -> None:
    named = [each["name"] for each in operation.described["parameters"] if each["in"] == "query"]
    if operation.method != "GET" or not named:
        return
    caller, request = server.caller(who_may(operation.permission)), request_of(operation, server.world)
    for name in named:
        for text in texts[:: max(1, len(texts) // 20)]:
            if any("\ud800" <= letter <= "\udfff" for letter in text):
                continue
            address = f"{request.path}?{urlencode({**request.query, name: text[:LONGEST_QUERY]})}"
            _must_be_clean(outcome, f"{operation.name} ?{name}={text[:60]!r}", partial(caller.get, address))


def _rate(server: Server, texts: list[str], outcome: Outcome) -> None:
    """A complaint can be rated once, so each comment needs the rating before it away."""
    path = f"/public/complaints/{server.world.complaints['closed']['tracking_code']}"
    caller: Callable[..., Reply] = server.caller(None).call
    for text in texts:
        server.change("DELETE FROM ratings")
        body = {"satisfied": True, "score": 3, "comment": text}
        reply = _must_be_clean(outcome, f"rate_complaint {text[:60]!r}", partial(caller, "POST", f"{path}/rating", json_body=body))
        if reply is not None and reply.status == 201:
            found = caller("GET", path).json["rating"]["comment"]
            outcome.must(found == text or (not text and found is None), f"rate_complaint: sent {text[:60]!r}, came back {str(found)[:60]!r}")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
