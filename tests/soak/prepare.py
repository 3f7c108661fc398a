"""Migrates the database that the environment names and fills it with the prepared world; prints the world as JSON.

A process of its own, so that the program that runs the proofs sees the service from outside only.
"""

import json
import sys

from flask_migrate import upgrade

from app import app
from tests.access.world import WorldMaker


def main() -> None:
    with app.app_context():
        upgrade(directory="migrations")
        json.dump(WorldMaker(app).make().as_data(), sys.stdout)


if __name__ == "__main__":
    main()
