"""Files as clerks keep them: marks in headings, columns of their own, full-width typing, and faults in their own words."""

import pytest

from patrol.foundation.database import db
from patrol.people.models import Person, Region
from patrol.waters.import_words import HEADINGS, WORDS, column_of, tidied
from patrol.waters.terms import BANKS, KINDS, LEVEL_NAME, LEVELS
from tests.waters.test_import_files import features, xlsx
from tests.waters.test_imports import LINES, TERMS, counts, faults, send, stored


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("admin"))


@pytest.mark.parametrize(("heading", "column"), [
    ("名称(必填)", "name"), ("名称（必填）", "name"), ("级别*", "level"), ("*级别", "level"), ("＊级别＊", "level"), ("编 码", "code"), ("编　码", "code"),
    ("上级编码（选填）", "parent_code"), ("【必填】编码", "code"), ("名称：", "name"), ("'编码", "code"), ("Code*", "code"), ("ｃｏｄｅ", "code"),
    ("level (required)", "level"), ("级\n别", "level"),
])
def test_marks_and_blanks_in_a_heading_do_not_hide_its_column(heading, column):
    assert column_of(heading, frozenset({"code", "name", "level", "parent_code"})) == column


def test_a_bracket_that_is_no_mark_stays():
    assert column_of("容差（米）", frozenset({"tolerance_m"})) == "tolerance_m"
    assert column_of("名称(英文)", frozenset({"name"})) == "名称(英文)"


def test_no_two_columns_share_a_tidied_heading_by_accident():
    assert all(tidied(heading) for said in HEADINGS.values() for heading in said)


def test_the_words_that_faults_name_are_those_that_cells_may_hold():
    for column, codes in (("level", LEVELS), ("kind", KINDS), ("bank", BANKS)):
        assert set(WORDS[column].values()) == set(codes)
    assert [WORDS["level"][name.zh] for name in LEVEL_NAME.values()] == list(LEVEL_NAME)


def test_a_template_s_headings_and_a_clerk_s_own_columns(build, client, district):
    content = "序号,编 码,名称(必填),级别*,上级编码（必填）,备注\n1,T1,柳岸镇,乡镇级,990100,待核\n2,T2,石桥镇,乡镇级,990100,\n"
    reply = send(client, "regions", content, language="zh")
    assert counts(reply) == (2, 0, 0, 0)
    assert [(row["row"], row["field"], row["heading"]) for row in reply.json["warnings"]] == [(1, "序号", "序号"), (1, "备注", "备注")]
    assert "不导入" in reply.json["warnings"][0]["message"]
    assert stored(Region, code="T1").name == "柳岸镇"
    # A mistyped heading is still a fault, and nothing else.
    assert faults(send(client, "regions", content.replace("备注", "备住"))) == [(1, "备住")]


def test_two_headings_that_tidy_to_one_column_are_a_fault(client, district):
    assert faults(send(client, "regions", "编码,编 码,名称,级别\n1,1,清溪区,区级\n")) == [(1, "code")]


def test_what_a_chinese_keyboard_types_is_read(build, client, district):
    content = "编码,名称,级别,上级编码\n９９０１００７７,Ａ村（上）,村级,'990100\n'99010078,'乙村,村级,９９０１００\n"
    assert counts(send(client, "regions", content)) == (2, 0, 0, 0)
    # A name stays as it was typed.
    assert [stored(Region, code=code).name for code in ("99010077", "99010078")] == ["Ａ村（上）", "'乙村"]
    people = "用户名,姓名,手机号,角色,行政区划代码\nｌｉ．ｓｉ,李四,１３８００００００００,河长；巡河员,９９０１００\nwang.wu,王五,'13800000001,河长，民间河长,990100\n"
    assert counts(send(client, "people", people)) == (2, 0, 0, 0)
    assert (stored(Person, username="li.si").role_names, stored(Person, username="li.si").phone) == (["chief", "patroller"], "13800000000")
    assert stored(Person, username="wang.wu").role_names == ["chief", "citizen_chief"]
    reach = build.reach(level="county")
    assert counts(send(client, "appointments", TERMS + f"{reach.code},li.si,村级河长,２０２６－０５－０１,\n")) == (1, 0, 0, 0)
    assert counts(send(client, "signboards", f"code,reach_code,latitude,longitude\nB1,{reach.code},２９.６,'119.81\n")) == (1, 0, 0, 0)


def test_one_code_in_two_widths_is_there_twice(client, district):
    assert faults(send(client, "regions", "编码,名称,级别,上级编码\nT1,甲,镇级,990100\nＴ１,乙,镇级,990100\n")) == [(3, "code")]


def said(client, kind, content, language="zh"):
    return [(row["row"], row["heading"], row["message"]) for row in send(client, kind, content, language=language).json["errors"]]


