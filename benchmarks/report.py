"""The benchmark's figures as a table, and what it costs each process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scurry.cli.output import table

PARTS = ("redis", "job", "functions", "worker", "gateway", "generator")
HEADINGS = ("figure", "requests/s", "p50 ms", "p99 ms", "in process/s", "ratio", "errors", "goal")
OTHERS = 0.15


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, what the model does in process, and the cores that each process kept busy."""

    figure: str
    goal: str
    figures: Mapping[str, Any]
    raw: Mapping[str, float]
    cores: Mapping[str, float]

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return float(self.figures["per_second"])

    @property
    def ratio(self) -> float:
        """Share of what the model does in process with batching on the same cores."""
        return self.per_second / self.raw["per_second"]

    @property
    def others(self) -> float:
        """Cores that something else kept busy."""
        return max(0.0, self.cores.get("machine", 0.0) - sum(self.cores.get(part, 0.0) for part in (*PARTS, "up")))

    def micros(self, part: str) -> float:
        """CPU microseconds a request costs one process."""
        return self.cores.get(part, 0.0) / max(self.per_second, 1e-9) * 1e6

    def sentence(self) -> str:
        """One line of progress."""
        return f"{self.figure}: {self.per_second:,.0f}/s, p50 {self.figures['p50_ms']:.2f} ms"

    def notes(self) -> list[str]:
        """What must be known before the figure is believed."""
        found = [self.figures["verdict"]] if self.figures["verdict"] else []
        if self.figures["failed"]:
            errors = ", ".join(f"{count} × {code}" for code, count in self.figures["errors"].items())
            found.append(f"{self.figures['failed']} requests had no good answer: {errors or 'never answered'}.")
        if self.others > OTHERS:
            found.append(f"Something else kept {self.others:.2f} cores busy meanwhile: the figure is too low.")
        return [f"{self.figure}: {note}" for note in found]

    def row(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "figure": self.figure,
            "goal": self.goal,
            **self.figures,
            "in_process": dict(self.raw),
            "ratio": self.ratio,
            "cores": dict(self.cores),
            "cpu_us": {part: self.micros(part) for part in PARTS},
        }


def print_report(lines: Sequence[Line], facts: Mapping[str, Any]) -> None:
    """Both tables, the facts, and every reason for doubt."""
    print("\nFigures. In process: the same model asked by onnxruntime with batching, on the same cores, in this run.")
    print(table(HEADINGS, [_figures(line) for line in lines]))
    print("\nCPU microseconds a request costs each process, and cores kept busy by all of them.")
    print(table(("figure", *PARTS, "cores", "others"), [_costs(line) for line in lines]))
    print()
    for name, value in facts.items():
        print(f"{name}: {_shown(value)}")
    notes = [note for line in lines for note in line.notes()]
    if notes:
        print("\n" + "\n".join(notes))


def _figures(line: Line) -> tuple[object, ...]:
    shown = line.figures
    return (
        line.figure, f"{line.per_second:,.0f}".rjust(10), f"{shown['p50_ms']:.2f}".rjust(6),
        f"{shown['p99_ms']:.2f}".rjust(6), f"{line.raw['per_second']:,.0f}".rjust(12), f"{line.ratio:.2g}".rjust(6),
        shown["failed"], line.goal,
    )  # fmt: skip


def _costs(line: Line) -> tuple[object, ...]:
    used = line.cores.get("machine", 0.0)
    return (line.figure, *(round(line.micros(part), 1) for part in PARTS), round(used, 2), round(line.others, 2))


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " → ".join(_shown(one) for one in value)
    return f"{value:.1f}" if isinstance(value, float) else "unknown" if value is None else str(value)
