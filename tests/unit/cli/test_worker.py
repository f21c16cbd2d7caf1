"""The verb that starts a worker process."""

from scurry.cli.main import main
from scurry.serving import worker


def test_flags_become_its_settings(monkeypatch):
    """What is given on the command line, and defaults for the rest."""
    seen = []
    monkeypatch.setattr(worker, "run", seen.append)
    assert main(["worker", "--port", "0", "--namespace", "ns"]) == 0
    assert (seen[0].port, seen[0].namespace, seen[0].host) == (0, "ns", "127.0.0.1")


def test_a_port_that_cannot_be_had_is_one_sentence(capsys, monkeypatch):
    """With the host, and exit status 1."""

    def taken(settings):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(worker, "run", taken)
    assert main(["worker"]) == 1
    assert "scurry: unavailable: The worker process cannot listen on 127.0.0.1" in capsys.readouterr().err
