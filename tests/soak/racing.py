"""I1 and I2: many at once with one id, and two contents or two people for one thing."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid4

from tests.access.world import HERE
from tests.soak import writing
from tests.soak.histories import an_hour_more
from tests.soak.proof import Outcome, Setup, histories_must_be_sound, proves
from tests.soak.server import Server
from tests.soak.web import Caller, Reply
from tests.soak.writing import RECORDED, Deed, new_photo

AT_ONCE = 100
PATIENCE_S = 60


def all_at_once(calls: list[Callable[[], Reply]]) -> list[Reply]:
    """Make all the calls in the same moment, each in a thread of its own; an exception counts as status 0."""
    answers: list[Reply | None] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def go(place: int) -> None:
        gate.wait(PATIENCE_S)
        try:
            answers[place] = calls[place]()
        except Exception as error:  # noqa: BLE001 - an answer that never came is a fault like a wrong one
            answers[place] = Reply(0, {}, repr(error).encode())

    threads = [threading.Thread(target=go, args=(place,), daemon=True) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return [answer or Reply(0, {}, b"no answer in time") for answer in answers]


def photo_form() -> Deed:
    deed_id, data = str(uuid4()), new_photo()
    return Deed("photo", deed_id, "POST", "/photos", {"form": {"id": deed_id, "file": data}}, data)


def plain_issue() -> Deed:
    deed_id = str(uuid4())
    body = {**HERE, "id": deed_id, "category": "C1", "severity": "general", "description": deed_id}
    return Deed("issue", deed_id, "POST", "/issues", {"json_body": body})


def plain_complaint() -> Deed:
    deed_id = str(uuid4())
    body = {**HERE, "id": deed_id, "category": "C1", "description": deed_id, "contact": {"phone": "13800000000"}}
    return Deed("complaint", deed_id, "POST", "/public/complaints", {"json_body": body})


def patrol(server: Server) -> Deed:
    deed_id = str(uuid4())
    body = {"reach_ids": [server.world.reaches["this"]], "mode": "walk", "started_at": RECORDED, "device": deed_id}
    return Deed("patrol", deed_id, "PUT", f"/patrols/{deed_id}", {"json_body": body})


def makers(server: Server) -> dict[str, Callable[[], Deed]]:
    """Every create that takes the client's id, as JSON and as a form."""
    return {
        "photo": writing.photo, "photo form": photo_form, "check-in": writing.plain_check_in, "check-in form": writing.check_in,
        "patrol": lambda: patrol(server), "issue": plain_issue, "issue form": writing.issue, "complaint": plain_complaint,
        "complaint form": writing.complaint,
    }


def rows_of(server: Server, deed: Deed) -> dict[str, int]:
    """Count what stands in the database for a deed: the thing itself, and its photo."""
    statements = {
        "check-in": "SELECT count(*) FROM check_ins WHERE note = :it", "patrol": "SELECT count(*) FROM patrols WHERE device = :it",
        "issue": "SELECT count(*) FROM issues WHERE description = :it", "complaint": "SELECT count(*) FROM issues WHERE description = :it",
    }
    found = {}
    if deed.kind in statements:
        found[deed.kind] = server.query(statements[deed.kind], it=deed.id)[0][0]
    if deed.digest:
        found["photo"] = server.query("SELECT count(*) FROM photos WHERE sha256 = :it", it=deed.digest)[0][0]
    return found


def caller_for(server: Server, deed: Deed) -> Any:
    return server.caller(None if deed.kind == "complaint" else "chief_of_this_reach", timeout_s=PATIENCE_S)


@proves("I1")
def one_creation_for_a_hundred(server: Server, setup: Setup, outcome: Outcome) -> None:
    """The same id and content a hundred times at once: one 201, the others 200 with the same answer, one row."""
    outcome.counts = {"trials": 0, "answers": 0, "doubled": 0}
    at_once = AT_ONCE if setup.scale >= 0.1 else AT_ONCE // 5
    for name, make in makers(server).items():
        for _ in range(setup.times(10)):
            deed = make()
            callers = [caller_for(server, deed) for _ in range(at_once)]
            answers = all_at_once([partial(deed.send, caller) for caller in callers])
            _judge(server, name, deed, answers, outcome)


