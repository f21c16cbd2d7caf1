"""What the examples have in common: flags, progress, the command line, tables in files."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START = time.perf_counter()


def arguments(name: str, text: str, *more: tuple[str, str]) -> argparse.Namespace:
    """The two flags of an example and `more` of its own; its results go to a directory that exists then."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}", description=text)
    parser.add_argument("--quick", action="store_true", help="a reduced form, as the tests run it")
    parser.add_argument(
        "--out", type=Path, default=Path(".build/examples"), help="where plot and figures go (%(default)s)"
    )
    for flag, meaning in more:
        parser.add_argument(flag, action="store_true", help=meaning)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    return args


def needs(module: str) -> None:
    """End with a sentence where a large framework is not installed."""
    if find_spec(module) is None:
        raise SystemExit(
            f"This example needs {module}, which is not installed here. In a checkout, run `.ci/setup frameworks` "
            "and take .build/frameworks/bin/python."
        )


def say(line: str) -> None:
    """One line of progress."""
    print(f"[{time.perf_counter() - START:5.1f} s] {line}", flush=True)


def scurry(redis_url: str, *words: str | Path) -> str:
    """Run `scurry WORDS`, as one would type it; what it prints. Where it fails, so does the example."""
    command = [sys.executable, "-m", "scurry", *map(str, words)]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}
    settings["SCURRY_REDIS_URL"] = redis_url
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"scurry {' '.join(command[3:])} ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def write(file: Path, figures: Mapping[str, Any]) -> None:
    """The figures of a run, for those who compute with them."""
    file.write_text(json.dumps(figures, indent=1) + "\n")


def plot(rows: int, columns: int, size: tuple[float, float]) -> Any:  # noqa: ANN401 - matplotlib's pyplot.subplots
    """A figure and its axes, drawn without a screen."""
    import matplotlib as mpl  # noqa: PLC0415 - only pictures need it

    mpl.use("agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    return plt.subplots(rows, columns, figsize=size, layout="constrained")


def save(figure: Any, file: Path) -> None:  # noqa: ANN401 - matplotlib's
    """The figure as a PNG of few colours, which is small."""
    from PIL import Image  # noqa: PLC0415

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=80)
    Image.open(drawn).convert("RGB").quantize(96).save(file, "PNG", optimize=True)


def bars(axis: Any, names: Sequence[str], values: Sequence[float], form: str) -> None:  # noqa: ANN401 - matplotlib's
    """Bars with their values upon them."""
    axis.bar_label(axis.bar(names, values, color="#3b6ea5"), fmt=form, padding=2)
    axis.margins(y=0.15)
    axis.spines[["top", "right"]].set_visible(False)
