"""`python -m examples.xray`: a folder of X-rays, alone and through the queue."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from examples.running import arguments, needs, say, write

needs("torch")

from examples.xray import alone, images, queue  # noqa: E402 - what is missing is told before it is imported
from examples.xray.picture import picture  # noqa: E402
from examples.xray.result import MANY, Run  # noqa: E402
from examples.xray.train import train  # noqa: E402

from scurry.cli.output import table  # noqa: E402


def main() -> int:
    """0 when every picture was answered, and as the network alone does."""
    args = arguments("xray", __doc__ or "")
    count, some, workers = (120, 60, (2,)) if args.quick else (3000, 600, (1, 2, 4))
    with tempfile.TemporaryDirectory(prefix="scurry-xray-") as name:
        folder = Path(name)
        say(f"drawing {count} pictures")
        files = images.write(folder / "pictures", range(count))
        size = sum(file.stat().st_size for file in files) / count / 1000
        say(f"{count} pictures of {images.SIZE} × {images.SIZE}, {size:.0f} kB each; training")
        trained = train(folder / "model", *((640, 6) if args.quick else (1200, 6)))
        say(f"trained; asking about {some} of them in one process")
        runs = [alone.ask(trained, files[:some])]
        for each in workers:
            say(f"one process alone: {runs[0].per_second:.0f} pictures/s" if len(runs) == 1 else told(runs[-1]))
            runs.append(queue.ask(trained, folder / "pictures", folder / f"up-{each}", each))
        say(told(runs[-1]) + "\n")
    print(rows(runs))
    picture(runs, args.out / "xray.png")
    write(args.out / "xray.json", {"cores": os.cpu_count(), "runs": [figures(run, runs[0]) for run in runs]})
    return verdict(runs, count)


def told(run: Run) -> str:
    """One line about a run."""
    return f"{run.how}: {run.per_second:.0f} pictures/s"


def rows(runs: Sequence[Run]) -> str:
    """A line for each run."""
    headers = ("", "PICTURES", "SECONDS", "PER SECOND", f"{MANY:,} TAKE", "TIMES", "RIGHT")
    return table(headers, [
        (run.how, run.pictures, round(run.seconds, 1), round(run.per_second), f"{run.minutes:.1f} min",
         round(run.per_second / runs[0].per_second, 2), f"{run.accuracy:.1%}")
        for run in runs
    ])  # fmt: skip


def figures(run: Run, first: Run) -> dict[str, object]:
    """The same for machines."""
    return {
        "how": run.how, "pictures": run.pictures, "seconds": round(run.seconds, 2), "accuracy": run.accuracy,
        "differing": run.differing(first),
    }  # fmt: skip


def verdict(runs: Sequence[Run], count: int) -> int:
    """Say how it went; 1 unless every picture has the answer that the network alone gives."""
    missing = sum(count - run.pictures for run in runs[1:])
    differing = sum(run.differing(runs[0]) for run in runs[1:])
    print(f"\n{missing} pictures without an answer, {differing} answers other than those of the process alone.")
    return 1 if missing or differing else 0


if __name__ == "__main__":
    sys.exit(main())
