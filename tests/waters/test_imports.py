"""Importing registers: what is created, updated, left alone, refused; all or nothing, over HTTP and by command."""

import io
import json
from datetime import date, timedelta

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.texts import NOTHING_WRITTEN
from patrol.people.actor import SYSTEM
from patrol.people.models import AuditEntry, Person, Region
from patrol.people.passwords import is_password
from patrol.people.permissions import Role
from patrol.waters import imports
from patrol.waters.import_columns import ImportKind
from patrol.waters.models import Appointment, Reach, RegisterVersion, Signboard, WaterBody
from tests.waters.test_import_files import features, xlsx

LINES = {"type": "MultiLineString", "coordinates": [[[119.80, 29.60], [119.81, 29.60]], [[119.82, 29.60], [119.83, 29.60]]]}
LAKE = {"type": "Polygon", "coordinates": [[[119.8, 29.6], [119.9, 29.6], [119.9, 29.7], [119.8, 29.6]]]}
PASSWORD = "qing-xi-he-1"
NOTHING = f"{NOTHING_WRITTEN.en} / {NOTHING_WRITTEN.zh}"


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("admin"))


def send(client, kind, content, *, dry_run=False, language="en", **more):
    content = content.encode() if isinstance(content, str) else content
    form = {"kind": kind, "file": (io.BytesIO(content), "register.dat"), **({"dry_run": "true"} if dry_run else {}), **more}
    return client.post("imports", data=form, headers={"Accept-Language": language})


def counts(reply):
    assert reply.status_code == 200, reply.json
    return reply.json["created"], reply.json["updated"], reply.json["unchanged"], len(reply.json["errors"])


def faults(reply):
    assert reply.status_code == 422, reply.json
    assert reply.mimetype == "application/problem+json"
    assert (reply.json["created"], reply.json["updated"]) == (0, 0)
    return [(fault["row"], fault["field"]) for fault in reply.json["errors"]]


def state():
    row = db.session.execute(db.select(RegisterVersion.reaches, RegisterVersion.regions)).first()
    return None if row is None else tuple(row)


def stored(model, **by):
    db.session.expire_all()
    return db.session.scalar(db.select(model).filter_by(**by))


def samples(build):
    """One good file of two rows for each kind, in the order in which a district brings them in."""
    return {
        "regions": f"code,name,level,parent_code\n990100001,柳岸镇,township,{build.district.code}\n990100001001,柳岸村,village,990100001\n",
        "water_bodies": xlsx(["code", "name", "kind", "target_class"], ["R1", "清溪", "river", "Ⅲ类"], ["L1", "镜湖", "lake", None]),
        "reaches": features(
            ({"code": "R1-1", "name": "清溪上段", "water_body_code": "R1", "region_code": "990100001001", "level": "village",
              "bank": "left", "tolerance_m": 60}, LINES),
            ({"code": "L1-1", "name": "镜湖", "water_body_code": "L1", "region_code": 990100001, "level": "township"}, LAKE)),
        "people": ("username,name,phone,roles,region_code,title,department,password\n"
                   f"Chief.One,王河,13800000000,chief;patroller,990100001001,村支书,,{PASSWORD}\n"
                   "handler1,李工,,handler,990100,,water,\n").encode("gb18030"),
        "appointments": xlsx(["reach_code", "username", "title", "valid_from", "valid_to"],
                             ["R1-1", "chief.one", "村级河长", date(2026, 1, 1), None], ["L1-1", "chief.one", None, "2026/1/1", "2026-12-31"]),
        "signboards": "code,reach_code,latitude,longitude\nQX-1,R1-1,29.6,119.8\nQX-2,L1-1,29.65,119.85\n",
    }


def bring_in_all(client, build, until=None):
    for kind, content in samples(build).items():
        if kind == until:
            break
        assert counts(send(client, kind, content)) == (2, 0, 0, 0), kind


def test_a_district_is_imported_kind_by_kind(build, client):
    bring_in_all(client, build)
    village = stored(Region, code="990100001001")
    assert village.path == "/990100/990100001/990100001001/"
    reach = db.session.scalar(db.select(Reach).filter_by(code="R1-1").options(db.undefer(Reach.geometry)))
    assert (reach.region_id, reach.bank, reach.tolerance_m) == (village.id, "left", 60)
    assert (reach.west, reach.east) == (119.80, 119.83)
    assert reach.length_m == pytest.approx(2 * 968, abs=3)
    assert stored(Reach, code="L1-1").bank == "both"
    assert stored(WaterBody, code="R1").target_class == "III"
    chief = stored(Person, username="chief.one")
    assert (chief.role_names, chief.phone, chief.region_id) == (["chief", "patroller"], "13800000000", village.id)
    assert is_password(PASSWORD, chief.password_hash)
    assert stored(Person, username="handler1").department == "water"
    assert stored(Appointment, title="村级河长").valid_from == date(2026, 1, 1)
    assert stored(Appointment, title="chief").valid_to == date(2026, 12, 31)
    assert stored(Signboard, code="QX-2").latitude == 29.65
    audited = db.session.execute(db.select(AuditEntry.act, AuditEntry.subject, AuditEntry.facts)).all()
    assert [row.subject for row in audited] == list(samples(build))
    assert audited[0].facts["created"] == 2


