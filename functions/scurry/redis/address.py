"""The address of Redis, taken apart."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_PLACE: Final = re.compile(r"(\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^:,\[\]\s]*))(:(?P<port>[0-9]{0,5}))?")


SENTINEL: Final = "+sentinel"
PORT, SENTINEL_PORT = 6379, 26379
SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Login:
    """As whom to speak; `file` holds the password in its first line, and is read with each connection."""

    username: str = ""
    password: str = field(default="", repr=False)
    file: str = ""

    def command(self) -> list[tuple[str, ...]]:
        """The command that logs in, if any. Raises `OSError` without the file."""
        password = _first_line(self.file) if self.file else self.password
        return [("AUTH", *((self.username,) if self.username else ()), password)] if password else []


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis listens, and as whom to speak to it.

    Written `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for TLS (options `ssl_ca_certs`, `ssl_certfile`,
    `ssl_keyfile`, `ssl_cert_reqs=none`), or `unix://path`; `redis+sentinel://host[:26379],host…/master[/db]` names
    Sentinels, which are asked where `master` is (options `sentinel_username`, `sentinel_password`,
    `sentinel_password_file`). With `password_file` the password stands in that file.
    """

    host: str
    port: int
    path: str = ""
    db: int = 0
    login: Login = Login()
    tls: bool = False
    verify: bool = True
    ca_certs: str = ""
    certfile: str = ""
    keyfile: str = ""
    sentinels: tuple[Place, ...] = ()
    master: str = ""
    sentinel_login: Login = Login()

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart. Raises `ValueError` with one sentence."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"Redis address {_shown(url)} must begin with redis://, rediss:// or unix://.")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        guarded, is_socket = parts.scheme.endswith(SENTINEL), parts.scheme == "unix"
        master, _, rest = parts.path.strip("/").partition("/") if guarded else ("", "", parts.path.strip("/"))
        if guarded and not master:
            raise ValueError(f"Redis address {_shown(url)} must name the Sentinels' master behind them.")
        user = _user(parts.netloc, "password_file" in query)
        places = _places(url, "" if is_socket else parts.netloc, guarded=guarded)
        return cls(
            host=places[0][0],
            port=0 if is_socket else places[0][1],
            path=unquote(parts.path) if is_socket else "",
            db=_db(query.get("db", "") or ("" if is_socket else rest)),
            login=Login(*user, query.get("password_file", "")),
            tls=parts.scheme.startswith("rediss"),
            verify=query.get("ssl_cert_reqs", "required") != "none",
            ca_certs=query.get("ssl_ca_certs", ""),
            certfile=query.get("ssl_certfile", ""),
            keyfile=query.get("ssl_keyfile", ""),
            sentinels=places if guarded else (),
            master=unquote(master),
            sentinel_login=_sentinel_login(query),
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
        """Commands that open a connection; each must be answered without an error. Raises `OSError`."""
        commands = self.login.command()
        if self.db:
            commands.append(("SELECT", str(self.db)))
        commands.append(("PING",))
        return commands

    def node(self, place: str) -> Address:
        """Another server of the same cluster, or the master, `host:port`, spoken to in the same way."""
        host, _, port = place.rpartition(":")
        return replace(self, host=host or self.host, port=int(port), path="", sentinels=())

    def __str__(self) -> str:
        """The address as it may be shown: without user and password."""
        if self.sentinels:
            return f"{','.join(f'{host}:{port}' for host, port in self.sentinels)}/{self.master}"
        return self.path or f"{self.host}:{self.port}"


def _shown(url: str) -> str:
    """An address in a sentence: without user and password."""
    scheme, mark, _ = url.rpartition("://")
    return repr(f"{scheme}{mark}{url.removeprefix(scheme + mark).rpartition('@')[2]}")


def _user(netloc: str, has_file: bool) -> tuple[str, str]:
    """User and password. A lone word is the user, whose password is elsewhere or none."""
    name, _, password = netloc.rpartition("@")[0].partition(":")
    return unquote(name), "" if has_file else unquote(password)


def _sentinel_login(query: Mapping[str, str]) -> Login:
    """Sentinels have users of their own."""
    return Login(*(query.get(f"sentinel_{name}", "") for name in ("username", "password", "password_file")))


def _places(url: str, netloc: str, *, guarded: bool) -> tuple[Place, ...]:
    """Hosts and ports. Sentinels may be many, Redis is one."""
    texts, port = netloc.rpartition("@")[2].split(",", -1 if guarded else 0), SENTINEL_PORT if guarded else PORT
    return tuple(_place(url, text, port) for text in texts)


def _place(url: str, text: str, otherwise: int) -> Place:
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"] or 0) > 65535:
        raise ValueError(f"Redis address {_shown(url)} has a host or a port that is none.")
    return (found["six"] or found["host"] or "127.0.0.1").lower(), int(found["port"] or otherwise)


def _db(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal():
        raise ValueError(f"Redis address must end in the number of a database, not {text!r}: redis://host:port/0.")
    return int(text)


def _first_line(file: str) -> str:
    return Path(file).read_text().partition("\n")[0].rstrip("\r")
