"""The verb that starts everything."""

import asyncio
import errno
import os
import signal
from types import SimpleNamespace

import pytest

from scurry.cli import up as verb
from scurry.cli.main import main
from scurry.serving.processes import StartFailed


class FakeUp:
    """Starts at once, or fails; remembers that it was stopped."""

    failure: Exception | None = None
    made: "FakeUp | None" = None

    def __init__(self, settings, environ, tell):
        self.settings, self.stopped = settings, False
        FakeUp.made = self

    async def start(self):
        if self.failure:
            raise self.failure
        raise asyncio.CancelledError

    async def stop(self):
        self.stopped = True

    def kill(self):
        """Nothing runs."""


@pytest.fixture
def fake(monkeypatch):
    """In place of the supervisor."""
    monkeypatch.setattr(verb, "Up", FakeUp)
    monkeypatch.setattr(FakeUp, "failure", StartFailed("job ended with status 2."))
    return FakeUp


def test_what_cannot_be_started_is_one_sentence(fake, capsys):
    """With exit status 1, and everything else is ended."""
    assert main(["up"]) == 1
    assert capsys.readouterr().err.endswith("scurry: unavailable: job ended with status 2.\n")
    assert fake.made.stopped


def test_flags_become_its_settings(fake, tmp_path):
    """Those of the job as well."""
    counts = ("--workers", "3", "--gateways", "2")
    main(["up", *counts, "--on-gap", "resume", "--forget-checkpoints", "--dir", str(tmp_path)])
    settings = fake.made.settings
    assert (settings.workers, settings.gateways, settings.on_gap) == (3, 2, "resume")
    assert (settings.forget_checkpoints, settings.dir) == (True, str(tmp_path))


def test_a_repository_that_is_not_there_starts_nothing(fake, capsys, monkeypatch):
    """It is said before anything runs."""
    monkeypatch.setattr(fake, "made", None)
    assert main(["up", "--models", "/no/models"]) == 1
    assert "There is no directory /no/models" in capsys.readouterr().err
    assert fake.made is None


def test_a_full_disk_behind_stdout_stops_nothing(fake, capsys, monkeypatch):
    """`scurry is ready` is lost; everything runs on."""

    async def start(self):
        self.addresses = self.folder = SimpleNamespace(path=None)
        asyncio.get_running_loop().call_later(0, os.kill, os.getpid(), signal.SIGTERM)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fake, "start", start)
    monkeypatch.setattr(verb, "ready_block", lambda *_: "scurry is ready")
    monkeypatch.setattr(verb, "say", full)
    assert main(["up"]) == 0
    assert capsys.readouterr().err == ""
    assert fake.made.stopped


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "file:1"), ({"flag": "flag:2"}, "flag:2"), ({"variable": "variable:3"}, "variable:3"),
        ({"flag": "flag:2", "variable": "variable:3"}, "flag:2"),
    ],
)  # fmt: skip
def test_a_file_of_cluster_serving_yields_to_flags_and_settings(fake, tmp_path, monkeypatch, given, url):
    """Its Redis is that of all where nobody else names one."""
    (tmp_path / "config.yaml").write_text("modelPath: /m\nredisUrl: file:1\n")
    if "variable" in given:
        monkeypatch.setenv("SCURRY_REDIS_URL", f"redis://{given['variable']}")
    flags = ("--redis-url", f"redis://{given['flag']}") if "flag" in given else ()
    assert main(["up", "--cluster-serving", str(tmp_path / "config.yaml"), *flags]) == 1
    assert fake.made.settings.redis_url == f"redis://{url}"
