"""What a proof is: a named program that counts trials and gathers faults, and prints one line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from tests.soak.server import Server, running

T = TypeVar("T")


@dataclass
class Outcome:
    """What a proof found; `counts` are printed in order, any of `faults` makes the run fail."""

    counts: dict[str, int | str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = int(self.counts.get(what, 0)) + number

    def must(self, holds: bool, fault: str) -> bool:
        """Note `fault` unless it `holds`; return whether it does."""
        if not holds:
            self.faults.append(fault)
        return holds

    def line(self, code: str, engine: str) -> str:
        facts = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        return f"{code} {engine}: {facts}" + (f": {len(self.faults)} FAULTS" if self.faults else "")


@dataclass(frozen=True)
class Setup:
    """Where and how large a proof runs: `scale` 1.0 is the whole.

    `timed` also holds it to its time limits; `alone` says that the server is this proof's own.
    """

    engine: str
    admin_url: str
    scale: float
    seed: int = 1
    timed: bool = True
    alone: bool = True

    def times(self, whole: int, least: int = 1) -> int:
        return max(least, round(whole * self.scale))

    def sample(self, things: Iterable[T], least: int) -> list[T]:
        """Return all things at the whole size, else a share of them, in their order."""
        rows = list(things)
        number = min(len(rows), max(least, round(len(rows) * self.scale)))
        return [rows[place] for place in sorted(self.random.sample(range(len(rows)), number))]

    @property
    def random(self) -> Random:
        return Random(self.seed)


Proof = Callable[[Server, Setup, Outcome], None]


@dataclass(frozen=True)
class Registered:
    """A proof and what its server needs: see `Server`."""

    prove: Proof
    options: dict[str, Any]


PROOFS: dict[str, Registered] = {}


def proves(code: str, **options: Any) -> Callable[[Proof], Proof]:
    """Register the decorated function as the proof of a promise; it gets a prepared server that runs."""

    def register(proof: Proof) -> Proof:
        PROOFS[code] = Registered(proof, options)
        return proof

    return register


def prove_on(server: Server, code: str, setup: Setup) -> Outcome:
    """Carry out a proof on a server; an exception that the service logs meanwhile is a fault like any other."""
    outcome, seen = Outcome(), len(server.log())
    try:
        PROOFS[code].prove(server, setup, outcome)
    finally:
        server.hang_up()
    outcome.faults += [f"logged: {line}" for line in server.faults_logged(since=seen)]
    return outcome


def histories_must_be_sound(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Verify every history; where proofs share a server, L1 does that once for all of them."""
    if setup.alone:
        verified = server.flask("issues", "verify")
        outcome.must(verified.returncode == 0, f"a history is broken: {verified.stdout[-500:]}{verified.stderr[-500:]}")


def prove(code: str, setup: Setup) -> Outcome:
    """Carry out a proof on a server of its own."""
    with running(setup.engine, setup.admin_url, **PROOFS[code].options) as server:
        return prove_on(server, code, setup)


def some(faults: list[str], most: int = 20) -> list[str]:
    """Return the first of many faults."""
    return faults[:most] + ([f"… and {len(faults) - most} more"] if len(faults) > most else [])
