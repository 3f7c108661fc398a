"""The generated documents are current, and what they link to exists."""

import re
from pathlib import Path

import pytest

from patrol.foundation.service import documents

ROOT = Path(__file__).resolve().parents[1]


def test_generated_documents_are_current(app):
    for name, content in documents().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == content, f"docs/{name} is stale: make docs"


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
