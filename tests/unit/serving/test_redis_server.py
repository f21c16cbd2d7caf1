"""Finding a Redis server that can read what was written."""

import pytest

from scurry.serving import redis_server
from scurry.serving.redis_server import MissingRedis, Server


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH with a redis-server that is never run."""
    (tmp_path / "redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    return {"PATH": str(tmp_path)}


def test_an_old_redis_is_passed_over(tools):
    """6.2 is the oldest that will do."""
    assert redis_server.find(tools, lambda path: (6, 2)).path.endswith("redis-server")
    with pytest.raises(MissingRedis, match="--redis-url"):
        redis_server.find(tools, lambda path: (6, 0))


def test_the_newest_is_taken_wherever_it_lies(tools, tmp_path):
    """Also behind an older one on the PATH, which a virtual environment puts in front."""
    older = tmp_path / "venv"
    older.mkdir()
    (older / "redis-server").write_text("#!/bin/sh\n")
    (older / "redis-server").chmod(0o755)
    versions = {str(older / "redis-server"): (6, 2), f"{tools['PATH']}/redis-server": (7, 0)}
    environ = {"PATH": f"{older}:{tools['PATH']}:"}
    assert redis_server.find(environ, versions.__getitem__) == Server(f"{tools['PATH']}/redis-server", (7, 0))


def test_data_of_a_newer_redis_is_refused(tmp_path):
    """In one sentence that names both; the older would fail, or begin with nothing."""
    redis_server.claim(Server("/new/redis-server", (7, 4)), tmp_path)
    with pytest.raises(MissingRedis) as caught:
        redis_server.claim(Server("/old/redis-server", (6, 2)), tmp_path)
    sentence = str(caught.value)
    assert "written by Redis 7.4" in sentence
    assert "/old/redis-server, is Redis 6.2" in sentence
    assert redis_server.written_by(tmp_path) == (7, 4)


def test_data_of_an_older_redis_is_taken_over(tmp_path):
    """And from then on is that of the newer."""
    redis_server.claim(Server("/old", (6, 2)), tmp_path)
    redis_server.claim(Server("/new", (7, 0)), tmp_path)
    assert redis_server.written_by(tmp_path) == (7, 0)


def test_data_of_before_versions_were_written_down_is_known_by_its_form(tmp_path):
    """Redis 7 keeps a folder of parts; a file that says nothing is nobody's."""
    assert redis_server.written_by(tmp_path) == (0, 0)
    (tmp_path / "written-by").write_text("nonsense")
    assert redis_server.written_by(tmp_path) == (0, 0)
    (tmp_path / "appendonlydir").mkdir()
    with pytest.raises(MissingRedis, match=r"written by Redis 7\.0"):
        redis_server.claim(Server("/old", (6, 2)), tmp_path)


def test_a_server_that_does_not_run_has_no_version():
    """It does not raise."""
    assert redis_server.ask_version("/does/not/exist") == (0, 0)


def test_our_redis_listens_on_loopback_only(tmp_path):
    """Whatever its own configuration file says: it reads none."""
    command = redis_server.command("redis-server", 7, tmp_path)
    assert command[command.index("--bind") + 1] == "127.0.0.1"
    assert command[command.index("--protected-mode") + 1] == "yes"
