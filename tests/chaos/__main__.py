"""`make chaos`: real processes, faults from a seed, a ledger; exit status 1 unless every promise held."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.campaign import Campaign, Options
from tests.chaos.catalogue import FAULTS
from tests.chaos.stack import Stack
from tests.chaos.storage import bounded_disk

FLAGS = (
    "--workers", "2", "--gateways", "1", "--memory-mb", "1024", "--job-memory-mb", "768", "--checkpoint-interval", "3s",
)  # fmt: skip


def options(words: list[str]) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: half of what it can do")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between faults")
    parser.add_argument("--faults", default="", help="only these, separated by commas")
    parser.add_argument("--models", default="", help="only these, separated by commas")
    parser.add_argument("--mode", choices=("faults", "soak"), default="faults", help="soak: no faults")
    args = parser.parse_args(words)
    chosen = tuple(filter(None, args.faults.split(",")))
    if unknown := set(chosen) - FAULTS.keys():
        parser.error(f"unknown faults {', '.join(unknown)}; known are {', '.join(FAULTS)}")
    models = tuple(filter(None, args.models.split(",")))
    return Options(args.minutes, args.seed, args.rate, args.every, chosen, models, args.mode == "soak")


def main(words: list[str]) -> int:
    """Run once and print the ledger."""
    asked = options(words)
    begin = time.monotonic()
    logging.disable(logging.WARNING)  # that a client lost its Redis is what is done here

    def tell(line: str) -> None:
        print(line, flush=True)

    tell(f"chaos: seed {asked.seed}, {asked.minutes:g} minutes, a fault every {asked.every:g} s")
    with (
        tempfile.TemporaryDirectory(prefix="scurry-chaos-") as folder,
        bounded_disk(Path(folder) / "disk") as (disk, bounded),
    ):
        stack = Stack(disk / "up", *FLAGS)
        try:
            tell(f"ready after {time.monotonic() - begin:.1f} s")
            ledger = Campaign(asked, stack, tell, Path(folder) / "models", disk if bounded else None).run()
        finally:
            stack.stop()
    tell("\n".join(ledger.lines()))
    return 0 if ledger.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
