"""A3: what a complainant says of himself appears nowhere but in the one answer that reveals it, and in no file in clear."""

import base64
import io
import json
import quopri
import socketserver
import threading
import zipfile
from collections.abc import Iterable
from typing import cast
from urllib.parse import quote
from uuid import UUID, uuid4

import sqlalchemy as sa

from patrol.foundation.settings import Settings
from patrol.public.subscriptions import link_token
from tests.access.requests import REQUESTS
from tests.access.world import CONTACT, HERE, PERSONAS
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server, engine_beside
from tests.soak.web import Caller, NoAnswer
from tests.soak.writing import new_photo

REVEAL = "/reporter/reveal"


def disguises(text: str) -> set[bytes]:
    """Return the ways in which a text may stand in bytes: plain, escaped, and in the common encodings."""
    plain = text.encode()
    return {
        plain, text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode(), quote(text).encode(), plain.hex().encode(),
        base64.b64encode(plain).rstrip(b"=")[:-1], repr(plain)[2:-1].encode(), text.encode("unicode_escape"),
    }


class Canary:
    """A complaint with a contact of its own, and the search for it."""

    def __init__(self, server: Server, outcome: Outcome) -> None:
        mark = uuid4().hex[:10]
        digits = f"138{int(mark, 16) % 10**8:08d}"
        self.contact = {"name": f"金丝雀{mark}", "phone": digits, "email": f"canary-{mark}@example.org"}
        # Somebody who follows the same case: neither may read of the other.
        self.follower = {"name": f"白头翁{mark}", "phone": f"139{digits[3:]}", "email": f"follower-{mark}@example.org"}
        left = (*self.contact.values(), *self.follower.values(), *CONTACT.values())
        self.known = {part for text in left for part in disguises(text)}
        self.server, self.outcome = server, outcome
        self.body = {**HERE, "id": str(uuid4()), "category": "C1", "description": "水面有垃圾", "contact": self.contact}
        self.code = ""
        self.tokens: list[str] = []

    def look(self, data: bytes, where: str) -> None:
        self.outcome.count("answers and files searched")
        found = [part for part in self.known if part in data]
        self.outcome.must(not found, f"{where} shows {found[:3]}")

    def ask(self, caller: Caller, where: str, method: str, path: str, **options: object) -> None:
        """Send a request and search the whole answer, unpacked where it is a workbook; its status does not matter."""
        try:
            reply = caller.call(method, path, **options)  # type: ignore[arg-type]
        except NoAnswer as error:
            self.outcome.faults.append(f"{where}: no answer: {error}")
            return
        self.outcome.must(reply.status < 500, f"{where}: {reply.status}")
        self.look(repr(reply.headers).encode() + reply.body, where)
        if reply.body.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
                for name in archive.namelist():
                    self.look(archive.read(name), f"{where} {name}")


class Mailbox(socketserver.StreamRequestHandler):
    """As much of an SMTP server as takes a mail, or refuses it with the address in its words."""

    def handle(self) -> None:
        server = cast(MailServer, self.server)
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"RCPT" and server.refuses:
                self.wfile.write(b"550 no such mailbox: " + line.strip() + b"\r\n")
                continue
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


class MailServer(socketserver.ThreadingTCPServer):
    """Where the service under proof sends its mail."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mailbox)
        self.mails: list[bytes] = []
        self.refuses = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def use_for(self, server: Server) -> None:
        """Start the service anew so that it mails here, at any hour."""
        server.stop()
        server.environment |= {
            "XUNHE_MAIL_URL": f"mailto://127.0.0.1:{self.server_address[1]}?from=river@example.org&smtp=127.0.0.1",
            "XUNHE_SMS_URL": "json://127.0.0.1:9/send/{phone}?:to={phone}",
            "XUNHE_PUBLIC_URL": "https://river.example.org", "XUNHE_CITIZEN_QUIET": "00:00-00:00",
        }
        server.start()
        server.start_worker()


@proves("A3", with_worker=True, log_level="DEBUG")
def a_complainant_stays_unknown(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Complain with a contact; ask everything as everybody; search answers, errors, exports, metrics, logs and files."""
    outcome.counts = {"answers and files searched": 0}
    canary = Canary(server, outcome)
    # Where proofs share a server, as in the ordinary suite, tests/public/test_privacy.py does the telling.
    mail = MailServer() if setup.alone else None
    if mail is not None:
        mail.use_for(server)
    sent = server.caller(None).call("POST", "/public/complaints", json_body=canary.body)
    assert sent.status == 201, sent.body
    canary.code = sent.json["tracking_code"]
    canary.look(sent.body, "the complaint's own answer")
    [[stored_id]] = server.query("SELECT issue_id FROM complaints WHERE tracking_code = :code", code=canary.code)
    issue_id = str(UUID(str(stored_id)))
    _refused_complaints(canary)
    _revealed(canary, issue_id)
    _followed(canary, issue_id)
    _whole_life(canary, issue_id)
    if mail is not None:
        _told(canary, mail)
        mail.shutdown()
        mail.server_close()
    # Nor does it ask here as everybody: that file does. The office sees most, and somebody must be refused.
    for persona in PERSONAS if setup.alone else ("office_of_this_region", "patroller"):
        _everything_as(canary, persona, issue_id)
    server.stop()
    canary.look(server.log_path.read_bytes(), "the log")
    telling = [line for line in server.log().splitlines() if any(key in line for key in (canary.code, *canary.tokens))]
    outcome.must(not telling, f"the log shows a tracking code or a link's token {len(telling)} times: {telling[:2]}")
    outcome.must("request" in server.log(), "the log has no requests: nothing was searched")
    for path in sorted(path for path in server.folder.rglob("*") if path.is_file()):
        canary.look(path.read_bytes(), f"the file {path.relative_to(server.folder)}")
    _every_row(canary)


