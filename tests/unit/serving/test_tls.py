"""TLS of a process: handshakes in memory."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.certificates import Authority

from scurry.rules import InvalidSettings
from scurry.serving.tls import Tls, rereadings, tls_of
from scurry.settings import BridgeSettings, FunctionsSettings, WorkerSettings


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who vouches for everybody here."""
    return Authority(tmp_path)


def client(authority: Authority, cert: tuple[str, str] | None = None) -> ssl.SSLContext:
    """One who trusts the authority."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if cert:
        context.load_cert_chain(*cert)
    return context


def shake(server: ssl.SSLContext, caller: ssl.SSLContext, name: str | None = "localhost") -> tuple[str, str]:
    """The name in the certificate that the caller is shown, and the TLS version. Raises `ssl.SSLError`."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    if name is None:
        caller.check_hostname = False
    one = caller.wrap_bio(back, there, server_hostname=name)
    other = server.wrap_bio(there, back, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for each in (one, other):
            try:
                each.do_handshake()
                done.add(each)
            except ssl.SSLWantReadError:
                pass
    assert done == {one, other}
    shown = dict(part[0] for part in one.getpeercert()["subject"])  # type: ignore[index,misc,union-attr]
    return str(shown["commonName"]), str(one.version())


@pytest.mark.parametrize("name", ["localhost", None])
@pytest.mark.parametrize("kinds", [("ec", "ec"), ("rsa", "ec"), ("ec", "rsa")])
def test_a_renewed_certificate_is_shown_from_the_next_handshake_on(
    authority: Authority, name: str | None, kinds: tuple[str, str]
) -> None:
    """By the context that listens already, of another kind of key too, whether the caller names a host or not."""
    tls = Tls(*authority.sign("first", kinds[0], into="server"))
    context = tls.context()
    assert shake(context, client(authority), name) == ("first", "TLSv1.3")
    authority.sign("second", kinds[1], into="server")
    assert shake(context, client(authority), name)[0] == "first"
    tls.reread()
    assert shake(context, client(authority), name)[0] == "second"


def test_a_broken_renewal_changes_nothing(authority: Authority, tmp_path: Path) -> None:
    """Half of a renewal is one: a certificate without its key."""
    cert, key = authority.sign("first", into="server")
    tls = Tls(cert, key)
    context = tls.context()
    Path(cert).write_bytes(Path(authority.sign("second")[0]).read_bytes())
    with pytest.raises(ValueError, match="cannot use"):
        tls.reread()
    Path(key).unlink()
    with pytest.raises(OSError):
        tls.reread()
    assert shake(context, client(authority))[0] == "first"


def test_with_mutual_tls_strangers_stay_outside(authority: Authority, tmp_path: Path) -> None:
    """Who shows a certificate of the authority comes in; renewed, the authority is another."""
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    tls = Tls(*authority.sign("server"), str(authority.file))
    context = tls.context()
    assert shake(context, client(authority, authority.sign("caller")))[0] == "server"
    for caller in (client(authority), client(authority, stranger.sign("caller"))):
        with pytest.raises(ssl.SSLError):
            shake(context, caller)
    authority.file.write_bytes(authority.file.read_bytes() + stranger.file.read_bytes())
    trusted = client(authority, stranger.sign("caller"))
    tls.reread()
    assert shake(context, trusted)[0] == "server"
    assert repr(tls).endswith(", mutual>")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(authority: Authority) -> None:
    """1.2 is the least."""
    context = Tls(*authority.sign("server")).context()
    caller = client(authority)
    caller.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake(context, caller)[1] == "TLSv1.2"
    caller.minimum_version = caller.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake(context, caller)


def test_what_cannot_be_used_is_told(authority: Authority, tmp_path: Path) -> None:
    """In one sentence, with the file."""
    cert, key = authority.sign("server")
    both = "--tls-cert, --tls-key, --tls-client-ca: TLS needs both --tls-cert and --tls-key"
    for settings in (WorkerSettings(tls_cert=cert), FunctionsSettings(tls_client_ca=str(authority.file))):
        with pytest.raises(InvalidSettings, match=both):
            tls_of(settings)
    with pytest.raises(InvalidSettings, match=r"no\.crt"):
        tls_of(BridgeSettings(tls_cert="no.crt", tls_key=key))
    with pytest.raises(OSError):
        Tls(str(tmp_path / "no.crt"), key)
    (tmp_path / "bad.crt").write_text("no certificate")
    with pytest.raises(ValueError, match=r"bad\.crt"):
        Tls(str(tmp_path / "bad.crt"), key)
    assert tls_of(WorkerSettings()) is None
    assert rereadings(None) == []


def test_with_pages_one_without_a_certificate_comes_in(authority: Authority, tmp_path: Path) -> None:
    """The listener tells what he may ask for; a certificate of somebody else ends the handshake."""
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    cert, key = authority.sign("server")
    tls = tls_of(WorkerSettings(tls_cert=cert, tls_key=key, tls_client_ca=str(authority.file)), pages=True)
    assert tls is not None
    context = tls.context()
    for _ in range(2):
        assert context.verify_mode is ssl.CERT_OPTIONAL
        assert shake(context, client(authority))[0] == "server"
        assert shake(context, client(authority, authority.sign("caller")))[0] == "server"
        with pytest.raises(ssl.SSLError):
            shake(context, client(authority, stranger.sign("caller")))
        tls.reread()


def test_certificates_are_looked_at_for_changes(authority: Authority) -> None:
    """All of their files."""
    cert, key = authority.sign("server")
    (looking,) = rereadings(tls_of(FunctionsSettings(tls_cert=cert, tls_key=key, tls_client_ca=str(authority.file))))
    assert not looking.look()
    authority.sign("another", into="server")
    assert looking.look()
    authority.file.write_bytes(authority.file.read_bytes() * 2)
    assert looking.look()