@pytest.mark.parametrize("kind", ["regions", "water_bodies", "reaches", "people", "appointments", "signboards"])
def test_a_second_import_changes_nothing_and_a_dry_run_writes_nothing(build, client, kind):
    bring_in_all(client, build, until=kind)
    content, before = samples(build)[kind], state()
    tables = [Region, WaterBody, Reach, Person, Appointment, Signboard, AuditEntry]
    numbers = [db.session.scalar(db.select(db.func.count()).select_from(table)) for table in tables]
    assert counts(send(client, kind, content, dry_run=True)) == (2, 0, 0, 0)
    assert [db.session.scalar(db.select(db.func.count()).select_from(table)) for table in tables] == numbers
    assert state() == before
    assert counts(send(client, kind, content)) == (2, 0, 0, 0)
    after = state()
    assert (after != before) is (kind in {"regions", "reaches"})
    assert counts(send(client, kind, content, dry_run=True)) == counts(send(client, kind, content)) == (0, 0, 2, 0)
    assert state() == after
    for table in tables[:-1]:
        assert set(db.session.scalars(db.select(table.version))) <= {1}


@pytest.mark.parametrize(("kind", "old", "new", "code", "fields"), [
    ("regions", "柳岸镇", "柳岸街道", "990100001", ["name"]),
    ("people", "王河".encode("gb18030"), "王江".encode("gb18030"), "chief.one", ["name"]),
    ("people", b"chief;patroller", b"patroller;chief;supervisor", "chief.one", ["roles"]),
    ("reaches", b"119.83", b"119.84", "R1-1", ["geometry"]),
    ("reaches", b'"left"', b'"right"', "R1-1", ["bank"]),
    ("signboards", "QX-1,R1-1", "QX-1,L1-1", "QX-1", ["reach_code"]),
])
def test_a_changed_file_updates_what_changed_and_says_so(build, client, kind, old, new, code, fields):
    bring_in_all(client, build)
    content = samples(build)[kind].replace(old, new)
    for dry_run in (True, False):
        reply = send(client, kind, content, dry_run=dry_run)
        assert counts(reply) == (0, 1, 1, 0)
        change, = reply.json["changes"]
        assert (change["code"], change["fields"]) == (code, fields)
    assert counts(send(client, kind, content)) == (0, 0, 2, 0)


def test_a_new_password_by_import_ends_the_sign_ins(build, signed_in, client):
    person = build.person("chief", username="chief.two", name="张三")
    theirs = signed_in(person)
    assert theirs.get("me").status_code == 200
    content = f"username,name,roles,region_code,password\nchief.two,张三,chief,990100,{PASSWORD}\n"
    assert send(client, "people", content).json["changes"][0]["fields"] == ["password"]
    assert theirs.get("me").status_code == 401


def test_a_column_that_is_left_out_leaves_what_is_stored(build, client):
    bring_in_all(client, build)
    content = features(({"code": "R1-1", "name": "新名", "water_body_code": "R1", "region_code": "990100001001", "level": "village"}, None))
    assert send(client, "reaches", content).json["changes"][0]["fields"] == ["name"]
    reach = stored(Reach, code="R1-1")
    assert (reach.bank, reach.tolerance_m, reach.version) == ("left", 60, 2)
    assert send(client, "people", "username,name,roles,region_code,phone\nchief.one,王河,chief;patroller,990100001001,\n").json["changes"][0]["fields"] == ["phone"]
    assert stored(Person, username="chief.one").phone is None


def test_regions_may_come_in_any_order_and_move_with_all_below(build, client, district):
    content = "code,name,level,parent_code\nV,村,village,T\nT,镇,township,990100\nU,乡,township,990100\nW,组,village,V\n"
    assert counts(send(client, "regions", content)) == (4, 0, 0, 0)
    assert stored(Region, code="W").path == "/990100/T/V/W/"
    reply = send(client, "regions", "code,name,level,parent_code\nV,村,village,U\n")
    assert reply.json["changes"] == [{"row": 2, "code": "V", "fields": ["parent_code"]}]
    assert [stored(Region, code=code).path for code in "VW"] == ["/990100/U/V/", "/990100/U/V/W/"]
    assert stored(Region, code="W").version == 1


def test_regions_take_an_outline_from_geojson(build, client, district):
    rows = features(({"code": "990100", "name": "清溪区", "level": "county"}, LAKE))
    assert send(client, "regions", rows).json["changes"] == [{"row": 1, "code": "990100", "fields": ["geometry"]}]
    assert counts(send(client, "regions", rows)) == (0, 0, 1, 0)
    line = features(({"code": "990100", "name": "清溪区", "level": "county"}, LINES))
    assert faults(send(client, "regions", line)) == [(1, "geometry")]


def test_boards_may_be_geojson_points(build, client):
    reach = build.reach()
    content = features(({"code": "B-1", "reach_code": reach.code}, {"type": "Point", "coordinates": [119.8, 29.6, 3]}))
    assert counts(send(client, "signboards", content)) == (1, 0, 0, 0)
    assert stored(Signboard, code="B-1").longitude == 119.8
    afar = send(client, "signboards", f"code,reach_code,latitude,longitude\nB-9,{reach.code},29.9,119.8\n").json
    assert (afar["created"], [(row["row"], row["field"]) for row in afar["warnings"]]) == (1, [(2, "distance_to_reach_m")])
    bad = features(({"code": "B-2", "reach_code": reach.code}, {"type": "Point", "coordinates": [200, "x"]}))
    assert faults(send(client, "signboards", bad)) == [(1, "latitude"), (1, "longitude")]


REGION, WATER = "code,name,level,parent_code\n", "code,name,kind\n"
PEOPLE, TERMS = "username,name,roles,region_code\n", "reach_code,username,title,valid_from,valid_to\n"


