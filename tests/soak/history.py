"""L1: whatever is done to stored histories, `flask issues verify` names the issue and the place, and fails."""

import re
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from patrol.evidence.models import Photo
from patrol.issues.models import HistoryEntry, Issue
from tests.access.world import HERE
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server
from tests.soak.writing import new_photo

History, Issues, Photos = HistoryEntry.__table__, Issue.__table__, Photo.__table__
LAST = 7
_LINE = re.compile(r"^(XH\d+) (\S+): (\w+) at (\d+)", re.MULTILINE)
Rows = list[Any]
# Each tampers with one issue's history and returns the entry at which that must be found.
Tamper = Callable[[sa.Connection, UUID, Rows, Random], int]


def _flip(column: str, value: Callable[[Any], Any]) -> Tamper:
    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
        row = chance.choice(rows)
        connection.execute(sa.update(History).where(History.c.id == row.id).values({column: value(getattr(row, column))}))
        return int(row.seq)

    return tamper


def _other_text(text: str | None) -> str:
    return "0" if text is None else text[:-1] + ("0" if text[-1:] != "0" else "1")


def _other_digit(digest: str) -> str:
    return ("1" if digest[0] != "1" else "2") + digest[1:]


FLIPS: dict[str, Callable[[Any], Any]] = {
    "verb": _other_text, "from_state": _other_text, "to_state": _other_text, "actor_name": _other_text, "rule": _other_text,
    "note": _other_text, "reason": _other_text, "ground": _other_text, "hash": _other_digit, "previous_hash": _other_digit,
    "at": lambda at: at + timedelta(microseconds=1), "changes": lambda changes: {**changes, "faked": 1},
    "photos": lambda photos: [*photos, {"id": str(uuid4()), "sha256": "0" * 64, "kind": "after"}],
}


def _no_actor(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    row = chance.choice([row for row in rows if row.actor_id is not None])
    connection.execute(sa.update(History).where(History.c.id == row.id).values(actor_id=None))
    return int(row.seq)


def _delete(place: int) -> Tamper:
    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, _chance: Random) -> int:
        connection.execute(sa.delete(History).where(History.c.id == rows[place].id))
        return int(rows[place].seq)

    return tamper


def _delete_all(connection: sa.Connection, issue_id: UUID, _rows: Rows, _chance: Random) -> int:
    connection.execute(sa.delete(History).where(History.c.issue_id == issue_id))
    return 1


