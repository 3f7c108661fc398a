"""What the examination of a patrol says, from the facts alone: findings, verdict, how far and how fast. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patrol.patrols.clocks import began_by_our_clock
from patrol.patrols.coverage import Coverage
from patrol.patrols.facts import Finding, PatrolFacts, Verdict
from patrol.patrols.integrity import examine
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.pace import pace_of
from patrol.patrols.verdict import verdict_of


@dataclass(frozen=True)
class Examined:
    """The result; `coverages` stand in the order of the patrol's reaches, `pace` is what `pace_of` returns.

    `began_at` is when it began by the server's clock where the device's ran ahead by a known time, None elsewhere.
    """

    coverages: Sequence[Coverage]
    findings: Sequence[Finding]
    verdict: Verdict
    pace: Mapping[str, Any]
    began_at: datetime | None = None


def examine_facts(
    facts: PatrolFacts, policy: IntegrityPolicy, judged: Mapping[str, str], *, repaired: str | None = None
) -> Examined:
    """Return what the rules say of the facts, and the verdict that the judgements in force leave.

    `repaired` is the code of the finding whose repair is accepted: it stays, and has nothing left to say to the verdict.
    """
    findings = examine(facts, policy)
    counting = [finding for finding in findings if finding.code != repaired]
    ended_at = facts.ended_at or facts.now
    return Examined(
        facts.coverages, findings, verdict_of(facts, counting, policy, judged=judged),
        pace_of(facts.track, facts.started_at, ended_at, facts.pauses_ms), began_by_our_clock(facts, policy),
    )  # fmt: skip