@pytest.mark.parametrize(("kind", "content", "wanted"), [
    ("regions", "code,name\n1,a\n", [(1, "level"), (2, "parent_code")]),
    ("regions", "code,name,level,colour\n990100,a,county,red\n", [(1, "colour")]),
    ("regions", REGION + "990100,清溪区,county,,extra\n", [(2, "")]),
    ("regions", REGION + ",a,township,990100\n", [(2, "code")]),
    ("regions", REGION + "A,a,hamlet,990100\nB/C,b,township,990100\n", [(2, "level"), (3, "code")]),
    ("regions", REGION + "A,a,township,990100\nA,b,township,990100\n", [(3, "code")]),
    ("regions", REGION + "A,a,township,NONE\n", [(2, "parent_code")]),
    ("regions", REGION + "A,a,township,B\nB,b,township,A\n", [(2, "parent_code"), (3, "parent_code")]),
    ("regions", REGION + "V,v,village,T\nT,t,township,990100\n990100,d,county,T\n", [(3, "parent_code"), (4, "parent_code")]),
    ("regions", REGION + "V,v,village,A\nA,a,township,B\nB,b,township,A\nW,w,village,NONE\n",
     [(3, "parent_code"), (4, "parent_code"), (5, "parent_code")]),
    ("regions", REGION + "A,a,township,\n", [(2, "parent_code")]),
    ("regions", REGION + "A,a\x07b,township,990100\n", [(2, "name")]),
    ("regions", REGION + f"A,{'a' * 101},township,990100\n", [(2, "name")]),
    ("regions", REGION + "A,a\0b,township,990100\n", [(2, "name")]),
    ("water_bodies", WATER + "W,a,puddle\n", [(2, "kind")]),
    ("water_bodies", "code,name,kind,target_class\nW,a,river,VI\n", [(2, "target_class")]),
    ("people", PEOPLE + "a b,n,chief,990100\n", [(2, "username")]),
    ("people", PEOPLE + "a,n,king,990100\nb,n,;,990100\n", [(2, "roles"), (3, "roles")]),
    ("people", PEOPLE + "a,n,chief,NONE\n", [(2, "region_code")]),
    ("people", PEOPLE + "Anna,n,chief,990100\nanna,n,chief,990100\n", [(3, "username")]),
    ("people", "username,name,roles,region_code,password\na,n,chief,990100,12345678\n", [(2, "password")]),
    ("people", "username,name,roles,region_code,department\na,n,handler,990100,navy\n", [(2, "department")]),
    ("people", "username,name,phone,roles,region_code\na,n,1.38E+10,chief,990100\nb,n,abc,chief,990100\n", [(2, "phone"), (3, "phone")]),
    ("appointments", TERMS + "R1-1,handler1,chief,2026-01-01,\nR1-1,handler1,police_chief,2026-01-01,\n", [(2, "username")]),
    ("appointments", TERMS + "NONE,nobody,chief,2026-01-01,\n", [(2, "reach_code"), (2, "username")]),
    ("appointments", TERMS + "R1-1,chief.one,chief,soon,31/12/2026\n", [(2, "valid_from"), (2, "valid_to")]),
    ("appointments", TERMS + "R1-1,chief.one,chief,2026-02-01,2026-01-31\n", [(2, "valid_to")]),
    ("appointments", TERMS + "R1-1,chief.one,contact,2026-01-01,2026-02-01\nR1-1,chief.one,contact,2026-02-01,\n", [(3, "valid_from")]),
    ("appointments", TERMS + "R1-1,chief.one,村级河长,2025-01-01,2026-01-01\n", [(2, "valid_from")]),
    ("appointments", TERMS + "R1-1,chief.one,contact,2026-01-01,\nR1-1,chief.one,contact,2026-01-01,\n", [(3, "reach_code")]),
    ("signboards", "code,reach_code,latitude,longitude\nB,NONE,29,119\nC,R1-1,91,nan\n", [(2, "reach_code"), (3, "latitude"), (3, "longitude")]),
])
def test_every_fault_is_named_by_row_and_nothing_is_written(build, client, kind, content, wanted):
    bring_in_all(client, build)
    before = state(), db.session.scalar(db.select(db.func.count()).select_from(AuditEntry))
    found = faults(send(client, kind, content))
    assert found == wanted, found
    assert (state(), db.session.scalar(db.select(db.func.count()).select_from(AuditEntry))) == before
    dry = send(client, kind, content, dry_run=True)
    assert dry.status_code == 200
    assert [(fault["row"], fault["field"]) for fault in dry.json["errors"]] == found


