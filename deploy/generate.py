"""The manifests that are made from something else in the repository.

`make manifests` writes them; `make check` fails while one differs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
OPERATOR_JOB: Final = KUBERNETES / "operator" / "job.yaml"

STANDALONE: Final = {
    "kubernetes.cluster-id": "scurry",
    "kubernetes.namespace": "scurry",
    "jobmanager.rpc.port": "6123",
    "high-availability.jobmanager.port": "6123",
    "blob.server.port": "6124",
    "taskmanager.rpc.port": "6122",
    "rest.port": "8081",
}
"""What the operator would set itself."""

LOGGING: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = ConsoleAppender
appender.console.name = ConsoleAppender
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
"""


class _Literal(str):
    """Text that is written as a block, line by line."""


yaml.SafeDumper.add_representer(
    _Literal, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
)


def generated() -> dict[Path, str]:
    """Every generated manifest: its path and what it must say."""
    module = (ROOT / "module.yaml").read_text()
    job = yaml.safe_load(OPERATOR_JOB.read_text())
    return {
        KUBERNETES / "base" / "module.yaml": config_map("scurry-module", {"module.yaml": module}, "module.yaml"),
        KUBERNETES / "standalone" / "configuration.yaml": config_map(
            "scurry-flink",
            {"flink-conf.yaml": flink_conf(job["spec"]), "log4j-console.properties": LOGGING},
            "deploy/kubernetes/operator/job.yaml",
        ),
    }


def flink_conf(spec: dict[str, Any]) -> str:
    """Flink's configuration file for standalone mode, from a FlinkDeployment's spec."""
    settings = {
        **spec["flinkConfiguration"],
        **STANDALONE,
        "parallelism.default": str(spec["job"]["parallelism"]),
        "jobmanager.memory.process.size": spec["jobManager"]["resource"]["memory"],
        "taskmanager.memory.process.size": spec["taskManager"]["resource"]["memory"],
    }
    return "".join(f"{key}: {settings[key]}\n" for key in sorted(settings))


def config_map(name: str, files: dict[str, str], source: str) -> str:
    """A ConfigMap that holds files, as YAML."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "scurry"},
        "data": {key: _Literal(text) for key, text in files.items()},
    }
    return f"# Made from {source} by `make manifests`; change that instead.\n" + yaml.safe_dump(
        body, sort_keys=False, width=200
    )


def main() -> None:
    """Write every generated manifest."""
    for path, text in generated().items():
        path.write_text(text)
        print(path.relative_to(ROOT))  # noqa: T201 (it is a command)


if __name__ == "__main__":
    sys.exit(main())
