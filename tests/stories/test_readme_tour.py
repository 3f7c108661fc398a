"""The README's tour, word for word, against a running server with the demo district."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from patrol.application import create_app
from patrol.demo.loading import load_district
from patrol.evidence.derivation import photo_store
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from tests.conftest import ENGINE, close

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo district on a SQLite database of its own, served on a free port; yields address and environment."""
    from flask_migrate import upgrade

    folder = tmp_path_factory.mktemp("demo")
    environment = {"XUNHE_ENV": "demo", "XUNHE_DEMO": "1", "XUNHE_CHALLENGE_COST": "2000",
                   "XUNHE_DATA": str(folder / "var"), "XUNHE_UPLOADS": str(folder / "uploads"), "XUNHE_LOG_LEVEL": "ERROR"}
    settings = Settings(environment)
    app = create_app(settings)
    with app.app_context():
        upgrade(directory="migrations")
        counts = load_district(settings=settings, store=photo_store(), say=lambda line: None)
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", environment, counts, app
    server.shutdown()
    thread.join()
    server.server_close()
    close(app)


@pytest.mark.skipif(ENGINE != "sqlite", reason="the tour is SQLite's; other stories run on both engines")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_tour_runs_as_it_stands(demo, tmp_path):
    address, environment, _, _ = demo
    if not shutil.which("curl"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("curl is not installed")
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path / "tour.sh"
    script.write_text("set -eu -o pipefail\n" + "\n".join(blocks), encoding="utf-8")
    run = subprocess.run(
        ["bash", str(script)], check=False, cwd=ROOT, capture_output=True, text=True, timeout=170,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "API": f"{address}/api/v1", "LANG": "C.UTF-8",
             "XUNHE_DATA": environment["XUNHE_DATA"], "XUNHE_UPLOADS": environment["XUNHE_UPLOADS"]},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for expected in ("in_progress", "rectified", "verified", "closed", "漂浮垃圾已清理", "histories"):
        assert expected in run.stdout, run.stdout
    assert '"covered_m"' in run.stdout
    for accusation in ("too_clean", "mock_location", "replayed_track", "speed", "teleport", "doubtful", "invalid"):
        assert f'"{accusation}"' not in run.stdout, "her walk is honest, and nothing says otherwise"


@pytest.mark.skipif(ENGINE != "sqlite", reason="one load suffices")
def test_the_demo_has_what_the_contract_says(demo):
    _, _, counts, app = demo
    assert counts.reaches >= 60
    assert counts.people >= 100
    assert counts.issues >= 300
    assert counts.skipped == []
    client = app.test_client()
    for username in ("admin", "office", "office.town", "chief", "chief.town", "chief.district", "handler", "patroller",
                     "supervisor", "auditor"):
        reply = client.post("/api/v1/auth/login", json={"username": username, "password": "xunhe-demo"})
        assert reply.status_code == 200, username
    token = client.post("/api/v1/auth/login", json={"username": "office", "password": "xunhe-demo"}).json["access_token"]
    for state in ("submitted", "accepted", "dispatched", "in_progress", "rectified", "verified", "closed", "rejected"):
        page = client.get(f"/api/v1/issues?state={state}&limit=1", headers={"Authorization": f"Bearer {token}"})
        assert page.json["items"], state