def _delete_and_close_the_gap(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    row = chance.choice(rows[:-1])
    connection.execute(sa.delete(History).where(History.c.id == row.id))
    for later in rows[row.seq:]:
        connection.execute(sa.update(History).where(History.c.id == later.id).values(seq=later.seq - 1))
    return int(row.seq)


def _shorten(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    """Take the last entry away and set the issue's count back as well, but not its hash."""
    connection.execute(sa.delete(History).where(History.c.id == rows[-1].id))
    connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values(version=LAST - 1))
    return LAST - 1


def _append(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    connection.execute(sa.insert(History).values({**rows[-1]._mapping, "id": uuid4(), "seq": LAST + 1}))
    return LAST + 1


def _insert_between(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    place = chance.randrange(1, LAST)
    for later in reversed(rows[place:]):
        connection.execute(sa.update(History).where(History.c.id == later.id).values(seq=later.seq + 1))
    connection.execute(sa.insert(History).values({**rows[place - 1]._mapping, "id": uuid4(), "seq": place + 1}))
    return place + 1


def _swap(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    first, second = sorted(chance.sample(range(LAST), 2))
    for place, seq in ((first, -1), (second, first + 1), (first, second + 1)):
        connection.execute(sa.update(History).where(History.c.id == rows[place].id).values(seq=seq))
    return first + 1


def _swap_contents(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    """Exchange everything but the number of two entries."""
    first, second = sorted(chance.sample(range(LAST), 2))
    kept = {"id", "seq", "issue_id"}
    for place, other in ((first, second), (second, first)):
        content = {name: value for name, value in rows[other]._mapping.items() if name not in kept}
        connection.execute(sa.update(History).where(History.c.id == rows[place].id).values(content))
    return first + 1


def _foreign_entry(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    """Put another issue's entry of the same number in the place of one's own; that other issue stays as it is."""
    row = chance.choice(rows)
    other = connection.execute(sa.select(History).where(History.c.issue_id != issue_id, History.c.seq == row.seq)).first()
    content = {name: value for name, value in other._mapping.items() if name not in {"id", "seq", "issue_id"}}
    connection.execute(sa.update(History).where(History.c.id == row.id).values(content))
    return int(row.seq)


def _of_issue(column: str, value: Any, seq: int) -> Tamper:
    def tamper(connection: sa.Connection, issue_id: UUID, _rows: Rows, _chance: Random) -> int:
        connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values({column: value}))
        return seq

    return tamper


def _other_photo(connection: sa.Connection, _issue_id: UUID, rows: Rows, _chance: Random) -> int:
    """Let the row of a photo in the history name other bytes."""
    row = next(row for row in rows if row.photos)
    connection.execute(sa.update(Photos).where(Photos.c.id == UUID(row.photos[0]["id"])).values(sha256="0" * 64))
    return int(row.seq)


TAMPERS: dict[str, Tamper] = {
    **{f"flip {column}": _flip(column, value) for column, value in FLIPS.items()}, "no actor": _no_actor,
    "delete the first": _delete(0), "delete one": _delete(3), "delete the last": _delete(-1), "delete all": _delete_all,
    "delete and close the gap": _delete_and_close_the_gap, "shorten": _shorten, "append": _append, "insert": _insert_between,
    "swap": _swap, "swap contents": _swap_contents, "a foreign entry": _foreign_entry,
    "state of the issue": _of_issue("state", "closed", LAST), "head of the issue": _of_issue("history_hash", "0" * 64, LAST),
    "version of the issue": _of_issue("version", LAST - 1, LAST), "another photo": _other_photo,
}


@proves("L1")
def tampering_is_found_and_located(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Tamper with one issue after another in the stored rows; the command must name each, where, and no other."""
    outcome.counts = {"histories": 0, "tampered": 0, "found": 0, "located": 0}
    wanted, chance = {}, setup.random
    names = [name for name in setup.sample(TAMPERS, least=len(TAMPERS) if setup.alone else 8) for _ in range(setup.times(6))]
    issues = [_issue_with_history(server) for _ in names]
    sound = server.flask("issues", "verify")
    outcome.must(sound.returncode == 0, f"before anything was done: {sound.stdout[-400:]}{sound.stderr[-400:]}")
    engine = sa.create_engine(server.url)
    for name, issue_id in zip(names, issues, strict=True):
        with engine.begin() as connection:
            rows = connection.execute(sa.select(History).where(History.c.issue_id == issue_id).order_by(History.c.seq)).all()
            assert len(rows) == LAST, (name, len(rows))
            wanted[str(issue_id)] = (name, TAMPERS[name](connection, issue_id, list(rows), chance))
    engine.dispose()
    verified = server.flask("issues", "verify")
    outcome.must(verified.returncode not in {0, None}, f"the command ended with {verified.returncode}")
    outcome.must("Traceback" not in verified.stderr, verified.stderr[-500:])
    found = {issue_id: (kind, int(seq)) for _, issue_id, kind, seq in _LINE.findall(verified.stdout)}
    outcome.counts["histories"] = len(server.query("SELECT id FROM issues"))
    _compare(wanted, found, outcome)


def _compare(wanted: dict[str, tuple[str, int]], found: dict[str, tuple[str, int]], outcome: Outcome) -> None:
    outcome.counts["tampered"] = len(wanted)
    for issue_id, (name, seq) in wanted.items():
        if not outcome.must(issue_id in found, f"not found: {name} at {seq}"):
            continue
        outcome.count("found")
        kind, at = found[issue_id]
        if outcome.must(at == seq, f"not located: {name} at {seq}, said to be {kind} at {at}"):
            outcome.count("located")
    outcome.must(not found.keys() - wanted.keys(), f"named without cause: {[found[each] for each in found.keys() - wanted.keys()]}")


def _issue_with_history(server: Server) -> UUID:
    """Make an issue with seven entries, a photo among them."""
    chief, office = server.caller("chief_of_this_reach"), server.caller("office_of_this_region")
    reported = chief.post("/issues", {**HERE, "category": "C1", "severity": "serious", "description": "history"})
    path = f"/issues/{reported.json['id']}"
    for caller, verb, form in (
        (office, "accept", {"note": "a"}), (office, "dispatch", {"note": "b"}), (chief, "start", {"note": "c"}),
        (chief, "progress", {"note": "d"}), (chief, "rectify", {"note": "e", "photos": new_photo()}), (office, "return", {"reason": "f"}),
    ):
        takes_files = verb in {"progress", "rectify"}
        body = {"form": form} if takes_files else {"json_body": form}
        reply = caller.call("POST", f"{path}/{verb}", headers={"If-Match": "*"}, **body)
        assert reply.status == 200, (verb, reply.body)
    return UUID(reported.json["id"])
