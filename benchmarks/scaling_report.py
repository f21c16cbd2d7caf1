"""Pictures and tables of what `benchmarks.scaling` measured.

`python -m benchmarks.scaling_report` reads docs/scaling.json, writes docs/scaling.png and docs/scaling.svg, and prints
the tables of docs/scaling.md: what was measured, what the fitted costs say at points they were not fitted to, and what
they say of larger loads.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cost_model import CostModel, Point, fit
from benchmarks.scaling import FILE

from scurry.cli.output import table

PARTS = ("redis", "job", "functions", "worker", "redis_bytes", "bytes")
CORES = PARTS[:4]
LARGER = ((10_000, 1000), (100_000, 1000), (1_000_000, 1000), (100_000, 100_000), (1_000_000, 100_000))
Rows = Sequence[Mapping[str, Any]]


def fitted(rows: Rows) -> tuple[CostModel, list[Point]]:
    """The costs, and the points they were not fitted to."""
    points = [Point.of(row) for row in rows if not row["checked"]]
    return fit(points, PARTS), [Point.of(row) for row in rows if row["checked"]]


def pictures(known: Mapping[str, Rows], folder: Path) -> None:
    """Throughput over workers; p99, bytes per model and checkpoints over models."""
    import matplotlib as mpl  # noqa: PLC0415 - only pictures need it

    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "scurry"  # the same figures give the same file
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), layout="constrained")
    workers, models = known["workers"], known["models"]
    ((one, two), (three, four)) = axes
    one.loglog(_each(workers, "workers"), _each(workers, "per_second"), "o-", base=2, label="measured")
    one.loglog(_each(workers, "workers"), _each(workers, "limit"), "--", base=2, label="workers × what one can")
    one.set(title="Throughput over workers (40 ms a request)", xlabel="workers", ylabel="requests/s")
    one.legend()
    two.semilogx(_each(models, "models"), _each(models, "p50_ms"), "o-", label="p50")
    two.semilogx(_each(models, "models"), _each(models, "p99_ms"), "s-", label="p99")
    two.set(title="Latency at 1,000 requests/s over models", xlabel="models", ylabel="ms", ylim=(0, None))
    two.legend()
    for name, label in (("checkpoint_mb", "checkpoint"), ("heap_mb", "heap of the job"), ("redis_mb", "Redis")):
        three.loglog(_each(models, "models"), [max(row["grown"][name], 1e-3) for row in models], "o-", label=label)
    three.set(title="Memory and state over models", xlabel="models", ylabel="MB more than with none")
    three.legend()
    four.semilogx(_each(models, "models"), _each(models, "checkpoint_ms"), "o-")
    four.set(title="Time of a checkpoint over models", xlabel="models", ylabel="ms", ylim=(0, None))
    for each in axes.flat:
        each.grid(visible=True, alpha=0.3)
    figure.savefig(folder / "scaling.png", dpi=110, metadata={"Software": None})
    figure.savefig(folder / "scaling.svg", metadata={"Date": None})


def _each(rows: Rows, name: str) -> list[float]:
    return [row[name] for row in rows]


def tables(known: Mapping[str, Rows]) -> list[str]:
    """One for each part of the measurements, and those of the fitted costs."""
    model, checks = fitted(known["costs"])
    measured = [over_workers(known["workers"]), over_slots(known["job"]), over_models(known["models"])]
    return [*measured, fitted_costs(model), held_against(model, checks), larger_loads(model)]


def over_workers(rows: Rows) -> str:
    """Throughput, beside what the workers can."""
    lines = [
        (
            row["workers"], f"{row['per_second']:,.0f}", f"{row['per_second'] / row['limit']:.2f}",
            f"{row['p50_ms']:.0f}", f"{row['p99_ms']:.0f}",
        )
        for row in rows
    ]  # fmt: skip
    return table(("workers", "requests/s", "of the limit", "p50 ms", "p99 ms"), lines)


def over_slots(rows: Rows) -> str:
    """Throughput, and microseconds of CPU a request."""
    lines = [
        (
            row["partitions"], row["slots"], f"{row['per_second']:,.0f}", f"{row['p99_ms']:.0f}",
            *(f"{row['takes'][part] / row['per_second'] * 1e6:.0f}" for part in CORES),
        )
        for row in rows
    ]  # fmt: skip
    return table(("partitions", "slots", "requests/s", "p99 ms", *(f"{part} µs" for part in CORES)), lines)


def over_models(rows: Rows) -> str:
    """Latency, and what registered models take."""
    lines = [
        (
            f"{row['models']:,}", f"{row['registration_s']:.1f}", f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}",
            row["checkpoint_ms"],
            *(f"{row['grown'][name]:.2f}" for name in ("checkpoint_mb", "heap_mb", "redis_mb")),
        )
        for row in rows
    ]  # fmt: skip
    sizes = ("checkpoint MB", "heap MB", "Redis MB")
    return table(("models", "registered s", "p50 ms", "p99 ms", "checkpoint ms", *sizes), lines)


def fitted_costs(model: CostModel) -> str:
    """Cores and microseconds, or bytes, and the two times."""
    lines = [
        (part, f"{cost[0]:.3g}", *(f"{each * (1e6 if part in CORES else 1):.1f}" for each in cost[1:]))
        for part, cost in model.costs.items()
    ]
    times = f"gather {model.gather * 1000:.1f} ms, pile {model.pile * 1000:.1f} ms"
    return f"{table(('part', 'idle', 'request', 'call', 'read'), lines)}\n{times}"


def held_against(model: CostModel, points: Sequence[Point]) -> str:
    """What the costs say, of what was measured."""
    lines = [
        (
            f"{point.per_second:,.0f}", point.models,
            *(f"{model.takes(part, point.per_second, point.models) / point.takes[part]:.2f}" for part in PARTS),
        )
        for point in points
    ]  # fmt: skip
    return table(("requests/s", "models", *PARTS), lines)


def larger_loads(model: CostModel) -> str:
    """Into how many each part is divided, and bytes."""
    lines = [
        (
            f"{rate:,}", f"{count:,}",
            *(model.processes(part, rate, count) or "none is enough" for part in CORES),
            *(f"{_divided(model, part, rate, count) / 1e6:,.0f}" for part in PARTS[4:]),
        )
        for rate, count in LARGER
    ]  # fmt: skip
    processes = (f"{part} processes" for part in CORES)
    return table(("requests/s", "models", *processes, "Redis MB/s", "network MB/s"), lines)


def _divided(model: CostModel, part: str, per_second: float, models: int) -> float:
    """What the processes take together, none of which has more than was measured."""
    count = model.processes(part, per_second, models, most=float("inf"))
    return count * model.takes(part, per_second / count, max(1, models // count))


def main() -> int:
    """Write the pictures, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=FILE, metavar="FILE", help="what was measured")
    parser.add_argument("--folder", type=Path, default=FILE.parent, metavar="DIR", help="where the pictures go")
    given = parser.parse_args()
    known = json.loads(given.json.read_text())
    pictures(known, given.folder)
    print("\n\n".join(tables(known)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
