"""Issues over HTTP: reporting, lists, one issue with its history, and who answers for a place."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, current_app, request, stream_with_context

from patrol.evidence.reception import store_uploads
from patrol.foundation import clock
from patrol.foundation.database import new_id
from patrol.foundation.errors import Invalid
from patrol.foundation.http import Room, answer, set_etag
from patrol.foundation.paging import page_schema
from patrol.foundation.positions import position_of
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.table_answers import CSV, FILE, XLSX, begun, csv_answer, xlsx_answer
from patrol.foundation.texts import Text
from patrol.issues import listing, queries
from patrol.issues.accusations import placed_for
from patrol.issues.categories import CATEGORIES, Category, category_of, is_heading
from patrol.issues.exports import SHEET, Export, geojson_of, refuse_too_many_for_a_sheet, table_of
from patrol.issues.filters import Filters
from patrol.issues.history_schemas import AllowedOut, HistoryEntryOut
from patrol.issues.lifecycle import Step
from patrol.issues.models import Issue
from patrol.issues.placing import place_by_position
from patrol.issues.policies_held import closed_lately_since
from patrol.issues.reading import (
    Reader,
    shown_department,
    shown_history,
    shown_issue,
    shown_issue_routing,
    shown_list,
    shown_placement,
    shown_step,
)
from patrol.issues.reporting import enter_report
from patrol.issues.schemas import (
    CategoryOut,
    CountsOut,
    IssueExportArgs,
    IssueFeaturesOut,
    IssueIn,
    IssueListArgs,
    IssueOut,
    NearbyArgs,
    NearbyIssueOut,
    ResponsibleArgs,
    ResponsibleOut,
    RoleListOut,
    RoutingOut,
)
from patrol.people.actor import Actor
from patrol.people.door import current_actor, refuse_without
from patrol.people.permissions import Permission as P
from patrol.people.queries import person_with_username

room = Room("issues", __name__, url_prefix="/api/v1", description="Issues: reporting, steps, history, who answers")
GEOJSON = "application/geo+json"
_NOBODY = Text("没有这个人员，或不在您的辖区内：{who}", "There is nobody of that name in your area: {who}")


def settings() -> Settings:
    """Return the application's settings."""
    found: Settings = current_app.extensions["settings"]
    return found


def issue_answer(issue: Issue, status: int = 200, *, warnings: Sequence[Text] = ()) -> Response:
    """Return an issue with its ETag, as the caller may read it, and what the caller is warned of once."""
    set_etag(issue.version)
    reader = Reader.of(current_actor(), settings().timezone)
    if status == HTTPStatus.CREATED:
        # Nobody can follow what has just come: that is not asked.
        reader.followers[issue.id] = 0
    shown, said = shown_issue(issue, reader), [text.in_language(language()) for text in warnings]
    return answer(shown | ({"warnings": said} if said else {}), status)


def filters_of(args: dict[str, Any], actor: Actor) -> Filters:
    """Return the filters of loaded list arguments; `me` is the caller."""
    narrowed = {name: value for name, value in args.items() if name not in {"order", "limit", "cursor"}}
    return Filters(**{**narrowed, "assigned_to": person_asked(narrowed.get("assigned_to"), actor, "assigned_to")})


def person_asked(meant: UUID | str | None, actor: Actor, field: str) -> UUID | None:
    """Return the id of whom a filter means: `me` is the caller. Raises Invalid (422) at `field` for a user name that nobody of the area has."""
    if not isinstance(meant, str):
        return meant
    if meant == "me":
        return actor.person_id
    person = person_with_username(meant)
    if person is None or not actor.covers(person.region.path):
        fault = _NOBODY.format(who=meant)
        raise Invalid(fault, errors={field: [fault]})
    return person.id


@room.route("/issues", may=P.REPORT_ISSUE, methods=("POST",), refuses=(404, 409))
@room.body(IssueIn, with_photos=True)
@room.response(201, IssueOut)
@room.alt_response(200, schema=IssueOut, description="It was here already", success=True)
def report_issue(data: dict[str, Any]) -> Response:
    """Report an issue: it is placed at once, and goes to the responsible chief or the office."""
    stored = store_uploads(data.pop("photo_files"))
    issue, is_new = enter_report(
        data, by=current_actor(), id=data.pop("id") or new_id(), stored=stored,
        tolerance_m=settings().routing_tolerance_m, timezone=settings().timezone,
    )  # fmt: skip
    # What was reported once may have become a charge against its very reporter, who sees nothing of that by repeating the report either.
    return issue_answer(issue, 201) if is_new else issue_answer(queries.get_issue(current_actor(), issue.id))


@room.route("/issues", may=P.SEE_ISSUES)
@room.arguments(IssueListArgs, location="query")
@room.response(200, page_schema(IssueOut))
def list_issues(args: dict[str, Any]) -> Response:
    """List the issues of one's area and one's own, the newest first."""
    actor = current_actor()
    reader, filters = Reader.of(actor, settings().timezone), filters_of(args, actor)
    page = listing.list_issues(actor, filters, order=args["order"], limit=args["limit"], cursor=args["cursor"])
    return answer({"items": [shown_issue(issue, reader) for issue in reader.look_at(page.items, page=True)], "next": page.next})


@room.route("/issues/counts", may=P.SEE_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, CountsOut)
def count_issues(args: dict[str, Any]) -> Response:
    """Count the issues that pass the filters, by state: by those asked for, otherwise by each open one."""
    actor = current_actor()
    return answer({"counts": listing.counts(actor, filters_of(args, actor))})


@room.route("/issues/lists", may=P.SEE_ISSUES)
@room.response(200, page_schema(RoleListOut))
def count_lists() -> Response:
    """Count what the caller has to do, list by list; `path` with the query `filter` gives exactly these rows."""
    return answer({"items": [shown_list(row, language()) for row in listing.counted_lists(current_actor())], "next": None})