@pytest.mark.parametrize(("kind", "content", "wanted"), [
    ("regions", REGION + "A,,hamlet,NONE\n", [(2, "level"), (2, "name"), (2, "parent_code")]),
    # A child is not blamed for what is wrong with its parent's row.
    ("regions", REGION + "A,a,hamlet,990100\nB,b,village,A\n", [(2, "level")]),
    ("regions", REGION + "A,a,township,x y\nB,b,village,A\n", [(2, "parent_code")]),
    ("regions", REGION + "A,a,township,990100\nA,a,hamlet,NONE\nB,b,village,A\n", [(3, "code"), (3, "level"), (3, "parent_code")]),
    ("reaches", features(({"code": "X", "name": "", "water_body_code": "NO", "region_code": "NO", "level": "hamlet", "bank": "up"}, {"type": "Point"})),
     [(1, field) for field in ("bank", "geometry", "level", "name", "region_code", "water_body_code")]),
    ("people", "username,name,roles,region_code,phone,password\na,,king;河长;queen,NONE,1,123\na,n,chief,990100,,\n",
     [(2, field) for field in ("name", "password", "phone", "region_code", "roles")] + [(3, "username")]),
    ("appointments", TERMS + "NONE,handler1,chief,2026-02-01,2026-01-01\n", [(2, "reach_code"), (2, "username"), (2, "valid_to")]),
    ("appointments", TERMS + "NONE,nobody,chief,soon,\n", [(2, "reach_code"), (2, "username"), (2, "valid_from")]),
    # The long period overlaps both of the short ones, which do not overlap each other.
    ("appointments", TERMS + "R1-1,chief.one,contact,2026-01-01,\nR1-1,chief.one,contact,2026-02-01,2026-02-28\nR1-1,chief.one,contact,2026-04-01,2026-04-30\n",
     [(3, "valid_from"), (4, "valid_from")]),
    ("signboards", "code,reach_code,latitude,longitude\na b,NONE,91,\n", [(2, "code"), (2, "latitude"), (2, "longitude"), (2, "reach_code")]),
    # A column that is missing, unknown or there twice hides no fault of the others.
    ("water_bodies", "编码,名称,colour,类型,name\nW 1,,red,puddle,a\n", [(1, "colour"), (1, "name"), (2, "code"), (2, "kind")]),
    ("people", "username,name,colour\na b,,red\n", [(1, "colour"), (1, "region_code"), (1, "roles"), (2, "name"), (2, "username")]),
])
def test_all_faults_of_all_fields_come_in_one_answer(build, client, kind, content, wanted):
    bring_in_all(client, build)
    assert faults(send(client, kind, content)) == wanted


def test_all_unknown_roles_of_a_cell_are_named_at_once(build, client, district):
    reply = send(client, "people", PEOPLE + "a,n,king;河长;queen,990100\n")
    assert "king、queen is not one of" in reply.json["errors"][0]["message"]


def test_a_word_that_is_no_role_is_told_the_roles_in_chinese_and_where_the_level_comes_from(build, client, district):
    [fault] = send(client, "people", PEOPLE + "a,n,村长,990100\n", language="zh").json["errors"]
    assert all(role in fault["message"] for role in Role)
    for words in ("“村长”", "河长（chief）", "河长办（office）", "级别由所属行政区决定", "村级河长"):
        assert words in fault["message"]


@pytest.mark.parametrize("word", ["村级河长", "乡镇级河长", "镇级河长", "县级湖长", "市级河长", "总河长"])
def test_a_chief_of_a_level_is_a_chief_whose_region_says_the_level(build, client, word, district):
    assert counts(send(client, "people", PEOPLE + f"a,n,{word};巡河员,990100\n"))[0] == 1
    assert stored(Person, username="a").role_names == ["chief", "patroller"]


def test_a_rehearsal_reports_what_the_import_would_refuse(build, client, district):
    good, bad = WATER + "W,a,river\n", WATER + "W,a,river\nV,b,puddle\n"
    assert [len(send(client, "water_bodies", text, dry_run=True).json["errors"]) for text in (good, bad)] == [0, 1]
    reply = send(client, "water_bodies", bad, dry_run=True)
    assert (reply.status_code, reply.mimetype, reply.json["created"]) == (200, "application/json", 1)
    assert send(client, "water_bodies", bad).status_code == 422
    assert stored(WaterBody, code="W") is None


REACH = {"name": "段", "region_code": "990100", "level": "village"}
CLOCKWISE = {"type": "Polygon", "coordinates": [LAKE["coordinates"][0][::-1]]}


def test_shapes_of_gis_programs_are_taken_as_they_are(build, client):
    """Altitudes are dropped, and rings may wind either way (RFC 7946 asks readers to accept both)."""
    water = build.water_body()
    high = {"type": "LineString", "coordinates": [[119.80, 29.60, 12.5], [119.81, 29.60, 13]]}
    rows = [({"code": f"X{n}", "water_body_code": water.code, **REACH}, shape) for n, shape in enumerate((high, LAKE, CLOCKWISE))]
    assert counts(send(client, "reaches", features(*rows))) == (3, 0, 0, 0)
    assert stored(Reach, code="X1").length_m == stored(Reach, code="X2").length_m


def test_features_without_properties_are_faults_of_their_rows(build, client):
    water = build.water_body()
    good = {"type": "Feature", "properties": {"code": "X", "water_body_code": water.code, **REACH}, "geometry": LINES}
    document = {"type": "FeatureCollection", "features": [
        good, {"type": "Feature", "geometry": LINES}, {"type": "Feature", "properties": [], "geometry": LINES}, 7,
        {**good, "properties": {**good["properties"], "level": "x"}}]}
    found = faults(send(client, "reaches", json.dumps(document)))
    assert found == [(2, field) for field in ("code", "level", "name", "region_code", "water_body_code")] + [(3, ""), (4, ""), (5, "code"), (5, "level")]


def test_boards_without_a_point_beside_boards_with_one(build, client):
    reach = build.reach()
    point = {"type": "Point", "coordinates": [119.8, 29.6]}
    content = features(({"code": "B-1", "reach_code": reach.code}, None), ({"code": "B-2", "reach_code": reach.code}, point))
    assert faults(send(client, "signboards", content)) == [(1, "latitude"), (1, "longitude")]


def test_a_sheet_with_a_merged_title_or_merged_headings_says_what_to_do(client):
    reply = send(client, "water_bodies", xlsx(["清溪区水体名录", None, None], ["编码", "名称", "类型"], ["R1", "清溪", "河流"]), language="zh")
    assert reply.status_code == 422
    assert "标题行" in reply.json["errors"]["file"][0]
    gap = send(client, "water_bodies", xlsx(["code", None, "kind"], ["R1", "清溪", "river"]))
    assert "column 2 has none" in gap.json["errors"]["file"][0]