def test_faults_speak_of_the_headings_and_words_of_the_file(client, district):
    [(row, heading, message)] = said(client, "regions", "编码,名称,级别(必填),上级编码\nT,甲,村子,990100\n")
    assert (row, heading) == (2, "级别(必填)")
    assert message == "“村子”不在可选值之内：省级、市级、县级、乡镇级、村级"
    [(_, heading, message)] = said(client, "regions", "编码,名称,级别,上级编码,颜色\nT,甲,村级,990100,红\n")
    assert (heading, message) == ("颜色", "没有这一列，可用的列：编码、名称、级别、上级编码、图形（geometry）")
    [(_, heading, message)] = said(client, "water_bodies", "编码,名称\nW,甲\n")
    assert (heading, message) == ("类型", "缺少“类型”列")
    english = said(client, "regions", "编码,name,level,parent_code\nT,a,hamlet,990100\n", language="en")
    assert english == [(2, "level", "hamlet is not one of province, city, county, township, village")]
    assert said(client, "water_bodies", "code,name\nW,a\n", language="en") == [(1, "kind", "The column kind is missing")]


def test_a_heading_is_null_where_there_is_no_column(build, client):
    reach = build.reach()
    [warning] = send(client, "signboards", f"code,reach_code,latitude,longitude\nB-9,{reach.code},29.9,119.8\n").json["warnings"]
    assert (warning["field"], warning["heading"]) == ("distance_to_reach_m", None)


def test_codes_and_user_names_that_cannot_be_say_why(client, district):
    [(_, _, message)] = said(client, "people", "用户名,姓名,角色,行政区划代码\nli si,李四,河长,990100\n")
    assert "不能作用户名" in message
    assert "不能有空格" in message
    [(_, _, message)] = said(client, "regions", "编码,名称,级别,上级编码\n甲 乙,甲,村级,990100\n")
    assert "只能含字母、数字" in message


@pytest.mark.parametrize("content", ["编码,名称,级别\n990100777211,甲,村级\n", "编码,名称,级别,上级编码\n990100777211,甲,村级,\n"])
def test_a_forgotten_superior_is_asked_for(build, signed_in, content):
    client = signed_in(build.person("admin", region=build.region()))
    [(row, heading, message)] = said(client, "regions", content)
    assert (row, heading) == (2, "上级编码")
    assert "请填写行政区 990100777211 的上级代码" in message


def test_a_person_is_chief_of_a_reach_once_under_whatever_title(build, client):
    reach = build.reach(level="county")
    build.person("chief", username="c1", name="张三")
    assert counts(send(client, "appointments", TERMS + f"{reach.code},c1,河长,2026-05-01,\n")) == (1, 0, 0, 0)
    again = TERMS + f"{reach.code},c1,村级河长,2026-06-01,\n"
    [(row, _, message)] = said(client, "appointments", again)
    assert row == 2
    assert "河长，自 2026-05-01 起" in message
    ended = TERMS + f"{reach.code},c1,河长,2026-05-01,2026-05-31\n{reach.code},c1,村级河长,2026-06-01,\n"
    assert counts(send(client, "appointments", ended)) == (1, 1, 0, 0)
    # Posts beside a chief, and a deputy's before, are others.
    beside = TERMS + f"{reach.code},c1,contact,2026-05-01,\n{reach.code},c1,副河长,2026-05-01,2026-05-31\n"
    assert counts(send(client, "appointments", beside)) == (2, 0, 0, 0)


def test_what_is_stored_twice_already_may_be_imported_again(build, client):
    reach, person = build.reach(level="county"), build.person("chief", username="c1")
    for title in ("河长", "村级河长"):
        build.appointment(reach, person, title=title)
    content = TERMS + "".join(f"{reach.code},c1,{title},2020-01-01,\n" for title in ("河长", "村级河长"))
    assert counts(send(client, "appointments", content)) == (0, 0, 2, 0)
    assert db.session.scalar(db.select(db.func.count()).select_from(Person).filter_by(username="c1")) == 1


def test_a_workbook_s_apostrophe_and_geojson_s_properties(build, client):
    water = build.water_body()
    assert counts(send(client, "water_bodies", xlsx(["编码*", "名称", "类型"], ["'R1", "清溪", "河流"]))) == (1, 0, 0, 0)
    row = {"河段编码": "Ｘ１", "河段名称": "段", "水体编码": water.code, "行政区划代码": "990100", "级别": "村级", "备注": "x"}
    reply = send(client, "reaches", features((row, LINES)))
    assert counts(reply) == (1, 0, 0, 0)
    assert [warning["field"] for warning in reply.json["warnings"]] == ["备注"]