def _judge(server: Server, name: str, deed: Deed, answers: list[Reply], outcome: Outcome) -> None:
    outcome.count("trials")
    outcome.count("answers", len(answers))
    statuses = Counter(answer.status for answer in answers)
    wrong = [answer for answer in answers if answer.status not in {200, 201}]
    outcome.must(statuses == {201: 1, 200: len(answers) - 1}, f"{name}: {dict(statuses)} {wrong[0].body[:300] if wrong else ''!r}")
    rows = rows_of(server, deed)
    if not outcome.must(set(rows.values()) == {1}, f"{name}: rows {rows}"):
        outcome.count("doubled")
    ids = {answer.json["id"] for answer in answers if answer.status in {200, 201}}
    outcome.must(len(ids) == 1, f"{name}: answers name different things: {ids}")


@proves("I2")
def other_content_is_refused(server: Server, setup: Setup, outcome: Outcome) -> None:
    """The same id with other content is a conflict that shows both digests; of racing contents and steps one wins."""
    outcome.counts = {"trials": 0}
    for name, make in makers(server).items():
        for _ in range(setup.times(10)):
            _other_content(server, name, make, outcome)
            _racing_contents(server, name, make, outcome)
    _racing_steps(server, setup.times(100, least=6), setup.random, outcome)
    _racing_decisions(server, setup.times(30, least=2), outcome)
    histories_must_be_sound(server, setup, outcome)


def twin(deed: Deed, make: Callable[[], Deed]) -> Deed:
    """Another content under the id of `deed`."""
    other = make()
    options = dict(other.options)
    for part in ("json_body", "form"):
        if part in options and "id" in options[part]:
            options[part] = {**options[part], "id": deed.id}
    return Deed(deed.kind, other.id, deed.method, deed.path, options, other.photo)


def _conflict(answer: Reply) -> bool:
    if answer.status != 409 or answer.media_type != "application/problem+json":
        return False
    stored, sent = answer.json.get("digest_stored"), answer.json.get("digest_sent")
    return bool(stored) and bool(sent) and stored != sent


def _other_content(server: Server, name: str, make: Callable[[], Deed], outcome: Outcome) -> None:
    outcome.count("trials")
    deed = make()
    other, caller = twin(deed, make), caller_for(server, deed)
    first, second, again = deed.send(caller), other.send(caller), deed.send(caller)
    outcome.must((first.status, again.status) == (201, 200), f"{name}: {first.status}, then {again.status} {again.body[:300]!r}")
    outcome.must(_conflict(second), f"{name}: other content got {second.status} {second.body[:300]!r}")
    outcome.must(set(rows_of(server, deed).values()) == {1}, f"{name}: rows {rows_of(server, deed)}")
    outcome.must(not any(rows_of(server, other).values()), f"{name}: something of the refused content stayed: {rows_of(server, other)}")


def _racing_contents(server: Server, name: str, make: Callable[[], Deed], outcome: Outcome) -> None:
    outcome.count("trials")
    deed = make()
    pair = (deed, twin(deed, make))
    sent = [pair[number % 2] for number in range(20)]
    callers = [caller_for(server, deed) for _ in sent]
    answers = all_at_once([partial(each.send, caller) for each, caller in zip(sent, callers, strict=True)])
    winners = {number % 2 for number, answer in enumerate(answers) if answer.status in {200, 201}}
    statuses = [answer.status for answer in answers]
    if not outcome.must(len(winners) == 1 and statuses.count(201) == 1, f"{name}: racing contents got {statuses}"):
        return
    [winner] = winners
    losers = [answer for number, answer in enumerate(answers) if number % 2 != winner]
    outcome.must(all(_conflict(answer) for answer in losers), f"{name}: losers got {[answer.status for answer in losers]}")
    rows = (rows_of(server, pair[winner]), rows_of(server, pair[1 - winner]))
    outcome.must(set(rows[0].values()) == {1} and not any(rows[1].values()), f"{name}: rows {rows}")


