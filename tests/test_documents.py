"""The generated documents are current, and what they link to and the routes they name exist."""

import re
from pathlib import Path

import pytest

from patrol.foundation.service import documents

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
# `GET /issues/{id}`, `/readyz`, and $API/patrols/$PATROL of the README's tour, whose `send` puts more before the path.
NAMED = re.compile(r"(?<!send )\b(GET|POST|PUT|PATCH|DELETE) (/[\w{]\S*)|`()(/[a-z][^\s`]*)|(\$API)(/[^\s\"']*)")
# What is no route of the application: directories of a server, and routes of others that a text compares with.
NOT_ROUTES = {"/data", "/var", "/tmp", "/etc", "/dev", "/work", "/usr"}
# Parameters for which a document may write a value, since they are no ids.
PLAIN_PARAMETERS = {"{kind}", "{code}", "{size}"}


def test_generated_documents_are_current(app):
    for name, content in documents().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == content, f"docs/{name} is stale: make docs"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def routes_in(text):
    """Return the routes that a text names, as (method or "", segments); None stands for a segment that is filled in."""
    for match in NAMED.finditer(text):
        method, path = (match[1], match[2]) if match[1] else ("", match[4] or match[6])
        path = re.split(r"[?`;,，。；、）)]", re.sub(r"\{([^}]*)\}", "{}", path))[0].rstrip(".:")
        if "/" + path.split("/")[1] not in NOT_ROUTES:
            yield method, [None if re.search(r"[{$…]|^[A-Z]+$", part) else part for part in path.split("/")[1:]]


def is_named(named, segments):
    """Tell whether a rule's segments are those named."""
    if named[-1] == "" and len(named) == len(segments):
        named = [*named[:-1], None]
    return len(named) == len(segments) and all(
        said in (None, real) or real in PLAIN_PARAMETERS
        for said, real in zip(named, segments, strict=True)
    )


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.name)
def test_every_route_that_a_document_names_exists(app, path):
    rules = {
        (method, tuple(re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule).split("/")[1:]))
        for rule in app.url_map.iter_rules() for method in rule.methods
    }
    for method, named in routes_in(path.read_text(encoding="utf-8")):
        found = [1 for real, segments in rules if method in ("", real) and (is_named(named, segments) or is_named(["api", "v1", *named], segments))]
        assert found, f"{path.name} names {method} /{'/'.join(part or '{…}' for part in named)}, which is no route"
