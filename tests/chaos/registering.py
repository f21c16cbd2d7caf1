"""Puts the models up that stay as they are: plain ones, a split, a shadow, kept answers, a graph, sequences."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from tests.chaos.claims import Content
from tests.chaos.mix import contents
from tests.chaos.models import WIDE, WIDTH, save, save_endless, save_hungry, save_steps
from tests.chaos.stack import Stack
from tests.chaos.timeline import Timeline
from tests.conftest import clean_environment

CHAIN = {
    "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": [-1, WIDTH]}],
    "output": [
        {"name": "y", "data_type": "TYPE_FP32", "dims": [-1, WIDTH]},
        {"name": "s", "data_type": "TYPE_FP32", "dims": [-1, 1]},
    ],
    "ensemble_scheduling": {
        "step": [
            {"model_name": "plain-0", "input_map": {"x": "x"}, "output_map": {"y": "between", "s": "s"}},
            {"model_name": "plain-1", "input_map": {"x": "between"}, "output_map": {"y": "y"}},
        ]
    },
}
IDLE_S = {"tally": 600, "brief": 6}
"""How long the models of sequences keep one that nobody steps."""
STATE = {"input_name": "before", "output_name": "after", "data_type": "TYPE_FP32", "dims": [WIDTH]}
KEPT: dict[str, object] = {"response_cache": {"enable": True}}


def config_of(model: str) -> dict[str, object]:
    """What a model is registered with beside its file."""
    if model not in IDLE_S:
        return KEPT if model == "kept" else {}
    kept = {"max_sequence_idle_microseconds": IDLE_S[model] * 1_000_000, "state": [STATE]}
    return {"max_batch_size": 32, "sequence_batching": kept}


class Registering:
    """Registers through the command line, and notes in the timeline what each name stands for."""

    def __init__(self, stack: Stack, timeline: Timeline, folder: Path, seed: int, seen: Path | None = None) -> None:
        """Files are saved in `folder`, which workers see as `seen`."""
        self._stack, self._timeline, self._folder, self._seen = stack, timeline, folder, seen or folder
        self._contents = contents(seed)

    def all(self, asked: Collection[str]) -> None:
        """Those that are asked, and the two that poison needs."""
        self._folder.mkdir(exist_ok=True)
        wanted = {*asked, "plain-0", "plain-1"} if "chain" in asked else set(asked)
        for (model, version), content in self._contents.items():
            if model in wanted:
                path = self._folder / f"{model}-{version}.onnx"
                if model in IDLE_S:
                    save_steps(path, content)
                else:
                    save(path, content, WIDE if model == "wide" else WIDTH)
                self._one(model, version, content, uri=self._seen / path.name, config=config_of(model))
        for model, save_odd in (("hungry", save_hungry), ("endless", save_endless)):
            self._one(model, "1", Content("line", 1, 0), uri=self._seen / save_odd(self._folder / f"{model}.onnx").name)
        if "chain" in wanted:
            chained = self._contents["plain-0", "1"].then(self._contents["plain-1", "1"])
            self._one("chain", "1", chained, runtime="ensemble", config=CHAIN)
        if "split" in wanted:
            self._scurry("models", "split", "split", "1=50", "2=50")
            self._scurry("models", "alias", "split", "stable", "1")
            self._means("split", "", "1", "2")
            self._means("split", "stable", "1")
        if "tally" in wanted:
            self._scurry("models", "split", "tally", "1=50", "2=50")
            self._means("tally", "", "1", "2")
        if "shadowed" in wanted:
            self._scurry("models", "promote", "shadowed", "1")
            self._scurry("models", "shadow", "shadowed", "2", "--percent", "30")
            self._means("shadowed", "", "1")

    def _one(self, model: str, version: str, content: Content, config: object = None, **flags: str | Path) -> None:
        if config:
            flags["config"] = self._folder / f"{model}.json"
            flags["config"].write_text(json.dumps(config))
        told = [str(word) for name, value in flags.items() for word in (f"--{name}", value)]
        self._scurry("models", "register", model, "--version", version, *told)
        self._means(model, version, version)
        self._means(model, "", version)
        self._timeline.state((model, "=", version), frozenset({content}), time.monotonic())

    def _means(self, model: str, name: str, *versions: str) -> None:
        self._timeline.state((model, name), frozenset(versions), time.monotonic())

    def _scurry(self, *words: str) -> None:
        command = [sys.executable, "-m", "scurry", *words, "--redis-url", self._stack.redis_url]
        environ = clean_environment()
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ)
        if done.returncode:
            raise RuntimeError(f"scurry {' '.join(words)}: {done.stdout}{done.stderr}")