def _racing_steps(server: Server, times: int, chance: Random, outcome: Outcome) -> None:
    """Two people take steps of one issue with the ETag both have read: one 200, the other 409 or 412; one entry more."""
    chief, office = server.caller("chief_of_this_reach"), server.caller("office_of_this_region")
    supervisor, colleague = server.caller("supervisor"), server.caller("office_of_this_region")
    for _ in range(times):
        outcome.count("trials")
        reported = chief.post("/issues", {**HERE, "category": "C1", "severity": "serious", "description": "race"})
        path, verbs = f"/issues/{reported.json['id']}", ()
        race = chance.choice(("accept", "return", "extension", "close"))
        if race == "accept":
            rivals = ((office, "accept", {}), (colleague, "reject", {"ground": "no_evidence_found", "reason": "无"}))
        elif race == "return":
            verbs, rivals = ("accept", "dispatch", "rectify"), ((office, "verify", {}), (supervisor, "return", {"reason": "no"}))
        elif race == "extension":
            verbs, decide = ("accept", "dispatch", "extensions"), "extensions/1/decide"
            rivals = ((office, decide, {"granted": True, "reason": "属实"}), (colleague, decide, {"granted": False, "reason": "可以按期"}))
        else:
            verbs = ("accept", "dispatch", "rectify", "verify", "close")
            rivals = ((office, "reopen", {"reason": "复发"}), (supervisor, "reopen", {"reason": "未整改"}))
        _go_through(verbs, path, office, chief)
        etag, before = office.get(path).headers["etag"], len(office.get(f"{path}/history").json["items"])
        answers = all_at_once([
            partial(caller.post, f"{path}/{verb}", body, headers={"If-Match": etag})
            for caller, verb, body in rivals])
        statuses = sorted(answer.status for answer in answers)
        outcome.must(statuses in ([200, 409], [200, 412]), f"racing {race}: {statuses} {[answer.body[:200] for answer in answers]}")
        outcome.must(len(office.get(f"{path}/history").json["items"]) == before + 1, f"racing {race}: not one entry more")


def _go_through(verbs: tuple[str, ...], path: str, office: Caller, chief: Caller) -> None:
    """Bring an issue to where two can meet over it."""
    for verb in verbs:
        caller, content = office if verb not in {"rectify", "extensions"} else chief, {"json_body": {}}
        if verb == "rectify":
            content = {"form": {"note": "done", "photos": new_photo()}}
        elif verb == "extensions":
            content = {"json_body": {"until": an_hour_more(office, path), "reason": "雨"}}
        _must_succeed(caller.call("POST", f"{path}/{verb}", headers={"If-Match": "*"}, **content))


def _racing_decisions(server: Server, times: int, outcome: Outcome) -> None:
    """Two people decide on one complainant's "not fixed" at once: one 200, the other 409 or 412; one entry more."""
    chief, office, citizen = server.caller("chief_of_this_reach"), server.caller("office_of_this_region"), server.caller(None)
    supervisor = server.caller("supervisor")
    for _ in range(times):
        outcome.count("trials")
        deed = plain_complaint()
        code = deed.send(citizen).json["tracking_code"]
        [[stored_id]] = server.query("SELECT id FROM issues WHERE description = :it", it=deed.id)
        path = f"/issues/{UUID(str(stored_id))}"
        _go_through(("rectify", "verify", "close"), path, office, chief)
        _must_succeed(citizen.post(f"/public/complaints/{code}/not-fixed", {"reason": "还有"}))
        [request] = [row for row in office.get("/reopening-requests?waiting=true&limit=200").json["items"] if path.endswith(row["issue"]["id"])]
        before = len(office.get(f"{path}/history").json["items"])
        answers = all_at_once([
            partial(caller.post, f"/reopening-requests/{request['id']}/decide", {"granted": granted, "reason": "核实"},
                    headers={"If-Match": f'"{request["version"]}"'})
            for caller, granted in ((office, True), (supervisor, False))])
        statuses = sorted(answer.status for answer in answers)
        outcome.must(statuses in ([200, 409], [200, 412]), f"racing decisions: {statuses} {[answer.body[:200] for answer in answers]}")
        outcome.must(len(office.get(f"{path}/history").json["items"]) == before + 1, "racing decisions: not one entry more")


def _must_succeed(reply: Reply) -> None:
    if reply.status >= 300:
        raise RuntimeError(f"{reply.status} {reply.body[:500]!r}")
