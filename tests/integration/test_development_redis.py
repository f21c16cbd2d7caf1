"""The chart's development Redis starts with the flags that it is given there."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import yaml
from tests.conftest import free_port, redis_binary, wait_for_redis

RENDERED = Path(__file__).resolve().parents[2] / "deploy" / "kustomize" / "redis" / "redis.yaml"


def said(port: int, name: str) -> bytes:
    """What CONFIG GET answers."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(f"CONFIG GET {name}\r\n".encode())
        return sock.recv(1000).split(b"\r\n")[-2]


def test_it_starts_keeps_all_and_asks_no_password_of_other_pods(tmp_path: Path) -> None:
    """The pod's arguments, but for the folder and where it listens."""
    pod = next(one for one in yaml.safe_load_all(RENDERED.read_text()) if one and one["kind"] == "StatefulSet")
    args = list(pod["spec"]["template"]["spec"]["containers"][0]["args"])
    port = free_port()
    for flag, value in {"--port": str(port), "--dir": str(tmp_path), "--bind": "127.0.0.1"}.items():
        args[args.index(flag) + 1] = value
    server = subprocess.Popen([redis_binary(), *args], stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(port, 10)
        wanted = {"protected-mode": b"no", "appendonly": b"yes", "save": b"", "maxmemory-policy": b"noeviction"}
        assert {name: said(port, name) for name in wanted} == wanted
    finally:
        server.terminate()
        assert server.wait(10) == 0