@pytest.mark.parametrize(("language", "says"), [("zh", "没有编码为 NONE 的水体"), ("en", "There is no water body with the code NONE")])
def test_faults_are_told_in_the_callers_language(build, client, language, says, district):
    rows = features(({"code": "X", "name": "n", "water_body_code": "NONE", "region_code": "990100", "level": "village"}, LINES))
    reply = send(client, "reaches", rows, language=language)
    assert reply.json["errors"] == [{"row": 1, "field": "water_body_code", "heading": "water_body_code", "message": says}]


@pytest.mark.parametrize(("geometry", "says"), [
    ({"type": "Point", "coordinates": [119.9, 29.7]}, "行政区的范围必须是面（Polygon 或 MultiPolygon）"),
    ({"type": "LineString", "coordinates": [[119.9, 29.7], [119.91, 29.7]]}, "行政区的范围必须是面（Polygon 或 MultiPolygon）"),
    ({"type": "Polygon", "coordinates": [[[119.9, 29.7], [119.91, 29.71], [119.91, 29.7], [119.9, 29.71], [119.9, 29.7]]]},
     "面的边界有误（自相交或重叠）：自相交，位于 119.905 29.705"),
])  # fmt: skip
def test_an_outline_that_cannot_be_is_refused_in_words_that_fit_it(client, district, geometry, says):
    rows = features(({"code": "990100001", "name": "柳岸镇", "level": "township", "parent_code": "990100"}, geometry))
    assert send(client, "regions", rows, language="zh").json["errors"] == [{"row": 1, "field": "geometry", "heading": "geometry", "message": says}]


@pytest.mark.parametrize(("changes", "geometry", "field"), [
    ({"water_body_code": "NONE"}, LINES, "water_body_code"), ({"region_code": "NONE"}, LINES, "region_code"), ({"level": "x"}, LINES, "level"),
    ({"bank": "north"}, LINES, "bank"), ({"tolerance_m": -1}, LINES, "tolerance_m"), ({"tolerance_m": True}, LINES, "tolerance_m"),
    ({"tolerance_m": "1_0"}, LINES, "tolerance_m"),
    ({"name": {"zh": "x"}}, LINES, "name"), ({}, None, "geometry"), ({}, {"type": "Point", "coordinates": [1, 2]}, "geometry"),
    ({}, {"type": "LineString", "coordinates": [[119, 29]]}, "geometry"), ({}, {"type": "LineString", "coordinates": [[119, 29], [4e6, 3e6]]}, "geometry"),
    ({}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "geometry"), ({}, "line", "geometry"),
])
def test_bad_reaches_are_refused_beside_good_ones(build, client, changes, geometry, field):
    water = build.water_body()
    good = {"code": "X-1", "name": "段", "water_body_code": water.code, "region_code": "990100", "level": "village"}
    reply = send(client, "reaches", features((good, LINES), ({**good, "code": "X-2", **changes}, geometry)))
    assert faults(reply) == [(2, field)]
    assert reply.json["errors"][0]["message"]
    assert stored(Reach, code="X-1") is None


def test_deeply_nested_coordinates_are_a_bad_geometry(build, client):
    water = build.water_body()
    deep = ('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"X","name":"n","water_body_code":"'
            + water.code + '","region_code":"990100","level":"village"},"geometry":{"type":"LineString","coordinates":' + "[" * 900 + "]" * 900 + "}}]}")
    assert faults(send(client, "reaches", deep)) == [(1, "geometry")]


def test_nothing_outside_ones_region_is_touched(build, signed_in):
    here, there = build.region(), build.region()
    client = signed_in(build.person("admin", region=here))
    foreign_reach, own_reach = build.reach(region=there), build.reach(region=here)
    foreign, own = build.person(region=there), build.person(region=here)
    board = build.board(foreign_reach)
    water = own_reach.water_body.code
    reach = {"code": foreign_reach.code, "name": "x", "water_body_code": water, "region_code": here.code, "level": "village"}
    for kind, content, wanted in [
        ("regions", REGION + f"{there.code},x,township,990100\n", [(2, "code")]),
        ("regions", REGION + f"NEW,x,township,{there.code}\n", [(2, "code")]),
        ("regions", REGION + f"{here.code},x,township,{there.code}\n", [(2, "parent_code")]),
        ("reaches", features((reach, LINES)), [(1, "code")]),
        ("reaches", features(({**reach, "code": "NEW", "region_code": there.code}, LINES)), [(1, "region_code")]),
        ("people", PEOPLE + f"{foreign.username},x,chief,{here.code}\n", [(2, "username")]),
        ("people", PEOPLE + f"new,x,chief,{there.code}\n", [(2, "region_code")]),
        ("appointments", TERMS + f"{foreign_reach.code},{own.username},c,2026-01-01,\n", [(2, "reach_code")]),
        ("appointments", TERMS + f"{own_reach.code},{foreign.username},c,2026-01-01,\n", [(2, "username")]),
        ("signboards", f"code,reach_code,latitude,longitude\nN,{foreign_reach.code},1,1\n", [(2, "reach_code")]),
        ("signboards", f"code,reach_code,latitude,longitude\n{board.code},{own_reach.code},1,1\n", [(2, "code")]),
    ]:
        assert faults(send(client, kind, content)) == wanted, (kind, content)


def test_only_who_manages_people_imports_people(build, signed_in):
    office = signed_in(build.person("office"))
    assert send(office, "people", PEOPLE + "boss,x,admin,990100\n").status_code == 403
    assert counts(send(office, "water_bodies", WATER + "W1,a,river\n")) == (1, 0, 0, 0)


