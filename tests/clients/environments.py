"""Where unmodified clients live: each in an environment of its own, made by `.ci/setup clients`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.conftest import ROOT


def folder_of_clients() -> Path:
    """Where the environments are, or those that SCURRY_TEST_CLIENTS names."""
    return Path(os.environ.get("SCURRY_TEST_CLIENTS") or ROOT / ".build" / "clients")


def client_program(environment: str, program: str = "python") -> str:
    """A program of an environment; without that the test is skipped, and says so."""
    path = folder_of_clients() / environment / "bin" / program
    if not path.exists():
        pytest.skip(f"the client environment {environment!r} is not there: .ci/setup clients makes it")
    return str(path)


def client_file(name: str, source: str) -> Path:
    """A file of somebody else's that lies beside the environments; without it the test is skipped, and says so."""
    path = folder_of_clients() / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the client environments; it is {source}")
    return path
