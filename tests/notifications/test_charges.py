"""What is told of a charge against a chief, where the accused works in the office that hears it."""

import json

import pytest

from tests.evidence.camera import camera_jpeg
from tests.issues.conftest import AT_DISTRICT, complain, report, step


@pytest.fixture
def accused(mixed, build):
    """The district's chief, who works in the office and audits; somebody else works there too."""
    build.person("office", name="第二人")
    return mixed.district_chief_client


def test_a_channel_of_the_office_hears_nothing_of_a_charge(mixed, accused, build, work, sent):
    accused.post("me/channels", json={"region": build.district.code, "way": "mail", "address": "office@example.org"})
    mixed.office_client.post("me/channels", json={"way": "mail", "address": "qian@example.org"})
    charge = report(mixed.patroller_client, **{**AT_DISTRICT, "category": "F1", "description": "从不接电话"})
    work()
    step(mixed.office_client, mixed.office_client.get(f"issues/{charge['id']}").json, "reject", ground="no_evidence_found", reason="张三说")
    report(mixed.patroller_client, **{**AT_DISTRICT, "severity": "serious"})
    work()
    assert [(charge["number"] in body) for address, _, body in sent if "office%40" in address] == [False]
    assert any(charge["number"] in body for address, _, body in sent if "qian%40" in address)


def test_the_accused_s_own_channel_hears_nothing_of_a_charge(mixed, accused, work, sent):
    for client, address in ((accused, "accused@example.org"), (mixed.chief_client, "chief@example.org"), (mixed.office_client, "qian@example.org")):
        client.post("me/channels", json={"way": "mail", "address": address})
    charge = report(mixed.patroller_client, **{**AT_DISTRICT, "category": "F1", "description": "从不接电话"})
    work()
    step(mixed.office_client, mixed.office_client.get(f"issues/{charge['id']}").json, "reject", ground="no_evidence_found", reason="张三说")
    work()
    assert {address.rpartition("to=")[2] for address, _, body in sent if charge["number"] in body} == {"qian%40example.org"}


def test_the_accused_reads_no_event_of_a_charge_that_a_webhook_was_sent(mixed, accused, build, work, receiver):
    webhook = accused.post("webhooks", json={"url": receiver.url, "region": build.district.code}).json
    charge = report(mixed.patroller_client, **{**AT_DISTRICT, "category": "F1"})
    other = report(mixed.patroller_client, **{**AT_DISTRICT, "severity": "serious"})
    work()
    path = f"webhooks/{webhook['id']}/deliveries"

    def told(client):
        return {row["payload"]["issue"]["id"]: row["id"] for row in client.get(path).json["items"]}

    assert told(accused).keys() == {other["id"]}
    all_of_it = told(mixed.office_client)
    assert all_of_it.keys() == {charge["id"], other["id"]}
    assert accused.post(f"{path}/{all_of_it[charge['id']]}/replay").status_code == 404


def test_an_accused_auditor_reads_nothing_of_the_charge_in_the_audit_log(mixed, accused, anyone, signed_in):
    charge = complain(anyone, signed_in, mixed.office_client, files=[camera_jpeg(3)], **AT_DISTRICT)
    assert mixed.office_client.post(f"issues/{charge['id']}/reporter/reveal", json={"reason": "核实王五的投诉"}).status_code == 200

    def told(client):
        return [row["act"] for row in client.get("audit?limit=100").json["items"] if charge["id"] in json.dumps(row)]

    assert told(accused) == []
    assert accused.get(f"audit?subject={charge['id']}").json["items"] == []
    assert told(mixed.auditor_client) == ["reveal_reporter"]
