"""Puts the job into the distributions: our jar, and Flink's own.

`python -m build` needs Maven and a JDK once; the source distribution carries what was built, so that pip installs it
without them. `HATCH_BUILD_NO_HOOKS=true` leaves the job out, for images that run none.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = "functions/scurry/job"
LEFT_OUT = ("frocksdbjni-",)
"""RocksDB's native library, 35 MB: `scurry up` keeps state on the heap."""


class JobMissing(Exception):
    """The job was not built and cannot be built here."""


class Job(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the job's files to what is built; an editable install finds them in the checkout."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the job if need be, and name its files."""
        if version == "editable":
            return
        root = Path(self.root)
        folder = "scurry/job" if self.target_name == "wheel" else INSIDE
        for path, name in job_files(root):
            build_data["force_include"][str(path)] = f"{folder}/{name}"


def job_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Each file of the job, and its name beside `scurry.job`."""
    jar, flink = built(root) or made(root)
    yield jar, "scurry-job.jar"
    for path in sorted(flink.glob("*.jar")):
        if not path.name.startswith(LEFT_OUT):
            yield path, f"flink/{path.name}"


def built(root: Path) -> tuple[Path, Path] | None:
    """The job's jar and Flink's folder, where they are there and no source is younger."""
    for jar, flink in (
        (root / "job/target/scurry-job.jar", root / "job/target/flink"),
        (root / INSIDE / "scurry-job.jar", root / INSIDE / "flink"),
    ):
        if jar.is_file() and any(flink.glob("flink-*.jar")) and jar.stat().st_mtime >= youngest(root):
            return jar, flink
    return None


def youngest(root: Path) -> float:
    """When the job's sources were changed last."""
    sources = [root / "job/pom.xml", *(root / "job/src/main").rglob("*"), *(root / "protos").rglob("*.proto")]
    return max((path.stat().st_mtime for path in sources if path.is_file()), default=0.0)


def made(root: Path) -> tuple[Path, Path]:
    """The job, built with Maven. Raises `JobMissing` with one sentence."""
    missing = [tool for tool in ("mvn", "javac") if shutil.which(tool) is None]
    if missing or not (root / "job/pom.xml").is_file():
        raise JobMissing(
            f"The job's jar is not built, and building it needs {' and '.join(missing) or 'its sources'}: install a "
            "JDK of at least 11 and Maven (Debian: openjdk-17-jdk-headless maven), or run `make build` first."
        )
    command = ["mvn", "-B", "-ntp", "-q", "-f", str(root / "job/pom.xml"), "package", "-DskipTests"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise JobMissing(f"Maven could not build the job: {(done.stdout + done.stderr).strip()[-2000:]}")
    jar = root / "job/target/scurry-job.jar"
    jar.touch()
    return jar, root / "job/target/flink"
