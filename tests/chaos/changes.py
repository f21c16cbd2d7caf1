"""One model whose versions, routes and aliases change all the time, and what its record must be."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.checker import Checker
from tests.chaos.claims import Content
from tests.chaos.door import Door
from tests.chaos.models import save
from tests.chaos.replies import Fields
from tests.chaos.timeline import Change

MODEL = "churn"
ALIAS = "live"
ANSWER_S = 300.0
MOST_VERSIONS = 4
MOST_FORMER = 50
TRY_AGAIN = frozenset({"model_not_ready", "unavailable", "overloaded", "worker_lost"})
"""A change may be refused so while workers die; nothing was changed then."""


@dataclass(slots=True)
class Mirror:
    """What the registry must hold about the model."""

    contents: dict[str, Content] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)
    former: list[tuple[dict[str, int], str]] = field(default_factory=list)  # shares and alias, the newest last
    alias: str = ""
    next_version: int = 1

    def route(self, routes: dict[str, int]) -> None:
        """Requests without a version go to these."""
        if routes != self.routes:
            self._keep()
            self.routes = routes

    def point(self, version: str) -> None:
        """The alias stands for this one."""
        if version != self.alias:
            self._keep()
            self.alias = version

    def _keep(self) -> None:
        if self.routes:
            self.former = [*self.former, (self.routes, self.alias)][-MOST_FORMER:]

    def forget(self, version: str) -> None:
        """A version is gone: it is not gone back to."""
        del self.contents[version]
        left: list[tuple[dict[str, int], str]] = []
        for routes, alias in self.former:
            rest = {name: weight for name, weight in routes.items() if name != version}
            one = (rest, alias if alias != version else "")
            if rest and (not left or left[-1] != one):
                left.append(one)
        self.former = left

    def former_routes(self) -> tuple[dict[str, int], str] | None:
        """What a rollback leads to; None when there is nothing."""
        return next((one for one in reversed(self.former) if one != (self.routes, self.alias)), None)

    def roll_back(self) -> None:
        """It was gone back to: it and what lay on it are no longer former."""
        while self.former:
            one = self.former.pop()
            if one != (self.routes, self.alias):
                self.routes, self.alias = one
                return

    @property
    def spare(self) -> list[str]:
        """Versions that may be unregistered without anybody noticing."""
        used = {*self.routes, self.alias}
        return [version for version in self.contents if version not in used]

    def differs(self, record: dict) -> str:
        """How a record differs from what was done; empty when it does not."""
        versions = {entry["version"]: entry["state"] for entry in record.get("versions", ())}
        wanted = dict.fromkeys(self.contents, "ready")
        shown = {version: state for version, state in versions.items() if state != "failed"}
        pairs = [("versions", shown, wanted), ("routes", record.get("routes"), self.routes)]
        pairs.append(("aliases", record.get("aliases"), {ALIAS: self.alias} if self.alias else {}))
        return "; ".join(f"{name} are {got}, not {due}" for name, got, due in pairs if got != due)


class Changes(threading.Thread):
    """Sends one registry message after the other and holds the timeline to what each may have done."""

    def __init__(self, door: Door, checker: Checker, folder: Path, seed: int, reply: str) -> None:
        super().__init__(daemon=True, name="changes")
        self.mirror = Mirror()
        self.done = 0
        self.refused = 0
        self.broken = 0
        self._door, self._checker, self._folder, self._reply = door, checker, folder, reply
        self._random = random.Random(seed)
        self._answers: queue.Queue[Fields] = queue.Queue()
        self._stopping = threading.Event()
        self._number = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Change until told to stop."""
        try:
            while not self._stopping.wait(self._random.uniform(0.5, 2.0)):
                self.change()
        except Exception as failure:
            self.failure = failure

    def stop(self) -> None:
        """Finish what is under way and change no more."""
        self._stopping.set()
        self.join()

    def heard(self, fields: Fields, _: float) -> None:
        """A reply to a registry message arrived."""
        self._answers.put(fields)

    def change(self) -> None:
        """One change that the mirror allows."""
        acts = [self.register, self.replace, self.promote, self.split, self.point, self.break_version]
        if self.mirror.former_routes():
            acts.append(self.roll_back)
        if self.mirror.spare:
            acts += [self.unregister] * 2
        self._random.choice(acts)()

    def register(self) -> None:
        """A further version."""
        if len(self.mirror.contents) < MOST_VERSIONS:
            version = str(self.mirror.next_version)
            self.mirror.next_version += 1
            self._load(version)

    def replace(self) -> None:
        """Other files under a version that there is."""
        self._load(self._any())

    def _load(self, version: str) -> None:
        content = Content("line", self._random.randrange(40, 60), self._random.randrange(1000, 100_000))
        self._number += 1
        path = save(self._folder / f"churn-{self._number}.onnx", content)
        changes = [self._begin((MODEL, "=", version), {content}), self._begin((MODEL, version), {version})]
        if self._ask({"register": {"version": version, "uri": str(path), "runtime": "onnx"}}, changes):
            self.mirror.contents[version] = content
            if not self.mirror.routes:
                self.promote()

    def break_version(self) -> None:
        """Files that are no model, under a version that there is: it must be refused and the old one go on."""
        self._number += 1
        path = self._folder / f"broken-{self._number}.onnx"
        path.write_bytes(self._random.randbytes(200))
        told = self._send({"register": {"version": self._any(), "uri": str(path), "runtime": "onnx"}})
        self.broken += told.get(b"error") == b"load_failed"
        self.refused += told.get(b"error", b"").decode() in TRY_AGAIN
        if told.get(b"error", b"").decode() not in TRY_AGAIN | {"load_failed"}:
            self._checker.ledger.wrong("records_off", f"a file of noise was answered {told}")

    def unregister(self) -> None:
        """A version that nothing points at."""
        version = self._random.choice(self.mirror.spare)
        changes = [self._begin((MODEL, version), set()), self._begin((MODEL, "=", version), set())]
        if self._ask({"unregister": {"version": version}}, changes):
            self.mirror.forget(version)

    def promote(self) -> None:
        """Everything to one version."""
        version = self._any()
        self._route({version: 1}, {"promote": {"version": version}})

    def split(self) -> None:
        """Shares for two versions."""
        if len(self.mirror.contents) > 1:
            two = self._random.sample(sorted(self.mirror.contents), 2)
            weights = {version: self._random.randrange(1, 100) for version in two}
            self._route(weights, {"split": {"weights": weights}})

    def roll_back(self) -> None:
        """Back to the former shares and alias."""
        routes, alias = self.mirror.former_routes() or ({}, "")
        changes = [self._begin((MODEL, ""), set(routes)), self._begin((MODEL, ALIAS), {alias} if alias else set())]
        if self._ask({"rollback": {}}, changes):
            self.mirror.roll_back()

    def point(self) -> None:
        """The alias to some version."""
        version = self._any()
        update = {"alias": {"alias": ALIAS, "version": version}}
        if self._ask(update, [self._begin((MODEL, ALIAS), {version})]):
            self.mirror.point(version)

    def _route(self, weights: dict[str, int], update: dict) -> None:
        if self._ask(update, [self._begin((MODEL, ""), set(weights))]):
            self.mirror.route(weights)

    def _any(self) -> str:
        return self._random.choice(sorted(self.mirror.contents)) if self.mirror.contents else "1"

    def _begin(self, name: tuple[str, ...], meaning: set) -> Change:
        return self._checker.timeline.begin(name, frozenset(meaning), time.monotonic())

    def _ask(self, update: dict, changes: list[Change]) -> bool:
        """Whether it was applied. What was refused for good is a fault: every change asked for here is sound."""
        told = self._send(update)
        if not told:
            return False  # lost: both meanings stay possible
        applied, code = told[b"status"] == b"ok", told.get(b"error", b"").decode()
        for change in changes:
            change.settle(time.monotonic(), applied=applied)
        self.done += applied
        self.refused += code in TRY_AGAIN
        if code and code not in TRY_AGAIN:
            self._checker.ledger.wrong("records_off", f"{json.dumps(update)} was refused: {told[b'message'].decode()}")
        return applied

    def _send(self, update: dict) -> Fields:
        """The one reply to a registry message; empty when it never came."""
        self._number += 1
        request_id = f"{self._reply}-{self._number}"
        fields = {"kind": "registry", "model": MODEL, "id": request_id, "reply": self._reply, "keep": "0"}
        end = time.monotonic() + ANSWER_S
        while not self._door.write([("scurry:requests", fields | {"update": json.dumps(update)})])[0].entry:
            if time.monotonic() > end:
                break
            time.sleep(0.5)
        try:
            while True:
                told = self._answers.get(timeout=max(0.1, end - time.monotonic()))
                if told[b"id"].decode() == request_id:
                    return told
        except queue.Empty:
            self._checker.ledger.wrong("lost", f"registry message {request_id} {json.dumps(update)}")
            return {}
