"""Servers that tests fetch models from, each in a process of its own, so that it can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from tests.conftest import clean_environment, free_port, wait_for_port

BUCKET = "models"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


class S3Server:
    """Moto's. Its address as environment variables, and a client of it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.environ = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        self._process = self._start()
        self.client: Any = boto3.client(
            "s3", endpoint_url=self.environ["AWS_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id="key",
            aws_secret_access_key="secret", config=Config(retries={"max_attempts": 1}),
        )  # fmt: skip
        self.client.create_bucket(Bucket=BUCKET)

    def put(self, objects: dict[str, bytes]) -> None:
        """Put objects by key."""
        for key, content in objects.items():
            self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def kill(self) -> None:
        """Let it be away."""
        self._process.kill()
        self._process.wait(10)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=clean_environment(), **quiet)
        wait_for_port(self.port, 30)
        return process


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """An empty S3 server with one bucket."""
    server = S3Server()
    try:
        yield server
    finally:
        server.client.close()
        server.kill()


class WebServer:
    """Python's own, for the files of a directory."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", str(folder), str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(port, 30)

    def kill(self) -> None:
        """Let it be away."""
        self._process.kill()
        self._process.wait(10)


@contextmanager
def web_server(folder: Path) -> Iterator[WebServer]:
    """A plain web server."""
    server = WebServer(folder)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """These variables in this process for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