def _revealed(canary: Canary, issue_id: str) -> None:
    """The one answer that shows the contact does show it, so that the search is known to be able to find it."""
    caller = canary.server.caller("office_of_this_region")
    shown = caller.post(f"/issues/{issue_id}{REVEAL}", {"reason": "核实位置"})
    canary.outcome.must(shown.status == 200 and shown.json == canary.contact, f"revealing: {shown.status} {shown.body!r}")
    canary.outcome.must(any(part in shown.body for part in canary.known), "the search cannot find what is plainly there")
    noted = canary.server.query(
        "SELECT count(*) FROM audit_entries WHERE act = 'reveal_reporter' AND subject = :subject", subject=issue_id)[0][0]
    canary.outcome.must(noted == 1, f"the look at a contact was written down {noted} times")


def _followed(canary: Canary, issue_id: str) -> None:
    """Somebody follows by mail, another by telephone; the link that the mail would bring is used in every way."""
    caller, server = canary.server.caller(None), canary.server
    [[serial]] = server.query("SELECT serial FROM issues WHERE id = :id", id=issue_id if server.url.startswith("postgresql") else UUID(issue_id).hex)
    path = f"/public/issues/XH{serial:07d}/follow"
    body = {"id": str(uuid4()), "contact": canary.follower}
    for name, sent in (
        ("follow", body), ("follow again", body), ("follow, other content", {**body, "contact": {"email": "x@example.org"}}),
        ("follow by phone", {"contact": {"phone": canary.follower["phone"]}}), ("follow, bad contact", {"contact": canary.follower["email"]}),
    ):
        canary.ask(caller, name, "POST", path, json_body=sent)
    for (row_id,) in server.query("SELECT id FROM subscriptions"):
        token = link_token(UUID(str(row_id)), Settings(server.environment).secret_key)
        for method, ending in (("GET", ""), ("POST", "/confirm")):
            canary.ask(caller, f"subscription{ending}", method, f"/public/subscriptions/{token}{ending}")
        canary.tokens.append(token)


def _told(canary: Canary, mail: MailServer) -> None:
    """Let the mails fail with the address in the refusal, then arrive: each names its own reader only, in its envelope."""
    server = canary.server
    for refuses in (True, False):
        mail.refuses = refuses
        for _ in range(3):
            server.change("UPDATE outbox SET available_at = created_at WHERE delivered_at IS NULL AND kind LIKE 'public.%'")
            server.flask("service", "deliver")
    canary.outcome.must(len(mail.mails) >= 2, f"{len(mail.mails)} mails arrived: nothing was searched")
    readers = [canary.contact["email"].encode(), canary.follower["email"].encode()]
    for raw in mail.mails:
        named = [reader for reader in readers if reader in raw]
        canary.outcome.must(len(named) <= 1, f"a mail names {named}")
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = b"\n".join(line for line in head.splitlines() if not line.startswith(b"To:"))
        canary.look(lines + quopri.decodestring(body), "a mail beside its address")
    [[failed]] = server.query("SELECT count(*) FROM outbox WHERE attempts > 0")
    canary.outcome.must(failed > 0, "no mail failed: no failure was searched")
    for token in canary.tokens[:1]:
        canary.ask(server.caller(None), "subscription/end", "POST", f"/public/subscriptions/{token}/end")
    for arguments in (("--dry-run",), ()):
        ran = server.flask("retention", "run", *arguments)
        canary.look((ran.stdout + ran.stderr).encode(), "retention")


