"""Chinese for people, in every room: Chinese punctuation, and 您 for the reader."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import patrol

ROOT = Path(patrol.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
PAGES = [*sorted((ROOT / "web" / "templates").rglob("*.html")), *(path for path in sorted((ROOT / "web" / "site").rglob("*")) if path.suffix in {".js", ".html"})]
CJK = "\u4e00-\u9fff"
# A field of a format stands for a word: `{reach}` and, on pages, `{{ reach }}`.
FAULT = re.compile(rf"[{CJK}”》〕\ue000][,;:!?()]|[,;:!?()] ?[{CJK}“《〔\ue000]|你")
FIELD = re.compile(r"\{[^{}]*\}")
# What is written to machines, and so as they read it.
AS_MACHINES_READ_IT = ("Content-Type: ",)


def faults_in(text: str) -> list[str]:
    for said in AS_MACHINES_READ_IT:
        text = text.replace(said, "")
    return FAULT.findall(FIELD.sub("\ue000", text))


def literals(node: ast.AST) -> Iterator[str]:
    """Yield the strings of an expression; of a formatted one the whole, each field as `{}`."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    else:
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def chinese_for_people(source: str) -> Iterator[str]:
    """Yield the Chinese of each `Text(zh, en)`, of each pair "zh\\x1fen", and every other string that is Chinese alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == "Text" and node.args:
            # A Chinese text may consist of fields only; one that is the same in both languages is no language's.
            english = set().union(*map(literals, node.args[1:]))
            yield from (text for text in literals(node.args[0]) if re.search(f"[{CJK}]", text) or ("{" in text and text not in english))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            zh, pair, _ = node.value.partition("\x1f")
            if pair or (re.search(f"[{CJK}]", zh) and not re.search(r"[A-Za-z]", zh) and zh not in HEADINGS):
                yield zh


HEADINGS = {"容差(米)"}
"""Column headings that files of other systems really have."""


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[0] for path in SOURCES}))
def test_chinese_words_have_chinese_punctuation(room):
    found = [
        (str(path.relative_to(ROOT)), text, faults)
        for path in SOURCES if path.relative_to(ROOT).parts[0] == room
        for text in chinese_for_people(path.read_text(encoding="utf-8")) if (faults := faults_in(text))
    ]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_chinese_words_of_pages_have_chinese_punctuation(path):
    assert re.findall(rf"[{CJK}][,;:!?()]|[,;:!?()][{CJK}]|你", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("source", "faults"), [
    ('Text("您好,河长", "")', 1), ('_T = texts.Text("由{reach}({code})负责", "")', 2), ('error="你的\\x1fyours"', 1), ('x = "水体:异味"', 1),
    ('Text("截至 {at:%H:%M}", "to {at:%H:%M}")', 0), ('Text("第 1 段；{code}", "so: 河")', 0), ('error="好。\\x1f(河)"', 0),
])  # fmt: skip
def test_the_search_finds_what_it_should(source, faults):
    assert sum(len(faults_in(text)) for text in set(chinese_for_people(source))) == faults
