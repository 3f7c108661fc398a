"""Cursors come back from outside: whatever is in one is read, or refused as a cursor."""

import base64

import orjson
import pytest
from sqlalchemy import select

from patrol.foundation.errors import Invalid
from patrol.foundation.paging import page_of
from patrol.patrols.models import CheckIn
from patrol.patrols.policy_queries import LATEST
from patrol.patrols.queries import CHECK_INS_LATEST
from patrol.waters.models import Reach
from patrol.waters.queries import REACH_BY_CODE

AN_ID = "00000000-0000-0000-0000-000000000000"


def cursor(*values):
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


@pytest.mark.parametrize(("model", "order", "values"), [
    (CheckIn, CHECK_INS_LATEST, ("9999-12-31T23:59:59-12:00", AN_ID)), (CheckIn, CHECK_INS_LATEST, ("0001-01-01T00:00:00+14:00", AN_ID)),
    (CheckIn, CHECK_INS_LATEST, ("2026-01-01T00:00:00", AN_ID)), (CheckIn, CHECK_INS_LATEST, ("2026-01-01T00:00:00+00:00", 7)),
    (Reach, REACH_BY_CODE, ("a\0b",)), (Reach, REACH_BY_CODE, (7,)), (Reach, REACH_BY_CODE, ()),
    (LATEST.columns[0].class_, LATEST, ("2026-01-01", 2**40)),
])
def test_a_cursor_that_no_database_can_be_asked_for_is_refused(database, model, order, values):
    with pytest.raises(Invalid) as refused:
        page_of(select(model), order, cursor=cursor(order.name, *values))
    assert list(refused.value.errors) == ["cursor"]


def test_a_cursor_goes_on_where_the_page_ended_whatever_its_zone(database):
    assert page_of(select(CheckIn), CHECK_INS_LATEST, cursor=cursor("recorded", "2026-01-01T08:00:00+08:00", AN_ID)).items == []
