"""TLS of a process: a certificate, and whose clients are let in.

Certificates are renewed while the process runs: each handshake is made with what was read last.
"""

from __future__ import annotations

import ssl
from functools import partial
from pathlib import Path
from typing import Final

from scurry.rules import InvalidSettings
from scurry.serving.rereading import Rereading
from scurry.settings import TlsSettings

HTTP: Final = "http/1.1"
GRPC: Final = "h2"
"""What a listener speaks, as it is agreed on with the handshake."""


class Tls:
    """What is shown to callers. With `client_ca` they must show a certificate of it.

    With `pages` one who shows none comes in all the same: the listener then tells who may ask for what. A certificate
    of somebody else ends the handshake either way.
    """

    def __init__(self, cert: str, key: str, client_ca: str = "", *, pages: bool = False) -> None:
        """Raises `OSError` or `ValueError` for files that do not do."""
        if not cert or not key:
            raise ValueError("TLS needs both --tls-cert and --tls-key.")
        self._cert, self._key = Path(cert), Path(key)
        self._client_ca = Path(client_ca) if client_ca else None
        self._asks = ssl.CERT_OPTIONAL if pages else ssl.CERT_REQUIRED
        self._now: dict[str, ssl.SSLContext] = {HTTP: self._made(HTTP)}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are read."""
        return (self._cert, self._key, *((self._client_ca,) if self._client_ca else ()))

    def reread(self) -> None:
        """Read the files again, all of them or none. Raises `OSError` or `ValueError`."""
        self._now = {protocol: self._made(protocol) for protocol in self._now}

    def context(self, protocol: str = HTTP) -> ssl.SSLContext:
        """For a listener of one protocol: each handshake takes what was read last."""
        self._now[protocol] = self._made(protocol)
        outer = self._made(protocol)
        # OpenSSL calls it for every hello, with a name in it or not
        outer.sni_callback = partial(self._choose, protocol)
        return outer

    def _choose(
        self, protocol: str, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _outer: ssl.SSLContext
    ) -> None:
        connection.context = self._now[protocol]

    def _made(self, protocol: str) -> ssl.SSLContext:
        for path in self.paths:
            path.open("rb").close()  # what ssl raises does not say which it is
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        made.set_alpn_protocols([protocol])
        try:
            made.load_cert_chain(self._cert, self._key, password=_none)
            if self._client_ca is not None:
                made.verify_mode = self._asks
                made.load_verify_locations(self._client_ca)
        except ssl.SSLError as cause:
            named = ", ".join(map(str, self.paths))
            raise ValueError(f"TLS cannot use {named}: {cause.reason or cause}.") from None
        return made

    def __repr__(self) -> str:
        return f"<Tls {self._cert}{', mutual' if self._client_ca else ''}>"


def _none() -> str:
    """No passphrase: asking for it at the terminal would hold up a server for ever."""
    raise ValueError("The key of --tls-key has a passphrase: take one without.")


def tls_of(settings: TlsSettings, *, pages: bool = False) -> Tls | None:
    """TLS as the settings want it; None without. Raises `InvalidSettings` with one sentence."""
    files = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    try:
        return Tls(*files, pages=pages) if any(files) else None
    except (OSError, ValueError) as cause:
        raise InvalidSettings(f"--tls-cert, --tls-key, --tls-client-ca: {told(cause)}") from None


def rereadings(tls: Tls | None) -> list[Rereading]:
    """What is read again when it changes."""
    return [Rereading("TLS certificates", tls.paths, tls.reread)] if tls is not None else []


def told(cause: Exception) -> str:
    """Why a file does not do."""
    if isinstance(cause, OSError):
        return f"{cause.filename}: {cause.strerror}." if cause.filename else f"{cause}."
    return str(cause)