@pytest.mark.parametrize(("form", "status"), [
    ({"kind": "castles", "file": (io.BytesIO(b"x"), "x")}, 422), ({"kind": "reaches"}, 422), ({"kind": "reaches", "file": "text"}, 422),
    ({"file": (io.BytesIO(b"x"), "x")}, 422), ({"kind": "reaches", "file": (io.BytesIO(b"x"), "x"), "dry_run": "perhaps"}, 422),
    ({"kind": "reaches", "file": (io.BytesIO(b"x"), "x"), "colour": "red"}, 422), ({"kind": "people", "file": (io.BytesIO(b"a,b\n"), "x")}, 422),
])
def test_bad_requests_are_refused(client, form, status):
    reply = client.post("imports", data=form, content_type="multipart/form-data")
    assert reply.status_code == status
    assert reply.json["errors"]


def test_an_import_is_a_form(client):
    assert client.post("imports", json={"kind": "reaches"}).status_code == 415


def test_passwords_by_request_are_bounded(build, client, monkeypatch):
    monkeypatch.setitem(imports.run_import.__kwdefaults__, "most_passwords", 1)
    content = samples(build)["people"].replace(b"water,", b"water," + PASSWORD.encode())
    reply = send(client, "people", content)
    assert reply.status_code == 422
    assert "file" in reply.json["errors"]


def test_faults_beyond_five_hundred_are_counted(client):
    reply = send(client, "water_bodies", WATER + "".join(f"W{n},a,puddle\n" for n in range(510)))
    assert reply.status_code == 422
    assert (len(reply.json["errors"]), reply.json["more_errors"]) == (500, 10)


def test_the_command_imports_as_the_system(app, build, tmp_path):
    file = tmp_path / "regions.csv"
    file.write_bytes((REGION + "77,新区,county,\n").encode("gb18030"))
    run = app.test_cli_runner().invoke
    dry = run(args=["import", "regions", str(file), "--dry-run"])
    assert (dry.exit_code, dry.output) == (0, f"1 created, 0 updated, 0 unchanged, 0 errors\n{NOTHING}\n")
    assert stored(Region, code="77") is None
    assert run(args=["import", "regions", str(file)]).exit_code == 0
    assert stored(Region, code="77").path == "/77/"
    file.write_text("code,name,level\n77,新新区,county\n78,x,planet\n")
    refused = run(args=["import", "regions", str(file)])
    assert refused.exit_code == 1
    assert "row 3 · level" in refused.output
    assert NOTHING not in refused.output
    assert run(args=["import", "regions", str(file), "--dry-run"]).output.endswith(f"1 errors\n{NOTHING}\n")
    assert stored(Region, code="77").name == "新区"
    file.write_bytes(b"")
    assert "empty" in run(args=["import", "regions", str(file)]).output


def test_a_password_in_the_list_never_replaces_ones_own(build, district):
    """Importing an old staff list again must not undo what people have changed since."""
    text = "username,name,phone,roles,region_code,title,password\nlist,王,,chief,990100,,{}\n"
    assert imports.run_import(ImportKind.PEOPLE, text.format("qing-xi-he-1").encode(), by=SYSTEM).created == 1
    again = imports.run_import(ImportKind.PEOPLE, text.format("another-pass-9").encode(), by=SYSTEM)
    assert (again.updated, again.unchanged) == (0, 1)
    person = db.session.scalar(db.select(Person).where(Person.username == "list"))
    assert is_password("qing-xi-he-1", person.password_hash)


def test_an_account_that_gets_a_password_while_a_list_is_hashed_keeps_it(district, monkeypatch):
    text, hashed = "username,name,roles,region_code,password\nfast,王,chief,990100,{}\n", imports.new_hashes

    def somebody_is_faster(*args):
        found = hashed(*args)
        monkeypatch.setattr(imports, "new_hashes", hashed)
        assert imports.run_import(ImportKind.PEOPLE, text.format("qing-xi-he-1").encode(), by=SYSTEM).created == 1
        return found

    monkeypatch.setattr(imports, "new_hashes", somebody_is_faster)
    late = imports.run_import(ImportKind.PEOPLE, text.format("another-pass-9").encode(), by=SYSTEM)
    assert (late.created, late.updated, late.unchanged) == (0, 0, 1)
    assert is_password("qing-xi-he-1", db.session.scalar(db.select(Person.password_hash).where(Person.username == "fast")))


def test_imports_come_one_after_another(district, queries):
    """Two of the same file at once, on PostgreSQL: the second waits, and then changes nothing."""
    imports.run_import(ImportKind.PEOPLE, b"username,name,roles,region_code\nslow,Wang,chief,990100\n", by=SYSTEM)
    assert "register_version" in queries[0]
    assert ("FOR UPDATE" in queries[0]) == (db.engine.dialect.name == "postgresql")


def test_a_password_that_is_not_taken_over_is_told_by_row(build, client):
    build.person("chief", username="old.one", password_hash="set")
    head = "username,name,roles,region_code,password\n"
    content = head + f"new.one,新,chief,990100,{PASSWORD}\nold.one,旧,chief,990100,another-pass-9\n"
    for dry_run in (True, False):
        [warning] = send(client, "people", content, dry_run=dry_run).json["warnings"]
        assert (warning["row"], warning["field"]) == (3, "password")
        assert "old.one" in warning["message"]
        assert "/me/password" in warning["message"]
    # The account that was new a moment ago keeps its password too.
    zh = send(client, "people", content, language="zh").json["warnings"]
    assert [row["row"] for row in zh] == [2, 3]
    assert all("导入不会更改" in row["message"] for row in zh)
    assert send(client, "people", head + "old.one,旧,chief,990100,\n").json["warnings"] == []


