"""The WSGI entry point: `gunicorn app:app`, `flask --app app …`."""

from patrol.application import create_app

app = create_app()
