"""The integrity rules on labelled patrols: what each rule finds among the honest and the dishonest, and the time it takes.

The patrols are synthetic (tests/patrols/labelled.py) and drawn by another seed than the tests'. The figures tell how the
rules behave on these kinds, not how often people cheat, nor how the rules do on a district's own patrols.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from patrol.patrols.integrity import RULE, RULES, examine
from patrol.patrols.seen import Severity
from patrol.patrols.verdict import verdict_of
from tests.bench.table import Measure, Row, measured
from tests.patrols.labelled import BEYOND, DISHONEST, HONEST, LESSER, labelled, long_patrol

EACH, SEED, ROUNDS = 20, 4_711, 9
# Worker CPU of all findings, replay check against 20 earlier tracks included.
MOST_MS = {720: 25.0, 4_000: 120.0}
Seen = dict[str, Counter[str]]


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Yield the verdicts by kind, the confusion table by rule, and the times."""
    honest, honest_found = examined(HONEST)
    dishonest, dishonest_found = examined(DISHONEST)
    accused = sum(seen["doubtful"] + seen["invalid"] for seen in honest.values())
    yield Row("honest patrols doubtful or invalid", part(accused, EACH * len(HONEST)), most=0, note=f"{len(HONEST)} kinds")
    for name, seen in honest.items():
        if seen["valid"] < EACH:
            yield Row(f"honest, {name}: not valid", part(EACH - seen["valid"], EACH), note=told(seen))
    for name, seen in dishonest.items():
        yield Row(f"dishonest, {name}: passes as valid", part(seen["valid"], EACH), most=10, note=told(seen))
    lesser, lesser_found = examined(LESSER)
    for name, seen in lesser.items():
        yield Row(f"dishonest, a lesser sign alone, {name}: passes as valid", part(seen["valid"], EACH), note=told(seen))
    for name, seen in examined(BEYOND)[0].items():
        yield Row(f"beyond the rules, {name}: passes as valid", part(seen["valid"], EACH), note=told(seen))
    for rule in RULES:
        detected, false = dishonest_found[rule.code] + lesser_found[rule.code], honest_found[rule.code]
        info = " (info: accuses nobody)" if rule.severity is Severity.INFO else ""
        yield Row(
            f"rule {rule.code}{info}: found among dishonest", part(sum(detected.values()), EACH * len(DISHONEST | LESSER)),
            part(sum(false.values()), EACH * len(HONEST)), "among honest", note=f"{by_kind(detected)} · honest: {by_kind(false)}",
        )  # fmt: skip
    yield from times()


def examined(kinds) -> tuple[Seen, Seen]:
    """Return the verdicts of each kind, and for each rule the kinds in which it found more than `info`, or all that it can say."""
    verdicts: Seen = defaultdict(Counter)
    found: Seen = defaultdict(Counter)
    for name, facts in labelled(kinds, EACH, SEED):
        findings = examine(facts)
        verdicts[name][verdict_of(facts, findings).value] += 1
        for finding in findings:
            if finding.severity != Severity.INFO or RULE[finding.code].severity is Severity.INFO:
                found[finding.code][name] += 1
    return verdicts, found


def part(count: int, whole: int) -> Measure:
    """Return a count as a percentage of the whole."""
    return measured([100.0 * count / whole], "%")


def told(seen: Counter[str]) -> str:
    return ", ".join(f"{count} {value}" for value, count in seen.most_common())


def by_kind(seen: Counter[str]) -> str:
    return ", ".join(f"{name} {count}/{EACH}" for name, count in seen.most_common()) or "none"


def times() -> Iterator[Row]:
    """Measure the CPU of all findings, and of the verdict beside them."""
    for points, most_ms in MOST_MS.items():
        facts = long_patrol(points)
        findings_ms, verdict_ms = [], []
        for _ in range(ROUNDS):
            started = time.process_time()
            findings = examine(facts)
            between = time.process_time()
            verdict_of(facts, findings)
            findings_ms.append((between - started) * 1000)
            verdict_ms.append((time.process_time() - between) * 1000)
        yield Row(f"all findings of {points:,} points, 20 earlier tracks", measured(findings_ms, "ms CPU"), most=most_ms)
        yield Row(f"the verdict of {points:,} points", measured(verdict_ms, "ms CPU"))