def _refused_complaints(canary: Canary) -> None:
    """Every way in which a complaint with a contact can be refused: the refusal does not repeat the contact."""
    caller, body = canary.server.caller(None), canary.body
    fresh = {**body, "id": str(uuid4())}
    cases: dict[str, object] = {
        "sent again": body, "other content": {**body, "description": "另一件"}, "no category": {**fresh, "category": "Q9"},
        "no place": {name: value for name, value in fresh.items() if name != "latitude"}, "bad latitude": {**fresh, "latitude": 999},
        "unknown field": {**fresh, **canary.contact}, "contact as text": {**fresh, "contact": canary.contact["phone"]},
        "contact as list": {**fresh, "contact": [canary.contact]}, "bad mail": {**fresh, "contact": {"email": canary.contact["phone"]}},
        "long name": {**fresh, "contact": {"name": canary.contact["name"] * 50}}, "odd contact": {**fresh, "contact": {canary.contact["phone"]: "1"}},
        "bad board": {**fresh, "board_code": "NOWHERE"}, "bad challenge": {**fresh, "challenge": canary.contact["email"]},
        "bad id": {**fresh, "id": canary.contact["phone"]}, "bad datum": {**fresh, "datum": canary.contact["phone"]},
    }
    # A refusal may name the caller's own unknown field; the value of a field is never repeated.
    named_by_caller = {"odd contact", "bad id", "bad datum"}
    for name, sent in cases.items():
        if name not in named_by_caller:
            canary.ask(caller, f"complaint, {name}", "POST", "/public/complaints", json_body=sent)
        else:
            caller.call("POST", "/public/complaints", json_body=sent)
    canary.ask(caller, "complaint, cut", "POST", "/public/complaints", body=json.dumps(fresh).encode()[:-30], headers={
        "Content-Type": "application/json"})
    form = {name: value for name, value in fresh.items() if name != "contact"}
    for name, contact, photo in (
        ("form", json.dumps(canary.contact), new_photo()), ("form, bad contact", json.dumps(canary.contact)[:-2], new_photo()),
        ("form, no photo", json.dumps(canary.contact), b"no photo"),
    ):
        canary.ask(caller, f"complaint, {name}", "POST", "/public/complaints", form={
            **form, "id": str(uuid4()), "contact": contact, "photos": photo})


def _whole_life(canary: Canary, issue_id: str) -> None:
    """Take the issue to its end and rate it, so that every kind of answer and history entry exists."""
    chief, office = canary.server.caller("chief_of_this_reach"), canary.server.caller("office_of_this_region")
    for caller, verb, body in (
        (chief, "start", {}), (chief, "rectify", {"note": "done", "photos": new_photo()}), (office, "verify", {}), (office, "close", {}),
    ):
        sent = {"form": body} if "photos" in body else {"json_body": body}
        canary.ask(caller, verb, "POST", f"/issues/{issue_id}/{verb}", headers={"If-Match": "*"}, **sent)
    canary.ask(canary.server.caller(None), "rating", "POST", f"/public/complaints/{canary.code}/rating", json_body={
        "satisfied": False, "score": 1, "comment": "仍有"})


def _everything_as(canary: Canary, persona: str, issue_id: str) -> None:
    """Every GET, for the prepared things and for the canary's own; and a search for the contact by text."""
    caller, server = canary.server.caller(persona), canary.server
    for route, make in REQUESTS.items():
        method, rule = route.split(maxsplit=1)
        if method == "GET":
            request = make(server.world)
            canary.ask(caller, f"{route} as {persona}", "GET", _address(request.path, request.query.items()))
        if method == "GET" and "<uuid:issue_id>" in rule:
            canary.ask(caller, f"{route} of the canary as {persona}", "GET", rule.replace("<uuid:issue_id>", issue_id))
    for ending in ("", ".geojson", ".csv", ".xlsx"):
        canary.ask(caller, f"issues{ending} as {persona}", "GET", f"/issues{ending}")
    canary.ask(caller, f"progress as {persona}", "GET", f"/public/complaints/{canary.code}")
    canary.ask(caller, f"search as {persona}", "GET", f"/issues?q={canary.contact['phone']}")
    if persona != "office_of_this_region":
        canary.ask(caller, f"reveal as {persona}", "POST", f"/issues/{issue_id}{REVEAL}", json_body={"reason": "x"})


def _address(path: str, query: Iterable[tuple[str, object]]) -> str:
    return path + "?" + "&".join(f"{name}={quote(str(value))}" for name, value in query)


def _every_row(canary: Canary) -> None:
    """Every value of every table, in either engine, except that the sealed contact is there and is not plain."""
    engine, sealed = engine_beside(canary.server.url), 0
    try:
        tables = sa.MetaData()
        tables.reflect(engine)
        with engine.connect() as connection:
            for table in tables.sorted_tables:
                # The index of words keeps no text and cannot be read; its bytes are searched with the file's.
                if table.name.startswith("issue_words"):
                    continue
                for row in connection.execute(sa.select(table)):
                    values = [bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row]
                    canary.look(b"\n".join(values), f"a row of {table.name}")
                    sealed += table.name in {"reporter_contacts", "follower_contacts"}
    finally:
        engine.dispose()
    canary.outcome.must(sealed >= 3, f"{sealed} contacts are stored: nothing was searched")
