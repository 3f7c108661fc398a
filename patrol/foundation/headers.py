"""The headers of every answer: what a browser may do with it, its ETag, and that nobody keeps it."""

from flask import Flask, Response, g, request

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self)",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}

_USUAL_HEADERS = {**SECURITY_HEADERS, "Cache-Control": "no-store"}


def add_headers(app: Flask) -> None:
    """Give every answer the security headers, its ETag, and `no-store` unless the view said otherwise."""

    @app.after_request
    def complete(response: Response) -> Response:
        # `setdefault` would walk through all the headers for each of these, on every request.
        there = {name.lower() for name, _ in response.headers}
        for name, value in _USUAL_HEADERS.items():
            if name.lower() not in there:
                response.headers.add(name, value)
        if (etag := g.pop("etag", None)) and response.status_code < 300:
            response.headers["ETag"] = etag
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
