"""The WSGI entry point: `gunicorn app:app`, `flask --app app …`."""

import gc

# What is loaded stays: looking for cycles among it after each 700 objects would take a quarter of every start.
gc.set_threshold(20_000, 20, 50)

from patrol.application import create_app  # noqa: E402

app = create_app()