def test_a_wrong_first_day_is_told_with_its_cure(build, client):
    reach, person = build.reach(), build.person("chief", username="c1")
    build.appointment(reach, person, title="村级河长", valid_from=date(2026, 1, 1))
    row = f"{reach.code},c1,村级河长,"
    refused = send(client, "appointments", TERMS + row + "2026-03-01,\n")
    assert faults(refused) == [(2, "valid_from")]
    [message] = [fault["message"] for fault in refused.json["errors"]]
    assert "村级河长, from 2026-01-01 on" in message
    assert "2026-01-01 and a `valid_to`" in message
    zh = send(client, "appointments", TERMS + row + "2026-03-01,\n", language="zh").json["errors"][0]["message"]
    assert "村级河长，自 2026-01-01 起" in zh
    assert "valid_to" in zh
    # What it says, done.
    cure = TERMS + row + "2026-01-01,2026-02-28\n" + row + "2026-03-01,\n"
    assert counts(send(client, "appointments", cure)) == (1, 1, 0, 0)
    other = send(client, "appointments", TERMS + row + "2027-01-01,2027-06-30\n" + row + "2025-01-01,2025-12-31\n").json["errors"]
    assert [fault["row"] for fault in other] == [2]
    within = send(client, "appointments", TERMS + f"{reach.code},c1,contact,2026-01-01,2026-06-30\n{reach.code},c1,contact,2026-06-30,\n").json["errors"]
    assert [(fault["row"], "row 2" in fault["message"], "2026-01-01 to 2026-06-30" in fault["message"]) for fault in within] == [(3, True, True)]


CHINESE = {
    "regions": "行政区划代码,行政区名称,级别,上级行政区划代码\n990100001,柳岸镇,乡镇级,990100\n990100001001,柳岸村,村级,990100001\n",
    "water_bodies": xlsx(["河流编码", "河流名称", "类型", "水质目标"], ["R1", "清溪", "河流", "Ⅲ类"]),
    "reaches": features(({"河段编码": "R1-1", "河段名称": "清溪柳岸段", "河流编码": "R1", "行政区划代码": "990100001001", "级别": "村级", "岸别": "左岸"}, LINES)),
    "people": "用户名,姓名,手机号,角色,行政区划代码,职务,责任单位\nwangwu,王五,13800000000,河长;巡河员,990100001001,村党支部书记,水利局\n",
    "appointments": "河段编码,用户名,职务,任职日期\nR1-1,wangwu,河长,2026/5/1\n",
    "signboards": "公示牌编号,河段编码,纬度,经度\nB-1,R1-1,29.6,119.8\n",
}


def test_a_district_s_own_files_with_chinese_headings_and_words(build, client, district):
    for kind, content in CHINESE.items():
        assert counts(send(client, kind, content))[0] > 0, kind
        assert counts(send(client, kind, content))[:2] == (0, 0), kind
    assert stored(Person, username="wangwu").role_names == ["chief", "patroller"]
    assert stored(Person, username="wangwu").department == "water"
    assert (stored(Reach, code="R1-1").bank, stored(Reach, code="R1-1").level) == ("left", "village")
    assert stored(Signboard, code="B-1").reach_id == stored(Reach, code="R1-1").id


def test_one_column_under_two_headings_is_a_fault(build, client):
    assert faults(send(client, "regions", "code,编码,name,level\n1,1,清溪区,区级\n")) == [(1, "code")]


def test_a_number_of_a_sheet_is_a_telephone_and_a_shortened_one_says_what_to_do(build, client, district):
    head = ["username", "name", "phone", "roles", "region_code"]
    rows = [["a", "甲", 13800000000, "chief", "990100"], ["b", "乙", 13800000001.0, "chief", "990100"]]
    assert counts(send(client, "people", xlsx(head, *rows))) == (2, 0, 0, 0)
    assert [stored(Person, username=name).phone for name in "ab"] == ["13800000000", "13800000001"]
    reply = send(client, "people", xlsx(head, ["c", "丙", "1.38E+10", "chief", "990100"]), language="zh")
    assert faults(reply) == [(2, "phone")]
    assert "文本" in reply.json["errors"][0]["message"]


def test_a_rehearsal_counts_no_row_with_a_fault(build, client, district):
    text = ("username,name,phone,roles,region_code,password\na,甲,1.38E+10,chief,990100,\nb,乙,,chief,990100,1234\n"
            "c,丙,13800000000,chief,990100,\n")
    reply = send(client, "people", text, dry_run=True)
    assert [(fault["row"], fault["field"]) for fault in reply.json["errors"]] == [(2, "phone"), (3, "password")]
    assert reply.json["created"] == 1
    reach, person = build.reach(), build.person("chief")
    twice = TERMS + f"{reach.code},{person.username},c,2026-01-01,\n{reach.code},{person.username},c,2026-02-01,\n"
    reply = send(client, "appointments", twice, dry_run=True)
    assert ([fault["row"] for fault in reply.json["errors"]], reply.json["created"]) == ([3], 1)


def test_an_import_leaves_no_area_without_its_admin(build, signed_in):
    first, second = build.person("admin", username="first"), build.person("admin", username="second", region=build.region())
    client = signed_in(first)
    head = "username,name,roles,region_code\n"
    rows = [f"{person.username},{person.name},{{}},{person.region.code}\n" for person in (first, second)]
    both = head + rows[0].format("office") + rows[1].format("office")
    assert faults(send(client, "people", both)) == [(2, "roles"), (3, "roles")]
    assert [fault["field"] for fault in send(client, "people", head + rows[0].format("office"), dry_run=True).json["errors"]] == ["roles"]
    assert counts(send(client, "people", head + rows[1].format("office"))) == (0, 1, 0, 0)
    build.person("admin", username="third")
    assert counts(send(client, "people", head + rows[0].format("office"))) == (0, 1, 0, 0)


