"""What in deploy/ and tests/deploy/ is made from something else in the repository.

`make manifests` writes it; `make check` fails while one file differs. Without Helm, what it renders is left out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Final

import chart

ROOT: Final = chart.ROOT
FILES: Final = chart.CHART / "files"
KUSTOMIZE: Final = ROOT / "deploy" / "kustomize"
GOLDEN: Final = ROOT / "tests" / "deploy" / "golden"
COPIED: Final = {
    "module.yaml": ROOT / "module.yaml",
    "dashboard.json": ROOT / "deploy" / "grafana" / "scurry.json",
    "alerts.yaml": ROOT / "deploy" / "prometheus" / "alerts.yaml",
    "log4j-console.properties": ROOT / "deploy" / "images" / "job" / "log4j-console.properties",
}
"""What a chart may not read from outside of its folder: its name there, and the file itself."""

NOTE: Final = "# Made by `make manifests` from the chart and deploy/kustomize/values.yaml; change those instead.\n"


def copied() -> dict[Path, str]:
    """The copies inside the chart: path and what each must say."""
    return {FILES / name: source.read_text() for name, source in COPIED.items() if source.exists()}


def rendered() -> dict[Path, str]:
    """What Helm makes: the base of the kustomizations, and the golden digests."""
    values = KUSTOMIZE / "values.yaml"
    trial = ('redis={"existingSecret":"","development":{"enabled":true}}', 'namespace={"create":false}')
    return {
        KUSTOMIZE / "base" / "scurry.yaml": NOTE + chart.text(values),
        KUSTOMIZE / "redis" / "redis.yaml": NOTE + chart.text(values, sets=trial, show="redis.yaml"),
        **{GOLDEN / f"{path.stem}.txt": digests(chart.objects(path)) for path in chart.VALUES},
    }


def digests(objects: list[chart.Document]) -> str:
    """A line for each object: kind, name and a digest, so that a difference shows which changed."""
    lines = [
        f"{one['kind']} {one['metadata']['name']} "
        f"{hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:12]}"
        for one in objects
    ]
    return "\n".join(sorted(lines)) + "\n"


def main() -> int:
    """Write all of it."""
    for path, said in copied().items():
        path.write_text(said)
    if chart.helm() is None:
        print(f"left out: what Helm renders, because there is {chart.MISSING}")  # noqa: T201 (it is a command)
        return 0
    for path, said in rendered().items():
        path.write_text(said)
        print(path.relative_to(ROOT))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
