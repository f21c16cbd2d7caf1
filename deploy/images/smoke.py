"""Starts every process in its own image and asks a model through all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from checks import answers, contents
from containers import Container, Image, Plan, Wrong, said
from parts import Part, Volumes, all_in_one, applying, embedded, going_on, parts, stopping

from scurry.serving import redis_server

START_S: Final = 180.0
ALL: Final = "all-in-one"
BODY: Final = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 1], "data": [1.5, 21.0]}]}
ANSWER: Final = [3.0, 42.0]


def lacks() -> str:
    """Why it cannot be tried on this machine; nothing when it can."""
    if os.geteuid() != 0:
        return "not root"
    missing = [name for name in ("buildah", "runc", "unshare", "ip") if not shutil.which(name)]
    return f"no {', '.join(missing)}" if missing else ""


def tell(text: str) -> None:
    """A line of what goes on."""
    print(text, flush=True)  # noqa: T201 (it is a command)


class Rehearsal:
    """The whole, in one folder; closing the stack ends all of it."""

    def __init__(self, folder: Path, tag: str, stack: ExitStack, running: dict[str, Container]) -> None:
        self._stack, self._folder, self.running = stack, folder, running
        self.volumes = Volumes(folder / "volumes")
        self.parts = parts(self.volumes)
        self.images: dict[str, Image] = {}
        for name in dict.fromkeys(part.image for part in self.parts):
            self._open(name, f"localhost/scurry/{name}:{tag}")
        whole = f"localhost/scurry/{ALL}:{tag}"
        if said("buildah", "images", "--quiet", "--filter", f"reference={whole}"):
            self._open(ALL, whole)

    def _open(self, name: str, full: str) -> None:
        self.images[name] = image = Image(full)
        self._stack.callback(image.close)

    def redis(self) -> None:
        """A Redis of this machine."""
        server = redis_server.find(os.environ)
        words = (str(server.path), "--save", "", "--dir", str(self._folder))
        process = self._stack.enter_context(subprocess.Popen(words, stdout=subprocess.DEVNULL))
        self._stack.callback(process.kill)
        self._until("http://127.0.0.1:6379", None)

    def start(self, part: Part) -> None:
        """Start one; it lives, and may nothing that it should not."""
        container = self._run(self.images[part.image], part.plan)
        self.running[part.plan.name] = container
        self._until(part.live, container)
        if wrong := container.liberties():
            raise Wrong("; ".join(wrong))
        tell(f"{part.plan.name}: lives as user {self.images[part.image].user}, with a read-only root")

    def _run(self, image: Image, plan: Plan) -> Container:
        container = Container(image, plan, self._folder)
        self._stack.callback(container.close)
        self.running[plan.name] = container
        return container

    def ready(self, part: Part) -> None:
        """It can serve."""
        self._until(part.ready, self.running[part.plan.name])
        tell(f"{part.plan.name}: ready")

    def _until(self, url: str, container: Container | None) -> None:
        end = time.monotonic() + START_S
        while answers(url) is None:
            if container and container.status is not None:
                raise Wrong(f"{container!r} ended before {url} answered")
            if time.monotonic() > end:
                raise Wrong(f"{url} did not answer in {START_S:.0f} s")
            time.sleep(0.2)

    def says(self, part: Part, line: str) -> None:
        """It prints this line, sooner or later."""
        container, end = self.running[part.plan.name], time.monotonic() + START_S
        while line not in container.log.read_text(errors="replace"):
            if container.status is not None or time.monotonic() > end:
                raise Wrong(f"{container!r} did not say '{line}'")
            time.sleep(0.2)
        tell(f"{part.plan.name}: {line}")

    def once(self, plan: Plan) -> str:
        """What a command in the gateway's image prints, which has to end well."""
        container = self._run(self.images["gateway"], plan)
        status, printed = container.wait(START_S), container.log.read_text(errors="replace")
        if status:
            raise Wrong(f"scurry {' '.join(plan.args)} ended with status {status}")
        tell(f"{plan.name}: scurry {plan.args[0]} {plan.args[1]}, status 0")
        return printed

    def ask(self) -> None:
        """One request through all of them, sooner or later."""
        end = time.monotonic() + START_S
        while (reply := answers("http://127.0.0.1:8000/v2/models/double/infer", BODY)) is None:
            if time.monotonic() > end:
                break
            time.sleep(0.2)
        if reply is None or json.loads(reply)["outputs"][0]["data"] != ANSWER:
            raise Wrong(f"the model answered {reply!r}")
        tell(f"asked over HTTP: {BODY['inputs'][0]['data']} became {ANSWER}")

    def upgrade(self) -> None:
        """Stop with a savepoint; the idle JobManager stays until another begins at it, with all that was known."""
        number, part = next((n, part) for n, part in enumerate(self.parts) if part.plan.name == "jobmanager")
        found = re.search(r"file:/[^\s\"]+", self.once(stopping()))
        if not found:
            raise Wrong("scurry job stop named no savepoint")
        self.stop(part)
        self.parts[number] = going_on(part, found[0])
        self.start(self.parts[number])
        self.ready(self.parts[number])
        self.says(self.parts[number], "Restoring job")

    def metrics(self) -> None:
        """Both of Flink's processes tell Prometheus."""
        for port in (9249, 9250):
            if b"flink_" not in (answers(f"http://127.0.0.1:{port}/metrics") or b""):
                raise Wrong(f"no metrics of Flink's at port {port}")

    def stop(self, part: Part) -> None:
        """SIGTERM: it ends within its grace, with a status that fits."""
        container = self.running[part.plan.name]
        container.terminate()
        try:
            status = container.wait(part.plan.grace_s)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{part.plan.name} still ran {part.plan.grace_s:.0f} s after SIGTERM") from None
        if status not in part.ends:
            raise Wrong(f"{part.plan.name} ended with status {status} after SIGTERM, not {part.ends}")
        tell(f"{part.plan.name}: ended by SIGTERM with status {status}")