def test_an_import_warns_of_chiefs_beside_each_other(build, client):
    reach, other = build.reach(level="county"), build.reach(level="county")
    people = [build.person("chief", username=f"c{n}", name=name) for n, name in enumerate("甲乙丙丁")]
    build.appointment(reach, people[0], valid_from=date(2026, 1, 1))
    content = TERMS + "".join([
        f"{reach.code},c1,村级河长,2026-03-01,2026-03-31\n", f"{reach.code},c2,村级河长,2026-04-01,\n", f"{reach.code},c3,deputy,2026-04-01,\n",
        f"{other.code},c1,chief,2026-01-01,2026-06-30\n", f"{other.code},c2,chief,2026-07-01,\n", f"{other.code},c3,chief,2026-06-30,2026-07-01\n"])
    for dry_run in (True, False):
        reply = send(client, "appointments", content, dry_run=dry_run)
        assert counts(reply) == (6, 0, 0, 0)
        assert [(row["row"], row["field"]) for row in reply.json["warnings"]] == [(row, "username") for row in (2, 3, 5, 6, 7)]
        assert "甲 (River chief, from 2026-01-01)" in reply.json["warnings"][0]["message"]
        assert "乙" not in reply.json["warnings"][1]["message"]
        assert all(name in reply.json["warnings"][4]["message"] for name in ("乙", "丙"))
    assert send(client, "appointments", content).json["warnings"] == []
    # What ends the overlap is no news; what begins one is.
    changed = send(client, "appointments", TERMS + f"{reach.code},c1,村级河长,2026-03-01,2026-04-01\n")
    assert "丙" in changed.json["warnings"][0]["message"]


CORRECTED = "reach_code,username,title,valid_from,former_valid_from\n"


def test_the_first_day_of_an_appointment_that_has_not_begun_is_corrected(build, client):
    reach, person, today = build.reach(level="county"), build.person("chief", username="c1", name="甲"), clock.today("Asia/Shanghai")
    tomorrow, later = today + timedelta(days=1), today + timedelta(days=40)
    coming = build.appointment(reach, person, valid_from=tomorrow, valid_to=today + timedelta(days=90))
    row = f"{reach.code},c1,chief,"
    for dry_run in (True, False):
        reply = send(client, "appointments", CORRECTED + f"{row}{later},{tomorrow}\n", dry_run=dry_run)
        assert counts(reply) == (0, 1, 0, 0)
        assert reply.json["changes"] == [{"row": 2, "code": f"{reach.code}/c1", "fields": ["valid_from"]}]
    moved = stored(Appointment, id=coming.id)
    assert (moved.valid_from, moved.valid_to, moved.version) == (later, today + timedelta(days=90), 2)
    audited = db.session.scalars(db.select(AuditEntry).filter_by(act="correct_appointment")).one()
    assert (audited.subject, audited.facts) == (str(coming.id), {"before": tomorrow.isoformat(), "valid_from": later.isoformat()})
    assert counts(send(client, "appointments", CORRECTED + f"{row}{later},{tomorrow}\n")) == (0, 0, 1, 0)
    assert db.session.scalar(db.select(db.func.count()).select_from(AuditEntry).filter_by(act="correct_appointment")) == 1


def test_what_has_begun_or_is_not_there_is_not_corrected(build, client):
    reach, person, today = build.reach(level="county"), build.person("chief", username="c1", name="甲"), clock.today("Asia/Shanghai")
    begun, tomorrow = build.appointment(reach, person, valid_from=today), today + timedelta(days=1)
    build.appointment(reach, person, title="contact", valid_from=tomorrow, valid_to=tomorrow)
    for row, wanted, says in (
        (f"chief,{tomorrow},{today}", [(2, "former_valid_from")], "谁在哪天负责已成记录"),
        (f"police_chief,{tomorrow},{today}", [(2, "former_valid_from")], "没有自"),
        (f"contact,{today + timedelta(days=2)},{tomorrow}", [(2, "valid_to")], "截止日期早于开始日期"),
    ):
        reply = send(client, "appointments", CORRECTED + f"{reach.code},c1,{row}\n", language="zh")
        assert faults(reply) == wanted
        assert says in reply.json["errors"][0]["message"]
    twice = CORRECTED + f"{reach.code},c1,contact,{tomorrow},\n{reach.code},c1,contact,{today},{tomorrow}\n"
    assert (3, "valid_from") in faults(send(client, "appointments", twice))
    assert stored(Appointment, id=begun.id).version == 1


@pytest.mark.parametrize(("latitude", "longitude", "says"), [
    ("119.8", "29.6", {"latitude": "写反"}), ("3300000", "39500000", {"latitude": "EPSG:4490", "longitude": "EPSG:4490"}),
    ("91", "200", {"latitude": "-90 到 90", "longitude": "-180 到 180"}), ("north", "200", {"latitude": "-90 到 90", "longitude": "-180 到 180"}),
])
def test_a_board_s_place_in_the_wrong_columns_or_in_metres_is_told(build, client, latitude, longitude, says):
    bring_in_all(client, build)
    reply = send(client, "signboards", f"code,reach_code,latitude,longitude\nC,R1-1,{latitude},{longitude}\n", language="zh")
    told = {fault["field"]: fault["message"] for fault in reply.json["errors"]}
    assert told.keys() == says.keys()
    assert all(words in told[field] for field, words in says.items()), told
