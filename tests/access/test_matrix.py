"""Who gets in where: every route for every kind of caller, run against one prepared district.

`matrix.csv` has a row a route and a column a kind of caller. A cell is the status that the request of `requests.py` gets,
with `+` when the answer must show the target of the row and `-` when it must not.
"""

import csv
from pathlib import Path

import pytest

from patrol.foundation.database import db
from tests.access.requests import REQUESTS
from tests.access.world import PERSONAS, WorldMaker

MATRIX = Path(__file__).with_name("matrix.csv")
ROWS = {f"{row['method']} {row['rule']}": row for row in csv.DictReader(MATRIX.read_text(encoding="utf-8").splitlines())}
# What shows the chief of a reach and an issue in charges against that very chief, and must not show them to him.
SEEN_BY_ID = ("", "/history", "/routing", "/allowed")


def routes_of(app):
    """Every method and rule of the application, without OPTIONS and the HEAD beside a GET, which Flask answers by itself."""
    return {f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in methods_of(rule)}


def methods_of(rule):
    return rule.methods - ({"HEAD", "OPTIONS"} if "GET" in rule.methods else {"OPTIONS"})


@pytest.fixture(scope="module")
def connection(app):
    """A connection whose outer transaction holds the world; each request runs in a savepoint that is rolled back."""
    with app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            outer = connection.begin()
            db.engines[None] = connection
            yield connection
            db.session.remove()
            outer.rollback()
            db.engines[None] = engine


@pytest.fixture(scope="module")
def world(app, connection):
    made = WorldMaker(app).make()
    db.session.remove()
    return made


def send(app, connection, world, persona, request, method):
    """Send one request as `persona` and undo what it wrote; return the cell that it stands for, and the answer."""
    headers = dict(request.headers)
    if persona != "anonymous":
        headers["Authorization"] = f"Bearer {world.tokens[persona]}"
    savepoint = connection.begin_nested()
    try:
        reply = app.test_client().open(request.path, method=method, **{**request.options(), "headers": headers})
        body = reply.get_data()
        reply.close()
    finally:
        db.session.remove()
        savepoint.rollback()
    sight = ""
    if reply.status_code == 200 and request.shows is not None:
        sight = "+" if request.shows.encode() in body else "-"
    return f"{reply.status_code}{sight}", body


def test_every_route_is_in_the_matrix_and_every_row_has_a_route(app):
    routes = routes_of(app)
    assert routes - ROWS.keys() == set(), "routes without a row in matrix.csv"
    assert ROWS.keys() - routes == set(), "rows of matrix.csv without a route"
    assert routes - REQUESTS.keys() == set(), "routes without a request"


def test_the_matrix_is_full():
    assert all(row[persona] for row in ROWS.values() for persona in PERSONAS)
    assert list(ROWS) == sorted(ROWS, key=lambda route: (route.split()[1], route))


@pytest.mark.parametrize("route", ROWS)
def test_each_cell(route, app, connection, world):
    if route not in REQUESTS:
        pytest.fail(f"no request for {route}")
    found, bodies = {}, {}
    for persona in PERSONAS:
        found[persona], bodies[persona] = send(app, connection, world, persona, REQUESTS[route](world), route.split()[0])
    wanted = {persona: ROWS[route][persona] for persona in PERSONAS}
    wrong = {persona: (wanted[persona], found[persona], bodies[persona][:300]) for persona in PERSONAS if wanted[persona] != found[persona]}
    assert not wrong, f"{route}: (wanted, found, answer) {wrong}"


@pytest.mark.parametrize("part", SEEN_BY_ID)
@pytest.mark.parametrize(("persona", "status"), [
    ("chief_of_this_reach", 404), ("patroller", 404), ("office_of_this_region", 200), ("supervisor", 200), ("auditor", 200)])
def test_a_charge_against_a_chief_is_hidden_from_him(part, persona, status, app, connection, world):
    request = REQUESTS["GET /api/v1/issues/<uuid:issue_id>"](world)
    request.path = f"/api/v1/issues/{world.issues['charge']}{part}"
    assert send(app, connection, world, persona, request, "GET")[0] == str(status)


@pytest.mark.parametrize("listing", ["issues", "issues.geojson", "issues.csv"])
def test_a_charge_against_a_chief_is_in_none_of_his_lists(listing, app, connection, world):
    request = REQUESTS["GET /api/v1/issues"](world)
    request.path, request.query, request.shows = f"/api/v1/{listing}", {"category": "F"}, '"F1' if "csv" not in listing else ",F1"
    assert send(app, connection, world, "chief_of_this_reach", request, "GET")[0] == "200-"
    assert send(app, connection, world, "office_of_this_region", request, "GET")[0] == "200+"
