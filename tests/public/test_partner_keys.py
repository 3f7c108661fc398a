"""Keys of partner systems: made once, shown once, kept as a hash, revoked by name."""

import pytest
from sqlalchemy import select

from patrol.foundation.access_log import without_tracking_code
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.transaction import transaction
from patrol.people.models import AuditEntry
from patrol.public.models import PartnerKey
from patrol.public.open311_actions import make_partner_key, revoke_partner_key
from patrol.public.open311_queries import partner_with_key


def test_the_command_makes_a_key_that_only_its_hash_is_kept_of(app, database):
    made = app.test_cli_runner().invoke(args=["public", "partner-key", "隔壁市"])
    assert made.exit_code == 0, made.output
    key = made.output.strip()
    row = db.session.scalars(select(PartnerKey)).one()
    assert partner_with_key(key).id == row.id
    assert key not in str(vars(row))
    again = app.test_cli_runner().invoke(args=["public", "partner-key", "隔壁市"])
    assert again.exit_code == 1
    assert "already" in again.output
    gone = app.test_cli_runner().invoke(args=["public", "partner-key", "隔壁市", "--revoke"])
    assert gone.output.strip() == "revoked"
    with pytest.raises(NotAllowed):
        partner_with_key(key)
    acts = list(db.session.scalars(select(AuditEntry.act)))
    assert sorted(acts) == ["make_partner_key", "revoke_partner_key"]


def test_a_name_is_taken_once_and_only_what_is_valid_is_revoked(database):
    with transaction():
        make_partner_key("甲")
    with pytest.raises(Conflict):
        make_partner_key("甲")
    with pytest.raises(NotFound):
        revoke_partner_key("乙")
    assert partner_with_key("") is partner_with_key(None) is None


def test_the_log_hides_a_token():
    assert without_tracking_code("/open311/v2/tokens/7K3D-0V9M-W2QH-5TXA.json") == "/open311/v2/tokens/*"
