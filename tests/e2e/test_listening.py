"""Only what was asked for listens: every socket of a `scurry up` is on loopback."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import Stack

LISTEN = "0A"


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, ())
    return found


def sockets(pid: int) -> set[str]:
    """Inodes of a process' sockets."""
    links = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = str(descriptor.readlink())
        except OSError:
            continue
        links |= set(re.findall(r"socket:\[(\d+)\]", link))
    return links


def listeners() -> Iterator[tuple[str, str]]:
    """Inode and address of everything that listens on this machine."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                host, port = fields[1].split(":")
                yield fields[9], f"{address(host)} port {int(port, 16)}"


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as the kernel shows it: words of four bytes, each in the machine's order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    found = ipaddress.ip_address(b"".join(struct.pack("=I", word) for word in words))
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def is_loopback(where: str) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(where.partition(" ")[0]).is_loopback


def test_an_address_is_read_as_the_kernel_writes_it() -> None:
    """Else the next test would say nothing."""
    assert str(address("0100007F")) == "127.0.0.1"
    assert str(address("00000000")) == "0.0.0.0"
    assert str(address("00000000000000000000000001000000")) == "::1"
    assert str(address("0000000000000000FFFF00000100007F")) == "127.0.0.1"
    assert not is_loopback("0.0.0.0 port 1")


def test_everything_listens_on_loopback(stack: Stack) -> None:
    """Redis, functions, workers, gateway, and all that Flink opens."""
    pids = family(stack.process.pid)
    inodes = {inode: pid for pid in pids for inode in sockets(pid)}
    ours = {where: inodes[inode] for inode, where in listeners() if inode in inodes}
    ports = [int(where.rpartition(" ")[2]) for where in ours]
    named = [stack.http_url, stack.redis_url.removesuffix("/0"), *stack.info["worker_urls"], stack.info["ui_url"]]
    assert {int(url.rpartition(":")[2]) for url in named} <= set(ports), "the list of sockets is not whole"
    strange = {
        where: Path(f"/proc/{pid}/comm").read_text().strip() for where, pid in ours.items() if not is_loopback(where)
    }
    assert strange == {}