@room.route("/issues/nearby", may=P.SEE_ISSUES)
@room.arguments(NearbyArgs, location="query")
@room.response(200, page_schema(NearbyIssueOut))
def list_issues_nearby(args: dict[str, Any]) -> Response:
    """List what may be the same trouble: issues of the category near by that are open, then those closed lately; nearest first."""
    actor, position = current_actor(), position_of(args)
    reader = Reader.of(actor, settings().timezone)
    near = queries.list_nearby(actor, position.latitude, position.longitude, args["category"], closed_since=closed_lately_since(settings().timezone))
    reader.look_at([issue for issue, _ in near])
    items = [{**shown_issue(issue, reader), "distance_m": round(away_m, 1)} for issue, away_m in near]
    return answer({"items": items, "next": None})


@room.route("/issues/<uuid:issue_id>", may=P.SEE_ISSUES)
@room.response(200, IssueOut)
def show_issue(issue_id: UUID) -> Response:
    """Show one issue."""
    return issue_answer(queries.get_issue(current_actor(), issue_id))


@room.route("/issues/<uuid:issue_id>/history", may=P.SEE_ISSUES)
@room.response(200, page_schema(HistoryEntryOut))
def show_history(issue_id: UUID) -> Response:
    """Show an issue's whole history: who, when, what, why, each entry hashed over the one before."""
    actor = current_actor()
    issue, reader = queries.get_issue(actor, issue_id), Reader.of(actor, settings().timezone)
    return answer({"items": shown_history(issue, queries.history_of(issue), reader), "next": None})


@room.route("/issues/<uuid:issue_id>/routing", may=P.SEE_ISSUES)
@room.response(200, RoutingOut)
def show_routing(issue_id: UUID) -> Response:
    """Show who answers for an issue's place and why, as it was decided."""
    actor = current_actor()
    return answer(shown_issue_routing(queries.get_issue(actor, issue_id), Reader.of(actor, settings().timezone)))


@room.route("/issues/<uuid:issue_id>/allowed", may=P.SEE_ISSUES)
@room.response(200, AllowedOut)
def show_allowed(issue_id: UUID) -> Response:
    """Show the steps open to the caller now, what each brings, and which wait for somebody else's signature."""
    actor = current_actor()
    issue, reader = queries.get_issue(actor, issue_id), Reader.of(actor, settings().timezone)
    steps = [shown_step(step, issue, reader.language) for step in reader.allowed(issue)]
    set_etag(issue.version)
    return answer({
        "state": issue.state, "allowed": [step["verb"] for step in steps], "steps": steps,
        "signed_by_others": _with_reasons(reader.signed_by_others(issue), reader.language),
        "waiting_for_parts": _with_reasons(reader.waiting_for_parts(issue), reader.language),
    })


def _with_reasons(steps: list[tuple[Step, Text]], tongue: str) -> list[dict[str, str]]:
    return [{"verb": step.verb.value, "name": step.name.in_language(tongue), "reason": why.in_language(tongue)} for step, why in steps]


def _caller() -> Actor | None:
    """Return who asks on a route that is open to anyone: None without a token. Raises NotSignedIn (401) for a dead one."""
    if "Authorization" not in request.headers:
        return None
    refuse_without(P.SEE_WATERS)
    return current_actor()


@room.route("/responsible", may=None, refuses=(401, 403))
@room.arguments(ResponsibleArgs, location="query")
@room.response(200, ResponsibleOut)
def show_responsible(args: dict[str, Any]) -> Response:
    """Say who answers for a place on a day, and why. The public sees offices and posts, staff see the person."""
    position, category = position_of(args), args["category"]
    if category:
        category_of(category)
    with_people = _caller() is not None
    day = args["on"] or clock.today(settings().timezone)
    placement = placed_for(place_by_position(position, day=day, tolerance_m=settings().routing_tolerance_m), category)
    return answer(shown_placement(placement, category, with_people=with_people))


@room.route("/categories", may=None)
@room.response(200, page_schema(CategoryOut))
def list_categories() -> Response:
    """List all categories, headings before what they head."""
    return answer({"items": [_shown_category(row) for row in CATEGORIES.values()], "next": None})


def _shown_category(row: Category) -> dict[str, Any]:
    return {
        "code": row.code, "parent": row.parent, "name": row.name.in_language(language()), "names": row.name._asdict(),
        "department": shown_department(row.department, language()), "radius_m": row.radius_m, "public": row.public,
        "severity": row.severity.value, "is_heading": is_heading(row.code),
    }  # fmt: skip


def _export_of(args: dict[str, Any]) -> Export:
    actor = current_actor()
    return Export(actor, filters_of(args, actor), args["order"], language(), settings().timezone)


@room.route("/issues.geojson", may=P.SEE_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, IssueFeaturesOut, content_type=GEOJSON)
def issues_as_geojson(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as points on the map, all of them."""
    return Response(stream_with_context(begun(geojson_of(_export_of(args)))), mimetype=GEOJSON)


@room.route("/issues.csv", may=P.EXPORT_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, FILE, content_type=CSV)
def issues_as_csv(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as CSV (UTF-8), all of them."""
    return csv_answer(table_of(_export_of(args)), "issues")


@room.route("/issues.xlsx", may=P.EXPORT_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, FILE, content_type=XLSX)
def issues_as_xlsx(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as a workbook, all of them: what its sheet cannot hold is refused (422) before it begins."""
    export = _export_of(args)
    refuse_too_many_for_a_sheet(export)
    return xlsx_answer(table_of(export), SHEET, export.language, "issues")
