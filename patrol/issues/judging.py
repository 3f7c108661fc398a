"""What is gravely doubtful of a cure's proof and nobody who checked it has judged yet: a check says so, and should say why it stands."""

from typing import Any

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.lifecycle import Verb
from patrol.issues.models import HistoryEntry, Issue

JUDGING = (Verb.VERIFY, Verb.CLOSE)
"""The steps that say that a cure is good."""
JUDGED = "judged"
"""The name under which the changes of such a step's entry keep the serious findings that stood then."""
_WITHOUT_A_WORD = Text(
    "整改凭证有严重疑点：{doubts}。本步骤没有 note 说明如何核实，履历中留有记录",
    "There are serious findings on the proof of the cure: {doubts}. This step has no `note` on how they were checked, and the history shows that",
)
_GRAVE = "serious"


def unjudged(issue: Issue) -> list[dict[str, Any]]:
    """Return the serious findings, as stored, on the photos brought since the last cure was reported, but those judged since.

    At most one statement, and none for an issue without serious findings.
    """
    grave = [row for row in issue.findings if row["severity"] == _GRAVE and "photo_id" in row["evidence"]]
    if not grave:
        return []
    entries = db.session.execute(
        select(HistoryEntry.seq, HistoryEntry.verb, HistoryEntry.changes)
        .where(HistoryEntry.issue_id == issue.id, HistoryEntry.verb.in_([Verb.RECTIFY.value, *JUDGING])).order_by(HistoryEntry.seq)
    ).all()  # fmt: skip
    reported = max((seq for seq, verb, _ in entries if verb == Verb.RECTIFY), default=0)
    proof = {str(link.photo_id) for link in issue.photo_links if link.kind == "after" and link.seq >= reported}
    judged = [row for seq, _, changes in entries if seq > reported for row in changes.get(JUDGED, {}).get("to", ())]
    return [row for row in grave if row["evidence"]["photo_id"] in proof and _named(row) not in judged]


def as_judged(findings: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return findings as an entry of the history names them."""
    return [_named(row) for row in findings]


def _named(row: dict[str, Any]) -> dict[str, str]:
    return {"code": row["code"], "photo_id": row["evidence"]["photo_id"]}


def judged_without_a_word(issue: Issue) -> Text | None:
    """Return a warning where the newest step checked off serious findings without a note on them, None elsewhere."""
    if not any(row["severity"] == _GRAVE for row in issue.findings):
        return None
    newest = select(HistoryEntry.note, HistoryEntry.changes).where(HistoryEntry.issue_id == issue.id).order_by(HistoryEntry.seq.desc()).limit(1)
    note, changes = db.session.execute(newest).one()
    judged = changes.get(JUDGED, {}).get("to", ())
    if note or not judged:
        return None
    texts = list(dict.fromkeys(Text(row["zh"], row["en"]) for row in issue.findings if "photo_id" in row["evidence"] and _named(row) in judged))
    return _WITHOUT_A_WORD.format(doubts=Text("；".join(text.zh for text in texts), "; ".join(text.en for text in texts)))
