"""The verb that starts the gateway."""

from scurry.cli.main import main
from scurry.serving import gateway


def test_a_port_is_shared_only_when_told(monkeypatch):
    """By flag or variable."""
    seen = []
    monkeypatch.setattr(gateway, "run", lambda settings: seen.append(settings.reuse_port))
    main(["gateway"])
    main(["gateway", "--reuse-port"])
    monkeypatch.setenv("SCURRY_REUSE_PORT", "yes")
    main(["gateway"])
    assert seen == [False, True, True]


def test_a_port_that_cannot_be_had_is_one_sentence(capsys, monkeypatch):
    """With the host, and exit status 1."""

    def taken(settings):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(gateway, "run", taken)
    assert main(["gateway", "--host", "127.0.0.1"]) == 1
    assert "scurry: unavailable: The gateway process cannot listen on 127.0.0.1" in capsys.readouterr().err