def logs(running: dict[str, Container]) -> Iterator[str]:
    """The ends of what each has printed."""
    for name, container in running.items():
        yield f"--- {name}"
        yield "\n".join(container.log.read_text(errors="replace").splitlines()[-30:])


def rehearse(one: Rehearsal) -> None:
    """Everything, in order. Raises `Wrong`."""
    if wrong := [text for image in one.images.values() for text in contents(image)]:
        raise Wrong("; ".join(wrong))
    said("ip", "link", "set", "lo", "up")
    one.redis()
    for part in one.parts:
        one.start(part)
    one.once(applying(one.volumes))
    for part in one.parts:
        one.ready(part)
    one.ask()
    one.upgrade()
    one.ask()
    one.metrics()
    for part in reversed(one.parts):
        one.stop(part)
    one.start(both := embedded(one.volumes))
    one.says(both, "scurry job is running")
    one.stop(both)
    if ALL not in one.images:
        tell(f"{ALL}: left out: it was not built")
        return
    one.start(whole := all_in_one(one.volumes, one.images[ALL].config["Cmd"]))
    one.ready(whole)
    one.stop(whole)


def main() -> int:
    """The exit status: 0 when all was as it should be, 1 when not, 77 when it cannot be tried here."""
    if missing := lacks():
        tell(f"smoke: left out: {missing}")
        return 77
    with tempfile.TemporaryDirectory(prefix="scurry-smoke-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        running: dict[str, Container] = {}
        try:
            rehearse(Rehearsal(folder, os.environ.get("TAG", "0.1.0"), stack, running))
        except (Wrong, redis_server.MissingRedis, OSError) as wrong:
            tell("\n".join([*logs(running), f"smoke: {wrong}"]))
            return 1
    tell("smoke: every process ran in its image")
    return 0


if __name__ == "__main__":
    sys.exit(main())
