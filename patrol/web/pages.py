"""Pages for people, and the API's reader. They use the JSON API; the progress and the open list come written, for browsers without scripts."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from patrol.evidence.reception import send_size
from patrol.foundation import clock
from patrol.foundation.errors import NotFound
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read
from patrol.public import open_data, queries
from patrol.public.api import progress_answer
from patrol.public.tracking_codes import read_tracking_code

HERE = Path(__file__).parent
pages = Blueprint("pages", __name__, template_folder="templates")

# Swagger UI sets styles inline and draws its icons from data URLs; nothing else here may.
_READER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


_NO_BOARD_NAMED = Text("这个地址里没有公示牌编号。", "This address names no signboard.")
_LISTED = 100
_FOR_PROGRAMS = ("/api/", "/open311/", "/uploads", "/site/", "/vendor/")
_FIGURES = {
    "received": Text("收到", "received"), "open": Text("办理中", "open"), "closed": Text("整改、复核并结案", "put right, checked and closed"),
    "rejected": Text("不予受理", "not taken up"),
    "merged": Text("合并办理", "dealt with together"),
}  # fmt: skip


@pages.before_request
def take_chosen_language() -> None:
    """Write a page in the language that its reader chose on another one; the pages' script keeps the choice in a cookie."""
    if (chosen := request.cookies.get("language")) in {"zh", "en"}:
        request.environ["xunhe.language"] = chosen


@pages.after_app_request
def show_that_nothing_is_there(response: Response) -> Response:
    """Give a page instead of a problem document to whoever opened a wrong address in a browser, which asks for HTML by its name."""
    is_address_wrong = response.status_code == 404 and request.url_rule is None and not request.path.startswith(_FOR_PROGRAMS)
    if not is_address_wrong or request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
        return response
    take_chosen_language()
    return _page("nothing.html", 404)


@pages.get("/")
def start() -> Response:
    """Say what this is, show the district as it stands, and lead on."""
    return _page("start.html", demo=current_app.extensions["settings"].demo)


@pages.get("/t", strict_slashes=False)
def track() -> AnyResponse:
    """Ask for a tracking code; what can be one leads on to the page of its own, whose address can be kept."""
    typed = request.args.get("code", "")
    if code := read_tracking_code(typed):
        return redirect(f"/t/{code}", 303)
    return _page("track.html", fault=queries.NO_COMPLAINT if typed.strip() else None)


@pages.get("/t/<path:code>")
@public_read
def progress(code: str) -> Response:
    """Show how a case stands, let its complainant rate it or say "not fixed", and its follower leave.

    In the address a slash counts as a hyphen, which a code may have anywhere.

    The code itself, which is a key, stands nowhere in the page: the page's script reads it from the address, and its
    photos are this address with `?photo=`.
    """
    settings, code = current_app.extensions["settings"], code.replace("/", "-")
    if "photo" in request.args:
        # What is no id is refused as that of no photo.
        photo_id = request.args.get("photo", type=UUID) or UUID(int=0)
        return send_size(queries.photo_of(queries.case_with_code(code), photo_id), "screen", publicly=True)
    found, fault, status = None, "", 200
    try:
        found = _written(progress_answer(queries.case_with_code(code)), settings.timezone)
    except NotFound as error:
        fault, status = error.detail.in_language(language()), error.status
    page = _page("progress.html", status, timezone=settings.timezone, days=settings.not_fixed_days, found=found, fault=fault)
    page.headers["Cache-Control"] = "no-store"
    return page


def _written(found: dict[str, Any], timezone: str) -> dict[str, Any]:
    """Return a case's progress with the local day and hour of each step, and the last day on which it is in time."""
    zone, due_at = ZoneInfo(timezone), found["due_at"]
    last_day = due_at and (due_at - timedelta(seconds=1)).astimezone(zone).date()
    steps = [{**step, "day": step["at"].astimezone(zone).strftime("%Y-%m-%d %H:%M")} for step in found["steps"]]
    return {**found, "steps": steps, "last_day": last_day}


@pages.get("/open", strict_slashes=False)
@public_read
def open_list() -> Response:
    """List the latest issues and the figures, without anything personal and without a script."""
    settings = current_app.extensions["settings"]
    figures = open_data.statistics(language())
    figures["closed"] = next((row["count"] for row in figures["by_state"] if row["code"] == "closed"), 0)
    shown = [{"number": figures[name], "words": words} for name, words in _FIGURES.items()]
    before = request.args.get("before")
    issues, older = open_data.latest(_LISTED, settings.timezone, before=before)
    return _page("open.html", figures=shown, issues=issues, older=older, before=before)


@pages.get("/u/<token>")
@pages.get("/u/<token>/confirm")
def subscription(token: str) -> Response:
    """Ask whether the messages about a case shall end, or begin: a button does it, whoever only looks changes nothing."""
    del token
    return _page("subscription.html")


@pages.get("/report", strict_slashes=False)
def report() -> Response:
    """Give the citizen's form."""
    return _form()


@pages.get("/b/<path:code>")
@public_read
def report_at_board(code: str) -> Response:
    """Give the form that knows the reach of this board, and names it; one of an unknown board says so and can still be used."""
    try:
        # As in `Room.route`: PostgreSQL cannot be asked for a text with NUL.
        board = queries.board_with_code(code.rstrip("/").replace("\0", "\ufffd"))
    except NotFound as error:
        return _form(error.status, fault=error.detail)
    today = clock.today(current_app.extensions["settings"].timezone)
    return _form(board=open_data.shown_board(board, language=language(), day=today))


def _form(status: int = 200, **facts: object) -> Response:
    settings = current_app.extensions["settings"]
    return _page("report.html", status, timezone=settings.timezone, mail=settings.tells_by_mail, sms=settings.tells_by_sms, **facts)


@pages.get("/b", strict_slashes=False)
def find_board() -> AnyResponse:
    """Give the form to whoever has no board's code, or lead on to the form of the board that he typed."""
    typed = request.args.get("code", "").strip()
    return redirect(f"/b/{quote(typed, safe='')}", 303) if typed else _form(fault=_NO_BOARD_NAMED)


@pages.get("/verify")
@pages.get("/verify/<issue_id>/<entry_hash>")
def verify(issue_id: str = "", entry_hash: str = "") -> Response:
    """Tell whether a case file is genuine; the page's script reads from the address what a QR code says."""
    del issue_id, entry_hash
    return _page("verify.html")


@pages.get("/docs")
def reader() -> Response:
    """Show the API's description to read and to try."""
    page = _page("reader.html")
    page.headers["Content-Security-Policy"] = _READER_POLICY
    return page


@pages.get("/site/<path:name>")
def site_file(name: str) -> Response:
    """Give a script or style of these pages."""
    return _file("site", name)


@pages.get("/vendor/<path:name>")
def vendor_file(name: str) -> Response:
    """Give a file of a vendored library."""
    return _file("vendor", name)


def _page(template: str, status: int = 200, **facts: object) -> Response:
    page = Response(render_template(template, language=language(), **facts), status, mimetype="text/html")
    page.headers["Cache-Control"] = "no-cache"
    page.vary.update(["Accept-Language", "Cookie"])
    return page


def _file(folder: str, name: str) -> Response:
    response = send_from_directory(HERE / folder, name, max_age=3600)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def register(app: Flask) -> None:
    """Add the pages to the application."""
    app.register_blueprint(pages)
