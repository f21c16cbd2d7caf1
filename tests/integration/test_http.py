"""Models from a web server that behaves as it is told."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scurry.runtimes.checksums import check
from scurry.sources import fetch, http
from scurry.sources.allowed import Allowed
from scurry.sources.cache import Cache
from scurry.sources.fetch import Sources
from scurry.wire.errors import Failed, InvalidRequest

MODEL = bytes(range(256)) * 4096
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Files by path, and answers that take their place, one for each time they are asked for by GET."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.troubles: dict[str, list[Answer]] = {}
        self.moved: dict[str, str] = {}
        self.gets: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """As the server tells."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._send(body=False)

    def do_GET(self) -> None:
        self.server.gets.append(self.path)
        troubles = self.server.troubles.get(self.path)
        if troubles:
            troubles.pop(0)(self)
        else:
            self._send(body=True)

    def _send(self, *, body: bool) -> None:
        if self.path in self.server.moved:
            return status(302, Location=self.server.moved[self.path])(self)
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", f'"{hash(content)}"')
        self.end_headers()
        if body and content:
            self.wfile.write(content)
        return None

    def log_message(self, *_: object) -> None:
        """Quiet."""


def status(code: int, **headers: str) -> Answer:
    """Nothing but a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def partly(sent: int, said: int) -> Answer:
    """So many bytes, when so many were said; then the connection ends."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(said))
        handler.end_headers()
        handler.wfile.write((MODEL * 2)[:sent])
        handler.close_connection = True

    return answer


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(MODEL)))
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return
        time.sleep(0.05)
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server with one file."""
    made = Server()
    made.files["/m/net.onnx"] = MODEL
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join(10)
    made.server_close()


def sources(folder: Path, server: Server, *more: str) -> Sources:
    """What may be fetched from there."""
    allowed = Allowed(",".join((f"{server.url}/m", *more)))
    return Sources(allowed, Cache(folder / "cache", 16 << 20), check, sleep=lambda _: None)


def content(made: Sources, uri: str) -> bytes:
    """The file that was fetched."""
    return made.fetch(uri, "net", "1").path.read_bytes()


def test_a_file_and_what_lies_beside_it(server, tmp_path):
    """Under the usual names; a second look finds the copy."""
    server.files |= {"/m/net.onnx.data": b"weights", "/m/config.json": b"{}", "/m/other.onnx": b""}
    made = sources(tmp_path, server)
    fetched = made.fetch(f"{server.url}/m/net.onnx", "net", "1")
    assert fetched.path.read_bytes() == MODEL
    assert sorted(each.name for each in fetched.path.parent.iterdir()) == ["config.json", "net.onnx", "net.onnx.data"]
    assert made.fetch(f"{server.url}/m/net.onnx", "net", "1").path == fetched.path
    assert server.gets.count("/m/net.onnx") == 1


def sums(**files: bytes) -> bytes:
    """As sha256sum writes it; `_` stands for a dot."""
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name.replace('_', '.')}" for name, data in files.items()]
    return "\n".join(lines).encode()


def test_a_directory_is_what_its_checksums_list(server, tmp_path):
    """Below name and version, with Triton's config above."""
    server.files |= {"/m/net/1/model.onnx": MODEL, "/m/net/1/SHA256SUMS": sums(model_onnx=MODEL)}
    server.files |= {"/m/net/config.pbtxt": b"max_batch_size: 4"}
    fetched = sources(tmp_path, server).fetch(f"{server.url}/m", "net", "1")
    found = sorted(str(each.relative_to(fetched.folder)) for each in fetched.folder.rglob("*") if each.is_file())
    assert found == ["1/SHA256SUMS", "1/model.onnx", "config.pbtxt"]


def test_checksums_that_do_not_hold_are_refused(server, tmp_path):
    """By the file's name."""
    server.files |= {"/m/net/model.onnx": MODEL, "/m/net/SHA256SUMS": sums(model_onnx=b"other")}
    with pytest.raises(Failed, match=r"model.onnx is not what SHA256SUMS"):
        sources(tmp_path, server).fetch(f"{server.url}/m/net/", "net", "1")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "cannot be listed: name a file, or put SHA256SUMS or manifest.json"),
        ({"SHA256SUMS": b"?"}, "is no list of checksums: line 1"),
        ({"SHA256SUMS": sums(model_onnx=b"")}, "There is no file .*model.onnx, which the list"),
        ({"SHA256SUMS": b"x" * (http.LARGEST + 1)}, "too large to be a list"),
    ],
)
def test_a_directory_that_cannot_be_listed(server, tmp_path, files, says):
    """Each with what to do, or what is missing."""
    server.files |= {f"/m/net/{name}": data for name, data in files.items()}
    with pytest.raises(Failed, match=says):
        sources(tmp_path, server).fetch(f"{server.url}/m/net", "net", "1")


