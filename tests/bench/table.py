"""The table of a run: what was measured, beside the yardstick of the same run, and whether the target was met."""

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Measure:
    """One thing measured several times in one run."""

    median: float
    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{shown(self.median)} {self.unit}"
        return f"{shown(self.median)} {self.unit} ({shown(self.low)}–{shown(self.high)})"


def measured(values: Iterable[float], unit: str) -> Measure:
    """Return the median of `values` with the smallest and the largest."""
    values = list(values)
    return Measure(statistics.median(values), min(values), max(values), unit)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of `values` do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def alternating(rounds: int, parts: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Run the parts one after the other, `rounds` times, so that a slow minute of the machine hits them all."""
    found: dict[str, list[T]] = {name: [] for name in parts}
    for number in range(rounds):
        # The order turns round each time: nobody is always the one who comes first.
        for name in list(parts) if number % 2 == 0 else list(parts)[::-1]:
            found[name].append(parts[name]())
    return found


@dataclass(frozen=True)
class Row:
    """One line: `most` and `least` bound our median, `most_ratio` and `least_ratio` bound it divided by the yardstick's."""

    what: str
    ours: Measure
    yardstick: Measure | None = None
    against: str = ""
    most: float | None = None
    least: float | None = None
    most_ratio: float | None = None
    least_ratio: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median in yardsticks."""
        return self.ours.median / self.yardstick.median if self.yardstick and self.yardstick.median else None

    @property
    def target(self) -> str:
        """What is asked for, in words; empty for a figure that is only told."""
        parts = []
        if self.most is not None:
            parts.append(f"≤ {shown(self.most)} {self.ours.unit}")
        if self.least is not None:
            parts.append(f"≥ {shown(self.least)} {self.ours.unit}")
        if self.most_ratio is not None:
            parts.append(f"≤ {self.most_ratio:g} ×")
        if self.least_ratio is not None:
            parts.append(f"≥ {self.least_ratio:g} ×")
        return ", ".join(parts)

    @property
    def met(self) -> bool | None:
        """Whether everything asked for holds; None where nothing is."""
        if not self.target:
            return None
        ratio = self.ratio
        return (
            (self.most is None or self.ours.median <= self.most)
            and (self.least is None or self.ours.median >= self.least)
            and (self.most_ratio is None or (ratio is not None and ratio <= self.most_ratio))
            and (self.least_ratio is None or (ratio is not None and ratio >= self.least_ratio))
        )

    def cells(self) -> list[str]:
        """Return the row as the table shows it."""
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        yardstick = "" if self.yardstick is None else f"{self.yardstick} {self.against}".strip()
        return [self.what + (f" ({self.note})" if self.note else ""), str(self.ours), yardstick, ratio, self.target, met]


@dataclass
class Table:
    """All rows of a run, under headings."""

    facts: dict[str, str]
    sections: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, heading: str, rows: Iterable[Row]) -> None:
        """Add rows under a heading and print each at once: a run takes minutes."""
        for row in rows:
            self.sections.setdefault(heading, []).append(row)
            print(" | ".join(row.cells()), flush=True)

    def as_markdown(self) -> str:
        """Return the whole table."""
        lines = ["# Benchmark", "", *(f"- {name}: {value}" for name, value in self.facts.items())]
        for heading, rows in self.sections.items():
            lines += ["", f"## {heading}", "", "| what | ours | yardstick | ratio | target | met |", "|---|---|---|---|---|---|"]
            lines += [f"| {' | '.join(row.cells())} |" for row in rows]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """Write `bench.md` and `bench.json` into the folder."""
        folder.mkdir(exist_ok=True)
        (folder / "bench.md").write_text(self.as_markdown(), encoding="utf-8")
        rows = {heading: [_plain(row) for row in rows] for heading, rows in self.sections.items()}
        (folder / "bench.json").write_text(
            json.dumps({"facts": self.facts, "sections": rows}, ensure_ascii=False, indent=1), encoding="utf-8"
        )

    @property
    def missed(self) -> list[str]:
        """What did not meet its target."""
        return [row.what for rows in self.sections.values() for row in rows if row.met is False]


def _plain(row: Row) -> dict[str, object]:
    return {
        "what": row.what, "ours": vars(row.ours), "yardstick": row.yardstick and vars(row.yardstick), "against": row.against,
        "ratio": row.ratio, "target": row.target, "met": row.met, "note": row.note,
    }  # fmt: skip


def shown(value: float) -> str:
    """Return a number with three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
