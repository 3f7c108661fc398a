"""What a refused request still sends is read and thrown away.

A server that closes while a client is sending cuts the client off: on a slow line a phone whose token has expired would hear of a
broken line instead of 401, and send its photo again and again.
"""

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from patrol.foundation.database import db

# So much gunicorn reads by itself before it answers the next request.
READ_ANYWAY_BYTES = 64 * 1024
PIECE_BYTES = 64 * 1024
# Who asks too often, or of a service that cannot answer, is cut off: reading costs a thread for as long as the line is slow.
_CUT_OFF = frozenset({429, 503})


def read_what_is_refused(app: Flask) -> None:
    """Let `app` read each body that it refuses, up to what any address takes, before it answers."""

    @app.after_request
    def read_the_rest(response: Response) -> Response:
        if response.status_code >= 400 and response.status_code not in _CUT_OFF and _is_long():
            _discard()
        return response


def _is_long() -> bool:
    length = request.content_length
    return length > READ_ANYWAY_BYTES if length is not None else "Transfer-Encoding" in request.headers


def _discard() -> None:
    """Read the rest of the body; what is larger than any address takes, or breaks off, is left."""
    # The line may be slow: nobody else waits for what this request has read of the database.
    db.session.rollback()
    request.max_content_length = current_app.config["MAX_CONTENT_LENGTH"]
    try:
        while request.stream.read(PIECE_BYTES):
            pass
    except (HTTPException, OSError):
        return
