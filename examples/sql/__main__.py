"""`python -m examples.sql`: flowers in a CSV file, one SQL statement."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from examples.digits.up import Up
from examples.running import arguments, say, scurry, write
from examples.sql.flowers import NAME, Flowers, train

ENVIRONMENT = Path(".build/sql")
STATEMENTS = ("python", "model")
"""By a function in Python; by Flink's own ML_PREDICT, where its provider for Triton takes any model (README)."""


def main() -> int:
    """0 when every flower was told as the classifier itself tells it, in both ways."""
    args = arguments("sql", __doc__ or "", ("--ml-predict", "ask through CREATE MODEL and ML_PREDICT as well"))
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"{python} is missing: run `.ci/setup sql` once, it takes PyFlink from the package registry.")
    with tempfile.TemporaryDirectory(prefix="scurry-sql-") as name:
        folder = Path(name)
        flowers = train(folder, 30 if args.quick else 3000)
        say(f"{len(flowers.species)} flowers in {flowers.table.name}; starting")
        with Up(folder / "up", say, "--workers", "1") as up:
            told = up.wait_until_ready()
            scurry(told["redis_url"], "models", "register", NAME, "--uri", flowers.model, "--version", "1")
            say(f"{NAME} is registered; starting Flink")
            ways = STATEMENTS if args.ml_predict else STATEMENTS[:1]
            found = {each: ask(python, each, flowers, told["http_url"]) for each in ways}
    wrong = {each: mistakes(flowers, one) for each, one in found.items()}
    write(args.out / "sql.json", {"flowers": len(flowers.species), "wrong": wrong})
    for each, count in wrong.items():
        say(f"{each}: {len(found[each])} answers, {count} of them not the classifier's own")
    return 0 if not any(wrong.values()) else 1


def ask(python: Path, how: str, flowers: Flowers, url: str) -> dict[str, int]:
    """Run the statement in the environment that has PyFlink; which species each flower was told to be."""
    command = [str(python), "-m", "examples.sql.statement", how, str(flowers.table), url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout[: done.stdout.rfind("{")])
    if done.returncode:
        raise SystemExit(f"the statement ended with status {done.returncode}")
    answers: dict[str, int] = json.loads(done.stdout[done.stdout.rfind("{") :])
    return answers


def mistakes(flowers: Flowers, answers: dict[str, int]) -> int:
    """Flowers that were told otherwise than by the classifier, or not at all."""
    return sum(answers.get(str(number)) != species for number, species in enumerate(flowers.species))


if __name__ == "__main__":
    sys.exit(main())
