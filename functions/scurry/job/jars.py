"""Finds the job's jar, its module.yaml and Flink's own jars."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = PACKAGE.parent.parent.parent

OPENS: Final = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang",
        "java.lang.reflect",
        "java.util",
        "java.util.concurrent",
        "java.time",
        "java.text",
        "java.net",
        "java.io",
        "java.nio",
        "sun.nio.ch",
    )
)
"""What Flink 1.16 reaches into on Java 17; the same list stands in job/pom.xml."""


class MissingJob(Exception):
    """A part of the job is not there; the sentence says how to get it."""


@dataclass(frozen=True, slots=True)
class Job:
    """The files that make up the job."""

    jar: Path
    module: Path
    flink: Path
    reporter: Path | None = None  # Flink's Prometheus reporter, when it is wanted

    @property
    def classpath(self) -> str:
        """As `java -cp` takes it."""
        more = (str(self.reporter),) if self.reporter is not None else ()
        return os.pathsep.join((str(self.jar), f"{self.flink}/*", *more))


def find(environ: Mapping[str, str], module: str = "", *, reports: bool = False) -> Job:
    """The job's files: in the wheel, else in the checkout; Flink also elsewhere. Raises `MissingJob`.

    With `reports` also Flink's Prometheus reporter: a plugin of `FLINK_HOME`, else the one that lies with our Flink.
    """
    jar = _first(PACKAGE / "scurry-job.jar", CHECKOUT / "job/target/scurry-job.jar")
    if jar is None:
        raise MissingJob("The job's jar was not built; run `make jar` in the checkout.")
    yaml = find_module(module)
    flink = next((path for path in flink_folders(environ) if any(path.glob("flink-*.jar"))), None)
    if flink is None:
        raise MissingJob(
            "Flink's jars are missing; run `make jar` in the checkout, `pip install apache-flink-libraries==1.16.*`, "
            "or set FLINK_HOME to a Flink 1.16."
        )
    return Job(jar, yaml, flink, find_reporter(environ) if reports else None)


def find_reporter(environ: Mapping[str, str]) -> Path:
    """The jar of Flink's Prometheus reporter. Raises `MissingJob`."""
    for folder in flink_folders(environ):
        for place in (folder, folder.parent / "plugins" / "metrics-prometheus"):
            found = sorted(place.glob("flink-metrics-prometheus-*.jar"))
            if found:
                return found[0]
    raise MissingJob(
        "Flink's Prometheus reporter is missing (--job-metrics-port); run `make jar` in the checkout, "
        "or set FLINK_HOME to a Flink 1.16 that has it in plugins/metrics-prometheus."
    )


def find_module(module: str = "") -> Path:
    """The module.yaml that is named, else ours in the wheel or the checkout. Raises `MissingJob`."""
    if module and not Path(module).is_file():
        raise MissingJob(f"There is no file {module} (--module).")
    yaml = Path(module).resolve() if module else _first(PACKAGE / "module.yaml", CHECKOUT / "module.yaml")
    if yaml is None:
        raise MissingJob("There is no module.yaml beside the jar nor in the checkout; name one with --module.")
    return yaml


def flink_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where Flink's jars may lie, in the order they are tried."""
    folders = [PACKAGE / "flink", CHECKOUT / "job/target/flink"]
    if environ.get("FLINK_HOME"):
        folders.insert(0, Path(environ["FLINK_HOME"]) / "lib")
    spec = importlib.util.find_spec("pyflink")
    places = (spec.submodule_search_locations or ()) if spec else ()
    return folders + [Path(place) / "lib" for place in places]


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.is_file()), None)
