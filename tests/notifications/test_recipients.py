"""Nobody is told of what he may not see, whatever kind of message it is."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.department_models import IssueSide
from patrol.issues.escalating import escalate_all_due
from patrol.issues.leads import superior_chiefs
from patrol.issues.models import CoHandler, Issue
from patrol.issues.queries import visible_to
from patrol.issues.seeing import seen_by
from patrol.notifications.models import Message
from patrol.notifications.recipients import recipients_of
from patrol.notifications.telling import tell
from patrol.notifications.templates import TEMPLATES
from patrol.people.models import Person
from patrol.people.permissions import Permission as P
from tests.issues.conftest import report

TODAY = "Asia/Shanghai"


@pytest.fixture
def superior(valley, build):
    """The town's chief of the same water, above the village's."""
    person = build.person("chief", region=valley.town, name="镇级河长")
    line = ((119.80, 29.60), (119.82, 29.60))
    build.appointment(build.reach(line, region=valley.town, level="township", water_body=valley.reach.water_body), person)
    return person


def joint(valley, category):
    """Return a loaded issue that the other town is a side of, and that its own chief and a bureau handle."""
    shown = report(valley.patroller_client, category=category)
    with transaction():
        issue = db.session.get_one(Issue, UUID(shown["id"]))
        issue.is_joint, issue.department = True, valley.handler.department
        db.session.add_all([
            IssueSide(issue_id=issue.id, region_id=valley.other_town.id), CoHandler(issue_id=issue.id, person_id=valley.supervisor.id),
        ])  # fmt: skip
    options = (joinedload(Issue.region), joinedload(Issue.reach), selectinload(Issue.co_handlers))
    statement = select(Issue).where(Issue.id == issue.id).options(*options).execution_options(populate_existing=True)
    return db.session.scalars(statement).one()


def told_of(shown):
    rows = db.session.execute(select(Message.kind, Message.person_id).where(Message.subject_id == UUID(shown["id"])))
    return {(kind, person_id) for kind, person_id in rows}


def test_a_late_charge_against_a_chief_is_told_to_the_office_and_to_no_chief(valley, superior, signed_in, work):
    charge, other = report(valley.patroller_client, category="F1"), report(valley.patroller_client)
    later = clock.now() + timedelta(days=60)
    with clock.moved_clock(lambda: later):
        assert escalate_all_due()
        work()
    client = signed_in(superior)
    assert client.get(f"issues/{charge['id']}").status_code == 404
    assert client.get(f"issues/{other['id']}").status_code == 200
    for kind in ("issue.letter", "issue.listed", "issue.talk", "issue.overdue"):
        assert (kind, superior.id) in told_of(other)
        assert {(kind, valley.town_office.id), (kind, valley.office.id)} <= told_of(charge), "the office above stands for the superior chief"
    # The charge waits for the office to accept it: that is what is late, no cure.
    said = valley.office_client.get("me/messages", query_string={"limit": 100}, headers={"Accept-Language": "zh"}).json["items"]
    late = {row["subject"]["id"]: (row["title"], row["body"]) for row in said if row["kind"] == "issue.overdue"}
    assert late[charge["id"]][0] == "受理超期：已报上级河长"
    assert late[charge["id"]][1].endswith("至今未受理。")
    assert {person for _, person in told_of(charge)} == {valley.town_office.id, valley.office.id}


def test_whoever_handles_it_is_not_the_superior_but_the_chief_above_is(valley, build, superior):
    line = ((119.80, 29.60), (119.82, 29.60))
    highest = build.person("chief", name="区级河长")
    build.appointment(build.reach(line, level="county", water_body=valley.reach.water_body), highest)
    issue, day = joint(valley, "C1"), clock.today(TODAY)
    assert superior_chiefs(issue, day) == [superior.id]
    issue.lead_id = superior.id
    assert superior_chiefs(issue, day) == [highest.id]
    issue.lead_id = highest.id
    assert superior_chiefs(issue, day) == []
    issue.lead_id, issue.co_handlers = valley.chief.id, [superior]
    assert superior_chiefs(issue, day) == [highest.id]
    db.session.rollback()


def test_what_is_late_goes_to_the_office_above_where_no_chief_is_above(valley):
    """The nearest office may be the one that lets it lie."""
    issue, to = joint(valley, "C1"), TEMPLATES["issue.overdue"].to
    assert superior_chiefs(issue, clock.today(TODAY)) == []
    assert recipients_of(issue, to, but=None, day=clock.today(TODAY)).people == [valley.chief.id, valley.town_office.id, valley.office.id]


@pytest.mark.parametrize("kind", ["issue.half_time", "issue.day_before"])
def test_what_urges_a_lead_goes_to_the_office_where_nobody_leads(valley, kind):
    issue, to, day = joint(valley, "C1"), TEMPLATES[kind].to, clock.today(TODAY)
    assert recipients_of(issue, to, but=None, day=day).people == [valley.chief.id]
    issue.lead_id = None
    told = recipients_of(issue, to, but=None, day=day)
    assert (told.people, told.office_region_id) == ([valley.town_office.id], valley.town.id)
    db.session.rollback()


@pytest.mark.parametrize("category", ["F1", "C1"])
def test_no_kind_of_message_goes_to_somebody_from_whom_the_issue_is_hidden(valley, superior, actor_of, category):
    issue, told = joint(valley, category), {}
    for template in TEMPLATES.values():
        told[template.kind] = recipients_of(issue, template.to, but=None, day=clock.today(TODAY)).people
    for kind, people in told.items():
        for person_id in people:
            actor = actor_of(db.session.get_one(Person, person_id))
            assert actor.may(P.SEE_ISSUES)
            assert db.session.scalar(visible_to(actor).where(Issue.id == issue.id)), (kind, actor.name)
    assert (superior.id in told["issue.letter"]) is (category == "C1")
    assert valley.town_office.id in told["issue.submit"]
    assert (valley.other_office.id in told["issue.submit"]) is (category == "C1")
    assert valley.supervisor.id in told["issue.dispatch"]
    assert told["issue.close"]


@pytest.mark.parametrize("category", ["F1", "C1"])
def test_seen_by_many_says_what_each_would_be_shown(valley, build, superior, actor_of, queries, category):
    called_in = build.person("handler", region=build.region(name="远镇"), department=valley.handler.department)
    issue = joint(valley, category)
    people = list(db.session.scalars(select(Person)))
    actors = [actor_of(person) for person in people]
    queries.clear()
    found = seen_by(issue, [person.id for person in people])
    assert len(queries) == 1
    assert found == {
        actor.person_id for actor in actors
        if actor.may(P.SEE_ISSUES) and db.session.scalar(visible_to(actor).where(Issue.id == issue.id)) is not None
    }  # fmt: skip
    assert (valley.other_office.id in found) is (category == "C1")
    assert (called_in.id in found) is (category == "C1")
    assert (valley.other_chief.id in found) is (category == "C1")


def test_telling_takes_as_many_statements_for_many_as_for_few(valley, build, superior, queries):
    def count():
        shown = report(valley.patroller_client, severity="serious")
        queries.clear()
        tell({"issue_id": shown["id"], "seq": 1})
        return len(queries)

    few = count()
    for _ in range(6):
        build.person("office", region=valley.town)
    assert count() == few <= 8