@pytest.mark.parametrize(
    "troubles",
    [
        [status(500)],
        [status(503), status(429), status(500)],
        [partly(100, len(MODEL))],
        [partly(100, 100)],
    ],
    ids=["500", "503 429 500", "truncated", "wrong length"],
)
def test_what_fails_for_a_while_is_fetched_in_the_end(server, tmp_path, troubles):
    """Whole."""
    server.troubles["/m/net.onnx"] = list(troubles)
    assert content(sources(tmp_path, server), f"{server.url}/m/net.onnx") == MODEL
    assert server.gets.count("/m/net.onnx") == len(troubles) + 1


@pytest.mark.parametrize(
    ("trouble", "says", "times"),
    [
        (status(500), "cannot be fetched: 500", 4),
        (status(403), "cannot be fetched: 403", 1),
        (status(404), "cannot be fetched: .*net.onnx", 1),
        (partly(100, len(MODEL)), "cannot be fetched", 4),
        (partly(2 * len(MODEL), 2 * len(MODEL)), "more came than was listed", 1),
    ],
    ids=["500", "403", "404", "truncated", "too much"],
)
def test_what_goes_on_failing_says_why(server, tmp_path, trouble, says, times):
    """`load_failed`, after so many tries; nothing stays in the cache."""
    server.troubles["/m/net.onnx"] = [trouble] * 9
    made = sources(tmp_path, server)
    with pytest.raises(Failed, match=says) as caught:
        content(made, f"{server.url}/m/net.onnx")
    assert caught.value.code == "load_failed"
    assert (server.gets.count("/m/net.onnx"), made._cache.bytes) == (times, 0)


def test_a_file_that_trickles_is_given_up(server, tmp_path, monkeypatch):
    """At the time limit, not when it ends."""
    monkeypatch.setattr(fetch, "SECONDS", 1.0)
    server.troubles["/m/net.onnx"] = [slowly] * 9
    with pytest.raises(Failed, match="took too long"):
        content(sources(tmp_path, server), f"{server.url}/m/net.onnx")


def test_a_missing_file_is_said(server, tmp_path):
    """Without a try to copy it."""
    with pytest.raises(Failed, match="The server gives no file http"):
        content(sources(tmp_path, server), f"{server.url}/m/none.onnx")


def test_redirects_below_the_sources_are_followed(server, tmp_path):
    """As the server tells."""
    server.files["/m/there.onnx"] = b"there"
    server.moved["/m/net.onnx"] = "there.onnx"
    assert content(sources(tmp_path, server), f"{server.url}/m/net.onnx") == b"there"


@pytest.mark.parametrize("there", ["/private.onnx", "/m/../private.onnx", "http://localhost:{port}/m/there.onnx"])
def test_other_redirects_are_not(server, tmp_path, there):
    """Another path or host: refused, and nobody goes there; also when it begins only while the file is copied."""
    server.files |= {"/m/there.onnx": b"there", "/private.onnx": b"private"}
    there = there.format(port=server.server_address[1])
    server.troubles["/m/net.onnx"] = [status(302, Location=there)]
    made = sources(tmp_path, server)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="which is no source of this worker") as caught:
            content(made, f"{server.url}/m/net.onnx")
        assert caught.value.code == "not_allowed"
        server.moved["/m/net.onnx"] = there
    assert not {"/private.onnx", "/m/there.onnx"} & set(server.gets)


def test_a_server_that_is_away_is_no_missing_file(server, tmp_path):
    """It is tried again, and the reason is told."""
    made = sources(tmp_path, server, "http://127.0.0.1:1/m")
    with pytest.raises(Failed, match=r"cannot be fetched: Cannot connect to host 127\.0\.0\.1:1"):
        content(made, "http://127.0.0.1:1/m/net.onnx")


def test_several_fetch_once(server, tmp_path):
    """Two workers that share a cache, at the same time."""
    found: list[bytes] = []
    made = [sources(tmp_path, server) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda each=each: found.append(content(each, f"{server.url}/m/net.onnx")))
        for each in made
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert found == [MODEL] * 4
    assert server.gets.count("/m/net.onnx") == sum(each.fetches for each in made) == 1
