"""The address of a Redis server, taken apart."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis listens, and as whom to speak to it.

    Written `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for TLS (options `ssl_ca_certs`, `ssl_certfile`,
    `ssl_keyfile`, `ssl_cert_reqs=none`), or `unix://path`.
    """

    host: str
    port: int
    path: str = ""
    db: int = 0
    username: str = ""
    password: str = ""
    tls: bool = False
    verify: bool = True
    ca_certs: str = ""
    certfile: str = ""
    keyfile: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart. Raises `ValueError` with one sentence."""
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError(f"Redis address {_shown(url)} must begin with redis://, rediss:// or unix://.")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=_port(url, parts.port if parts.scheme != "unix" else 0),
            path=path if parts.scheme == "unix" else "",
            db=_db(query.get("db", "") or ("" if parts.scheme == "unix" else path.strip("/"))),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "rediss",
            verify=query.get("ssl_cert_reqs", "required") != "none",
            ca_certs=query.get("ssl_ca_certs", ""),
            certfile=query.get("ssl_certfile", ""),
            keyfile=query.get("ssl_keyfile", ""),
        )

    def context(self) -> ssl.SSLContext | None:
        """What TLS needs; None without TLS."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_certs or None)
        if not self.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.certfile:
            context.load_cert_chain(self.certfile, self.keyfile or None)
        return context

    def greeting(self) -> list[tuple[str, ...]]:
        """Commands that open a connection; each must be answered without an error."""
        commands: list[tuple[str, ...]] = []
        if self.password:
            commands.append(("AUTH", *((self.username,) if self.username else ()), self.password))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        commands.append(("PING",))
        return commands

    def node(self, place: str) -> Address:
        """Another server of the same cluster, `host:port`, spoken to in the same way."""
        host, _, port = place.rpartition(":")
        return replace(self, host=host or self.host, port=int(port), path="")

    def __str__(self) -> str:
        """The address as it may be shown: without user and password."""
        return self.path or f"{self.host}:{self.port}"


def _shown(url: str) -> str:
    """An address in a sentence: without user and password."""
    scheme, mark, _ = url.rpartition("://")
    return repr(f"{scheme}{mark}{url.removeprefix(scheme + mark).rpartition('@')[2]}")


def _port(url: str, port: int | None) -> int:
    if port is None:
        return 6379
    if port < 0:
        raise ValueError(f"Redis address {_shown(url)} has a port that is not a number.")
    return port


def _db(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal():
        raise ValueError(f"Redis address must end in the number of a database, not {text!r}: redis://host:port/0.")
    return int(text)
