"""What partner systems change: their keys, which complaints are theirs, and what their users say of a request."""

import secrets
from datetime import datetime

from sqlalchemy import select

from patrol.foundation import clock, events
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, NotFound
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.events import EntryNoted
from patrol.issues.history import PARTNER_UPDATE, add_entry
from patrol.issues.models import Issue
from patrol.people.tokens import digest_of
from patrol.public.models import Complaint, PartnerComplaint, PartnerKey, PartnerUpdate
from patrol.public.open311_queries import telling, update_known

_NAME_TAKEN = Text("已有名为 {name} 的密钥", "There is a key with the name {name} already")
_NO_KEY = Text("没有名为 {name} 的有效密钥", "There is no valid key with the name {name}")


def make_partner_key(name: str, key: str | None = None) -> str:
    """Make a key for the partner system `name` and return it: it is shown now and never again. Raises Conflict (409)."""
    if db.session.scalar(select(PartnerKey.id).where(PartnerKey.name == name)) is not None:
        raise Conflict(_NAME_TAKEN.format(name=name))
    key = key or secrets.token_urlsafe(24)
    db.session.add(PartnerKey(id=new_id(), name=name, digest=digest_of(key), created_at=clock.now()))
    db.session.flush()
    return key


def revoke_partner_key(name: str) -> None:
    """Let a partner's key open nothing any more; what it sent stays. Raises NotFound (404)."""
    row = db.session.scalar(select(PartnerKey).where(PartnerKey.name == name, PartnerKey.revoked_at.is_(None)))
    if row is None:
        raise NotFound(_NO_KEY.format(name=name))
    row.revoked_at = clock.now()


def note_partner(complaint: Complaint, partner: PartnerKey) -> None:
    """Keep which partner sent a complaint."""
    db.session.add(PartnerComplaint(complaint_id=complaint.id, key_id=partner.id))
    db.session.flush()


def keep_update(
    partner: PartnerKey, issue: Issue, *, update_id: str, status: str, said_at: datetime | None, text: str
) -> PartnerUpdate:
    """Put what a partner's user said of a request into the history of what tells how it stands, once for each id of the partner's.

    That is the original, when the request was merged: nobody works on a duplicate, and nobody reads its history. The
    status is kept as it was claimed and changes nothing: what an issue's state is, the lifecycle decides.
    Raises Conflict (409) for the same id with other content.
    """
    content = {"issue": str(issue.id), "status": status, "text": text, "said_at": said_at}
    told = telling(issue)
    digest, known = content_digest(content), update_known(partner, update_id)
    if known is not None:
        refuse_other_content(update_id, stored=known.digest, sent=digest)
        return known
    now = clock.now()
    row = PartnerUpdate(
        id=new_id(), key_id=partner.id, update_id=update_id, issue_id=issue.id, status=status, said_at=said_at or now,
        received_at=now, digest=digest,
    )  # fmt: skip
    db.session.add(row)
    said_of = {} if told.id == issue.id else {"request": issue.number}
    entry = add_entry(
        told, verb=PARTNER_UPDATE, by=None, from_state=told.state, rule=f"open311: {partner.name}"[:60], brought={"note": text or None},
        changes={"claimed_status": status, "update_id": update_id, **said_of},
    )  # fmt: skip
    events.record(EntryNoted(issue_id=told.id, verb=PARTNER_UPDATE, seq=entry.seq))
    db.session.flush()
    return row
