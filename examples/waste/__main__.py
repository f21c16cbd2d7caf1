"""`python -m examples.waste`: a better model takes over, camera by camera."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from examples.digits.up import Up
from examples.running import arguments, needs, say, scurry, write

needs("tensorflow")

from examples.waste.ask import NAME, ask_all  # noqa: E402 - what is missing is told before it is imported
from examples.waste.picture import picture  # noqa: E402
from examples.waste.stages import VERSIONS, Stage, mistakes, percent, rows  # noqa: E402
from examples.waste.train import Amount, train  # noqa: E402

STAGES = (
    ("version 1, all", ()),
    ("split, 90 : 10", ("split", NAME, "1=90", "2=10")),
    ("split, 50 : 50", ("split", NAME, "1=50", "2=50")),
    ("version 2, promoted", ("promote", NAME, "2")),
)
"""Each with the words of `scurry models` that begin it."""


def main() -> int:
    """0 when every picture was answered, and every camera by one version at a time."""
    args = arguments("waste", __doc__ or "")
    amount, pictures = (Amount(600, 4, 120, 800), 400) if args.quick else (Amount(1500, 5, 240, 1600), 1000)
    with tempfile.TemporaryDirectory(prefix="scurry-waste-") as name:
        folder = Path(name)
        say("training a backbone with shapes, and two heads on it with waste")
        config = train(folder / "model", amount)
        say("trained and exported")
        with Up(folder / "up", say, "--workers", "1") as up:
            stages = roll_out(up.wait_until_ready(), config, pictures)
    print(f"\n{rows(stages)}\n")
    picture(stages, args.out / "waste.png")
    write(args.out / "waste.json", {"stages": [figures(stage) for stage in stages]})
    found = mistakes(stages)
    print("\n".join(found) or "Every picture is answered, and says by which version; no camera went back.")
    return 1 if found else 0


def roll_out(addresses: dict[str, str], config: Path, pictures: int) -> list[Stage]:
    """Register both versions and go through the stages, with other pictures in each."""
    redis_url, stages = addresses["redis_url"], list[Stage]()
    for version in VERSIONS:
        file = config.parent / version / "model.savedmodel"
        words = ("--version", version, "--config", config, *(("--no-route",) if version != VERSIONS[0] else ()))
        scurry(redis_url, "models", "register", NAME, "--uri", file, *words)
        say(f"version {version} is registered")
    for at, (name, words) in enumerate(STAGES):
        if words:
            scurry(redis_url, "models", *words)
        told = asyncio.run(ask_all(addresses["http_url"], range(at * pictures, (at + 1) * pictures)))
        stages.append(Stage(name, told))
        say(f"{name}: {len(told)} pictures, {percent(stages[-1].right())} right")
    return stages


def figures(stage: Stage) -> dict[str, object]:
    """The same for machines."""
    versions = {each: {"answered": stage.by(each), "right": stage.right(each)} for each in VERSIONS}
    return {"stage": stage.name, "pictures": len(stage.told), "right": stage.right(), "versions": versions}


if __name__ == "__main__":
    sys.exit(main())
