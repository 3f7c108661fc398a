"""Somebody always stays who may manage accounts."""

import pytest

from patrol.people.admins import left_alone


def change(client, person, **fields):
    return client.patch(f"people/{person.id}", json=fields, headers={"If-Match": "*"})


@pytest.mark.parametrize(("before", "after", "alone"), [
    ({1: "/a/"}, {}, {1}), ({1: "/a/"}, {2: "/a/"}, set()), ({1: "/a/", 2: "/a/b/"}, {2: "/a/b/"}, {1}),
    ({1: "/a/", 2: "/a/b/"}, {1: "/a/"}, set()), ({1: "/a/"}, {1: "/a/b/"}, {1}), ({1: "/ab/"}, {2: "/a/"}, {1}),
])
def test_by_hand(before, after, alone):
    assert left_alone(before, after) == alone


def test_the_last_admin_cannot_drop_the_role_or_the_area(build, signed_in):
    own = build.person("admin", "office", name="何管理")
    client = signed_in(own)
    build.person("admin", disabled_at=own.created_at)
    build.person("admin", region=build.region(name="柳岸镇"))
    for fields in ({"roles": ["office"]}, {"region_code": build.region().code}):
        refused = change(client, own, **fields)
        assert refused.status_code == 409
        assert "flask people add" in refused.json["detail"]
    assert client.get("me").json["roles"] == ["admin", "office"]
    assert change(client, own, roles=["admin"], title="科长").status_code == 200
    build.person("admin")
    assert change(client, own, roles=["office"]).status_code == 200


def test_nobody_else_can_disable_the_last_admin_of_an_area_either(build, signed_in, app):
    top, town = build.person("admin"), build.region(name="柳岸镇")
    below = build.person("admin", region=town)
    assert change(signed_in(top), below, disabled=True).status_code == 200, "the district's admin covers the town"
    assert change(signed_in(top), top, disabled=True).status_code == 403
    other = build.person("admin")
    assert change(signed_in(top), other, disabled=True).status_code == 200
    assert change(signed_in(top), other, disabled=False).status_code == 200


def test_the_command_line_is_the_way_back(app, build):
    build.person("admin", disabled_at=build.person("office").created_at)
    region = build.district.code
    made = app.test_cli_runner().invoke(
        args=["people", "add", "rescue", "--name", "救援", "--region", region, "--role", "admin"],
        env={"XUNHE_NEW_PASSWORD": "a password long enough"})
    assert made.exit_code == 0, made.output
