"""Which figures `make bench` takes, and what each is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One load of `scurry bench`."""

    name: str
    models: str  # registered names; `*` and `?` stand for many
    raw: str  # the model of benchmarks.models that is asked in process for comparison
    flags: tuple[str, ...]
    goal: str = ""
    quick: bool = False  # part of --quick
    seconds: float = 10.0
    warm_up: float = 3.0


def redis(name: str, models: str, callers: int, raw: str, *more: str, **keywords: object) -> Figure:
    """A closed loop over Redis."""
    return Figure(name, models, raw, ("--callers", str(callers), *more), **keywords)  # type: ignore[arg-type]


FIFTY, THOUSAND = "zipf-00[0-4]?", "zipf-*"
ZIPF = ("--zipf", "1.1")

FIGURES = (
    redis("1 caller", "tiny", 1, "tiny", goal="p50 ≤ 2 ms", quick=True),
    redis("8 callers", "tiny", 8, "tiny"),
    redis("16 callers", "tiny", 16, "tiny", goal="p50 ≤ 3.5 ms"),
    redis("64 callers", "tiny", 64, "tiny"),
    redis("256 callers", "tiny", 256, "tiny", goal="≥ 20,000/s", quick=True),
    redis("50 models", FIFTY, 256, "tiny", *ZIPF, goal="≥ 0.7 of 256 callers", quick=True),
    redis("1000 models", THOUSAND, 256, "tiny", *ZIPF, goal="≥ 0.6 of 256 callers", warm_up=10),
    redis("1000 models, 1000 callers", THOUSAND, 1000, "tiny", *ZIPF, warm_up=5),
    redis("64 B", "mean", 64, "mean:16", "--payload-bytes", "64"),
    redis("4 KB", "mean", 64, "mean:1024", "--payload-bytes", "4096"),
    redis("600 KB", "mean", 64, "mean:150528", "--payload-bytes", "602112", quick=True),
    redis("1024-wide network", "wide", 256, "wide", goal="≥ 9,000/s", quick=True),
    redis("ResNet-18", "resnet", 32, "resnet", goal="≥ 0.9 of in process", quick=True, warm_up=6),
    Figure("gateway", "tiny", "tiny", ("--door", "http", "--callers", "64"), goal="≥ 4,000/s", quick=True),
)
"""The open loop follows, at half of what 256 callers reached."""


def http(name: str, models: str, callers: int, *more: str, **keywords: object) -> Figure:
    """A closed loop through the HTTP door, or against a bare server of the same models."""
    return Figure(name, models, "", ("--door", "http", "--callers", str(callers), *more), **keywords)  # type: ignore[arg-type]


DOORS = (
    http("tiny, 64 callers", "tiny", 64, goal="≥ 0.9"),
    http("tiny in JSON, 64", "tiny", 64, "--json-tensors", goal="≥ 0.9 of binary"),
    http("50 models, 64", FIFTY, 64, *ZIPF, goal="≥ 0.6"),
    http("1024-wide, 64", "wide", 64, goal="≥ 2"),
    http("ResNet-18, 8", "resnet", 8, goal="≥ 0.92", warm_up=4),
    http("ResNet-18, 32", "resnet", 32, goal="≥ 0.92", warm_up=4),
    http("ResNet-18, 1", "resnet", 1, goal="p50 ≤ bare + 3 ms"),
    http("tiny, 1 caller", "tiny", 1, goal="p50 ≤ 4 × bare"),
)

WAYS = (
    Figure("tiny, 1 caller", "tiny", "", ("--callers", "1"), goal="HTTP ≤ 0.7 ms, gRPC ≤ 1 ms over Redis"),
    Figure("tiny, 64 callers", "tiny", "", ("--callers", "64"), goal="gRPC ≥ 0.8 of HTTP"),
    Figure("1024-wide, 64", "wide", "", ("--callers", "64"), goal="gRPC ≥ 0.8 of HTTP"),
    Figure("ResNet-18, 8", "resnet", "", ("--callers", "8"), goal="gRPC ≥ 0.8 of HTTP", warm_up=4),
)
