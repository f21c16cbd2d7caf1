"""Which Redis, or which gateway, a verb talks to."""

import argparse
import json
import os

import pytest

from scurry.cli.connecting import client, folder_of, gateway, place, running_up
from scurry.client.http_client import HttpClient
from scurry.wire.errors import InvalidRequest


def words(**given):
    """Arguments as parsed."""
    return argparse.Namespace(**({"redis_url": None, "namespace": None, "dir": None} | given))


@pytest.fixture
def running(tmp_path):
    """The directory of a `scurry up` that runs: it has our own pid."""
    data = {"pid": os.getpid(), "redis_url": "redis://up:1/0", "namespace": "ns"}
    (tmp_path / "scurry.json").write_text(json.dumps(data))
    return str(tmp_path)


def test_the_command_line_wins():
    """Over the environment."""
    environ = {"SCURRY_REDIS_URL": "redis://env:1/0", "SCURRY_NAMESPACE": "env"}
    assert place(words(redis_url="redis://cli:1/0"), environ) == ("redis://cli:1/0", "env")


def test_the_environment_wins_over_a_running_up(running):
    """Files come last."""
    environ = {"SCURRY_REDIS_URL": "redis://env:1/0", "SCURRY_DIR": running}
    assert place(words(), environ) == ("redis://env:1/0", "ns")


def test_a_directory_named_on_the_command_line_wins_over_the_environment(running):
    """It was asked for just now."""
    environ = {"SCURRY_REDIS_URL": "redis://env:1/0"}
    assert place(words(dir=running), environ) == ("redis://up:1/0", "ns")


def test_without_anything_the_default_holds(tmp_path):
    """A Redis on this machine."""
    assert place(words(), {"SCURRY_DIR": str(tmp_path)}) == ("redis://127.0.0.1:6379/0", "scurry")


def test_a_directory_without_a_running_up_is_an_error(tmp_path):
    """Else the verb would go to another Redis than the one meant."""
    with pytest.raises(InvalidRequest, match="No `scurry up` is running in"):
        place(words(dir=str(tmp_path)), {})


@pytest.mark.parametrize(
    "written",
    [{"pid": 2**22 + 1}, {"pid": 2**70}, {"redis_url": "r"}, {"pid": "1"}, {"pid": os.getpid(), "born": "then"}],
)
def test_what_a_killed_up_wrote_does_not_count(tmp_path, written):
    """Its process is gone, or its number is another's by now; no pid at all is no better."""
    (tmp_path / "scurry.json").write_text(json.dumps(written))
    assert running_up(tmp_path) == {}


def test_a_home_that_nobody_has_is_no_traceback():
    """It is a name like any other."""
    assert str(folder_of(words(dir="~nobody-of-that-name/x"), {})) == "~nobody-of-that-name/x"


GATEWAY = "http://gateway:8000"


def test_a_gateway_is_the_one_named_else_the_environments():
    """Unless a Redis or a directory is named; a verb that needs Redis has none."""
    environ = {"SCURRY_URL": GATEWAY}
    assert gateway(words(url="https://other"), environ) == "https://other"
    assert gateway(words(url=None), environ) == GATEWAY
    assert gateway(words(url=None), {"SCURRY_URL": "redis://a"}) == ""
    assert gateway(words(url=None, redis_url="redis://a"), environ) == ""
    assert gateway(words(url=None, dir="d"), environ) == ""
    assert gateway(words(), environ) == ""


@pytest.mark.parametrize("given", [{"url": "redis://a"}, {"url": GATEWAY, "redis_url": "redis://a"}])
def test_a_place_that_is_no_gateway_is_refused(given):
    """By name."""
    with pytest.raises(InvalidRequest, match="--url"):
        gateway(words(**given), {})


def test_a_gateway_is_shown_the_key_of_a_file(tmp_path, monkeypatch):
    """As secrets are mounted."""
    (tmp_path / "key").write_text("0123456789abcdef\n")
    monkeypatch.setenv("SCURRY_ADMIN_KEY_FILE", str(tmp_path / "key"))
    made = client(words(url=GATEWAY))
    assert type(made) is HttpClient
    assert made._options["admin_key"] == "0123456789abcdef"
