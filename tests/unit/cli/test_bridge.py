"""The verb that starts a bridge."""

from scurry.cli.main import main
from scurry.serving import bridge


def test_flags_become_its_settings(monkeypatch):
    """What is given on the command line, and defaults for the rest."""
    seen = []
    monkeypatch.setattr(bridge, "run", seen.append)
    assert main(["bridge", "--namespace", "ns", "--redis-url", "redis://r:1/2"]) == 0
    assert (seen[0].namespace, seen[0].redis_url, seen[0].log_level) == ("ns", "redis://r:1/2", "info")
