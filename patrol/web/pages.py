"""Pages for people: the start page, and the API's reader. They use the JSON API and nothing else."""

from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, render_template, send_from_directory

HERE = Path(__file__).parent
pages = Blueprint("pages", __name__, template_folder="templates")

# Swagger UI sets styles inline and draws its icons from data URLs; nothing else here may.
_READER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pages.get("/")
def start() -> Response:
    """Say what this is, show the district as it stands, and lead on."""
    return _page("start.html", demo=current_app.extensions["settings"].demo)


@pages.get("/t/<code>")
def progress(code: str) -> Response:
    """Show how a case stands, let its complainant rate it or say "not fixed", and its follower leave."""
    del code  # The page's script reads it from the address: it is a key and shall stand in no page.
    settings = current_app.extensions["settings"]
    return _page("progress.html", timezone=settings.timezone, days=settings.not_fixed_days)


@pages.get("/u/<token>")
@pages.get("/u/<token>/confirm")
def subscription(token: str) -> Response:
    """Ask whether messages about a case are to end, or are wanted. A button does it: programs that open links change nothing."""
    del token
    return _page("subscription.html")


@pages.get("/report")
@pages.get("/b/<code>")
def report(code: str = "") -> Response:
    """Give the citizen's form; with a board's code, the form that knows the reach."""
    del code
    settings = current_app.extensions["settings"]
    return _page("report.html", mail=settings.tells_by_mail, sms=settings.tells_by_sms)


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


def _page(template: str, **facts: object) -> Response:
    page = Response(render_template(template, **facts), mimetype="text/html")
    page.headers["Cache-Control"] = "no-cache"
    return page


def _file(folder: str, name: str) -> Response:
    response = send_from_directory(HERE / folder, name, max_age=3600)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def register(app: Flask) -> None:
    """Add the pages to the application."""
    app.register_blueprint(pages)
