"""Reading the audit log: the newest first, of one's own area and of the system."""

from datetime import timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.people.models import AuditEntry


@pytest.fixture
def noted(build, actor_of):
    """Three acts in a town, one elsewhere, one of the system, a minute between them; the auditor of the town."""
    here, there = build.region(), build.region()
    clerk, stranger = build.person("office", region=here, name="何", title="干事"), build.person("office", region=there)
    start = clock.now()
    acts = [(clerk, "add_board", "a"), (clerk, "reveal_reporter", "b"), (stranger, "reveal_reporter", "c"),
            (None, "expire", "d"), (clerk, "reveal_reporter", "e")]
    for minute, (person, act, subject) in enumerate(acts):
        db.session.add(AuditEntry(
            id=uuid4(), at=start + timedelta(minutes=minute), actor_id=person and person.id, act=act, subject=subject,
            facts={"reason": "核实"}))
    db.session.commit()
    return build.person("auditor", region=here), clerk, start


def test_the_newest_first_of_ones_own_area_and_of_the_system(noted, signed_in):
    auditor, clerk, _ = noted
    client = signed_in(auditor)
    items = client.get("audit").json["items"]
    assert [item["subject"] for item in items] == ["e", "d", "b", "a"]
    assert items[0]["actor"] == {"id": str(clerk.id), "name": "何", "title": "干事"}
    assert items[0]["facts"] == {"reason": "核实"}
    assert items[1]["actor"] is None
    page = client.get("audit", query_string={"limit": 3}).json
    rest = client.get("audit", query_string={"limit": 3, "cursor": page["next"]}).json
    assert [item["subject"] for item in page["items"] + rest["items"]] == ["e", "d", "b", "a"]
    assert rest["next"] is None


def test_the_audit_log_is_filtered_by_act_subject_and_time(noted, signed_in):
    auditor, clerk, start = noted
    client = signed_in(auditor)

    def subjects(**query):
        return [item["subject"] for item in client.get("audit", query_string=query).json["items"]]

    assert subjects(act="reveal_reporter") == ["e", "b"]
    assert subjects(subject="b") == ["b"]
    assert subjects(after=(start + timedelta(minutes=3)).isoformat()) == ["e", "d"]
    assert subjects(before=(start + timedelta(minutes=1)).isoformat()) == ["b", "a"]
    first, last = (clock.local_date(start + timedelta(minutes=minute), "Asia/Shanghai").isoformat() for minute in (0, 4))
    assert subjects(after=first, before=last) == ["e", "d", "b", "a"]
    assert client.get("audit", query_string={"after": "yesterday"}).status_code == 422
    assert signed_in(clerk).get("audit").status_code == 403
