"""`python -m examples.vectors`: records become vectors, and vectors find their like."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from examples.digits.up import Up
from examples.running import arguments, say, write
from examples.vectors.embed import embed, register
from examples.vectors.picture import picture
from examples.vectors.records import Floats, Records, records
from examples.vectors.search import NEAREST, Search, searches
from examples.vectors.train import save_encoder, train

from scurry import BlockingClient
from scurry.cli.output import table


def main() -> int:
    """0 when every embedding is what the encoder gives in this process."""
    args = arguments("vectors", __doc__ or "")
    count, asked, seen, epochs = (2000, 200, 1500, 15) if args.quick else (20_000, 1000, 5000, 60)
    known, strangers = records(count, 1), records(asked, 2)
    with tempfile.TemporaryDirectory(prefix="scurry-vectors-") as name:
        file = Path(name) / "encoder.onnx"
        network, kept = train(known.rows[:seen], epochs)
        save_encoder(network, known.rows[:seen], file)
        say(f"trained with {seen} records; {kept:.0%} of what differs comes back through the embedding")
        embeddings, queries, seconds = served(Path(name) / "up", file, known, strangers)
        say(f"{count} records embedded in {seconds:.1f} s, {count / seconds:,.0f} a second; searching\n")
        wrong = differing(file, known.rows, embeddings)
    found = searches(embeddings, queries)
    print(rows(found))
    alike = float((known.kinds[found[-1].found] == strangers.kinds[:, None]).mean())
    print(f"\n{alike:.1%} of the neighbours that were found last are customers of the same kind.")
    picture(embeddings, known, found, args.out / "vectors.png")
    write(args.out / "vectors.json", {
        "records": count, "seconds": round(seconds, 2), "differing": wrong, "alike": alike,
        "recall": {each.how: each.recall(found[0].found) for each in found},
    })  # fmt: skip
    print(f"{wrong} embeddings are other than those of the encoder in this process.")
    return 1 if wrong else 0


def served(folder: Path, file: Path, known: Records, strangers: Records) -> tuple[Floats, Floats, float]:
    """The embeddings of both, by the served encoder, and the seconds that the first took."""
    with Up(folder, say, "--workers", "1") as up, BlockingClient(up.wait_until_ready()["redis_url"]) as client:
        register(client, file)
        embeddings, seconds = embed(client, known.rows)
        queries, _ = embed(client, strangers.rows)
    return embeddings, queries, seconds


def differing(file: Path, rows: Floats, embeddings: Floats) -> int:
    """How many embeddings are not as good as equal to those that onnxruntime computes here."""
    (here,) = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"record": rows})
    return int((np.abs(here - embeddings).max(1) > 1e-4).sum())


def rows(found: Sequence[Search]) -> str:
    """A line for each way of searching."""
    lines = [(each.how, f"{each.recall(found[0].found):.3f}", round(each.per_second)) for each in found]
    return table(("SEARCH", f"RECALL@{NEAREST}", "PER SECOND"), lines)


if __name__ == "__main__":
    sys.exit(main())
