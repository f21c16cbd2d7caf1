"""What an image must hold, and what a probe is answered."""

from __future__ import annotations

import json
import socket
import urllib.request
import zipfile
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from containers import Image

NAMED: Final = (
    "org/apache/flink/kubernetes/highavailability/KubernetesHaServicesFactory.class",
    "org/apache/flink/kubernetes/entrypoint/KubernetesApplicationClusterEntrypoint.class",
    "org/apache/flink/kubernetes/taskmanager/KubernetesTaskExecutorRunner.class",
    "org/apache/flink/fs/s3presto/S3PFileSystemFactory.class",
    "org/apache/flink/metrics/prometheus/PrometheusReporterFactory.class",
    "io/scurry/job/Standalone.class",
)
"""Classes that the chart's settings, a store's address and the start script name."""
LABELS: Final = ("title", "licenses", "version")


def answers(url: str, body: dict[str, Any] | None = None) -> bytes | None:
    """What a probe gets: nothing when it fails. Without a path it is only whether somebody listens."""
    where = urlsplit(url)
    try:
        if not where.path:
            with socket.create_connection((where.hostname, where.port), 2):
                return b""
        asked = urllib.request.Request(url, json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(asked, timeout=30) as reply:
            return bytes(reply.read())
    except (OSError, HTTPException):
        return None


def contents(image: Image) -> list[str]:
    """What an image lacks of what must be in it: labels, the list of packages, the classes that settings name."""
    labels = image.config.get("Labels") or {}
    wrong = [f"has no label {name}" for name in LABELS if not labels.get(f"org.opencontainers.image.{name}")]
    if image.user == 0:
        wrong.append("runs as root")
    if not (image.root / "opt/scurry/packages.txt").is_file():
        wrong.append("has no list of packages")
    jars = [jar for places in ("lib/*.jar", "plugins/*/*.jar") for jar in (image.root / "opt/flink").glob(places)]
    if jars:
        inside = {name for jar in jars for name in zipfile.ZipFile(jar).namelist()}
        wrong += [f"has no {name}" for name in NAMED if name not in inside]
        state = (image.root / "opt/flink/state").stat()
        wrong += ["cannot write into a new volume at /opt/flink/state"] if state.st_uid != image.user else []
    return [f"{image.name} {text}" for text in wrong]
