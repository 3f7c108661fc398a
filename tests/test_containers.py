"""What the Dockerfile, compose.yaml and .dockerignore say agrees with the code; no engine is needed to see it."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import gunicorn.util
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from patrol.foundation.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "xunhe"}


def copied():
    """Return what the Dockerfile takes from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def test_the_image_takes_what_is_there():
    assert copied()
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_the_build_sees_nothing_but_what_it_takes():
    """Whatever lies in a clerk's checkout besides, `.env` with its keys too, is not even sent to the engine."""
    everything, *exceptions = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert everything == "*"
    assert {line[1:] for line in exceptions if line.startswith("!")} == copied()
    assert [line for line in exceptions if not line.startswith("!")] == ["**/__pycache__", "**/*.pyc"]


def test_the_images_python_is_one_that_the_project_runs_on():
    versions = re.findall(r"^FROM python:([\d.]+)-slim", DOCKERFILE, re.MULTILINE)
    assert len(versions) == 2
    assert len(set(versions)) == 1, "the environment of one Python is no use to another"
    assert versions[0] in SpecifierSet(PROJECT["requires-python"])


def test_the_image_installs_all_that_the_project_needs():
    locked = dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    for needed in map(Requirement, PROJECT["dependencies"]):
        version = locked.get(canonicalize_name(needed.name))
        assert version in needed.specifier if version else False, f"{needed} is not in requirements.txt, which says {version}: make lock"


def test_settings_that_the_containers_are_given_exist():
    known = {f"XUNHE_{row.name}" for row in SETTINGS}
    for text in (DOCKERFILE, (ROOT / "compose.yaml").read_text(encoding="utf-8")):
        named = set(re.findall(r"XUNHE_[A-Z_]+", text))
        assert named
        assert named <= known


def test_commands_of_the_containers_exist(app):
    for service in OURS.values():
        if "command" in service:
            command, context = app.cli, click.Context(app.cli)
            start, *words = service["command"][service["command"].index("--app") + 1:]
            assert start == "app"
            for word in words:
                command = command.get_command(context, word)
                assert command, service["command"]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_a_container_is_healthy_when_it_says_so(app, status, healthy):
    asked = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words):
            pass

    _python, *arguments = json.loads(re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        asking = subprocess.run(
            [sys.executable, *arguments], env={**os.environ, "XUNHE_BIND": f"0.0.0.0:{server.server_port}"}, capture_output=True, check=False,
        )
        thread.join(timeout=10)
    assert (asking.returncode == 0) is healthy
    assert set(asked) <= {rule.rule for rule in app.url_map.iter_rules()}


def test_one_service_builds_the_image_that_all_use():
    assert len([service for service in OURS.values() if "build" in service]) == 1
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}


def test_the_database_counts_as_there_only_when_it_answers_over_tcp():
    """Its entry point makes the database with a server that answers on the socket only, and that it ends again."""
    assert "-h" in COMPOSE["services"]["postgres"]["healthcheck"]["test"]


def test_requests_under_way_have_time_to_end(monkeypatch):
    monkeypatch.setattr(gunicorn.util, "write_error", gunicorn.util.write_error)
    monkeypatch.setenv("XUNHE_ENV", "test")
    patience_s = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["graceful_timeout"]
    assert int(OURS["web"]["stop_grace_period"].removesuffix("s")) > patience_s
