"""What is a telephone number."""

import pytest

from patrol.people.telephones import NOT_A_PHONE, SHORTENED, fault_of_phone


@pytest.mark.parametrize("text", [
    "13800000000", "138 0000 0000", "+86 138-0000-0000", "0572-6012345", "(0572) 6012345", "（0572）6012345", "12345", "0572-6012345转801",
    "6012345 ext. 12", "13800000000/0572-6012345", "13800000000、13900000000", "＋8613800000000",
])
def test_numbers_are_taken(text):
    assert fault_of_phone(text) is None


@pytest.mark.parametrize("text", ["abc", "", " ", "12", "1380000000a", "13800000000.5", "138e", "13800000000/", "1" * 21, "-1380000", "a@b.cn", "()---"])
def test_what_is_none_is_refused(text):
    assert fault_of_phone(text).zh.endswith(NOT_A_PHONE.zh[-10:])


@pytest.mark.parametrize("text", ["1.38E+10", "1.38e+10", " 1.38E10 ", "1E+10"])
def test_what_a_spreadsheet_shortened_says_how_to_mend_it(text):
    assert fault_of_phone(text).zh.endswith(SHORTENED.zh[-10:])


@pytest.mark.parametrize("phone", ["abc", "1.38E+10", ""])
def test_an_account_keeps_no_other(build, signed_in, phone):
    client, person = signed_in(build.person("admin")), build.person("chief")
    body = {"username": "neu", "name": "李", "roles": ["chief"], "region_code": build.district.code}
    for reply in (client.post("people", json={**body, "phone": phone}),
                  client.patch(f"people/{person.id}", json={"phone": phone}, headers={"If-Match": "*"})):
        assert (reply.status_code, list(reply.json["errors"])) == (422, ["phone"])
    assert client.post("people", json={**body, "phone": "13800000000"}).json["phone"] == "13800000000"
    assert client.patch(f"people/{person.id}", json={"phone": None}, headers={"If-Match": "*"}).status_code == 200
