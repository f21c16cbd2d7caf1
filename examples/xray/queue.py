"""The same pictures through Scurry's queue: a folder goes in, a file of answers comes out."""

from __future__ import annotations

import json
from pathlib import Path

from examples.digits.up import Up
from examples.running import say, scurry
from examples.xray.result import Found, Run
from examples.xray.train import Trained

NAME = "xray"


def ask(trained: Trained, pictures: Path, folder: Path, workers: int) -> Run:
    """Start everything with so many workers, register, push the folder, stop everything."""
    with Up(folder, say, "--workers", str(workers)) as up:
        redis_url = up.wait_until_ready()["redis_url"]
        scurry(redis_url, "models", "register", NAME, "--uri", trained.file, "--config", trained.config)
        out = folder / "answers.jsonl"
        told = json.loads(scurry(redis_url, "predict", NAME, "--folder", pictures, "--out", out, "--json"))
    found = {}
    for line in out.read_text().splitlines():
        answer = json.loads(line)
        outputs = answer["outputs"]
        found[answer["file"]] = Found(outputs["finding_labels"][0][0], outputs["finding_values"][0][0])
    name = f"Scurry, {workers} worker{'s' if workers > 1 else ''}"
    return Run(name, told["answered"], told["seconds"], found)
