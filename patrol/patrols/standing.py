"""Where a finding stands: what people said of it, in order, and what of that is in force. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

REPLY, JUDGEMENT, WITHDRAWAL = "reply", "judgement", "withdrawal"
UPHELD, DISMISSED = "upheld", "dismissed"
JUDGEMENTS = (UPHELD, DISMISSED)
OPEN, REPLIED = "open", "replied"
STANDINGS = (OPEN, REPLIED, UPHELD, DISMISSED)


class Statement(Protocol):
    """What somebody said: the row of the table, or the like."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def person_id(self) -> UUID: ...
    @property
    def judgement(self) -> str | None: ...


@dataclass(frozen=True)
class InForce:
    """What is in force of the statements on one finding: whether she has replied, and the judgement, None without one."""

    replied: bool = False
    judgement: str | None = None

    @property
    def standing(self) -> str:
        """One of `STANDINGS`: a judgement counts before a reply."""
        return self.judgement or (REPLIED if self.replied else OPEN)


def in_force(statements: Iterable[Statement], patrolled_by: UUID) -> InForce:
    """Return what is in force of the statements on one finding, given in the order in which they were made.

    A judgement takes the place of the one before it. A withdrawal by the patrol's person takes back what she replied,
    one by anybody else the judgement in force, and the one that it had replaced is in force again.
    """
    replied, judgements = False, list[str | None]()
    for statement in statements:
        if statement.kind == REPLY:
            replied = True
        elif statement.kind == JUDGEMENT:
            judgements.append(statement.judgement)
        elif statement.person_id == patrolled_by:
            replied = False
        else:
            judgements = judgements[:-1]
    return InForce(replied, judgements[-1] if judgements else None)


def judgements_in_force(statements: Sequence[Statement], patrolled_by: UUID) -> dict[str, str]:
    """Return the judgement in force of each finding that has one, by code."""
    codes = sorted({statement.code for statement in statements})
    found = {code: in_force((s for s in statements if s.code == code), patrolled_by).judgement for code in codes}
    return {code: judgement for code, judgement in found.items() if judgement}
