"""A runtime of numpy, payloads in a dict, and calls made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scurry.endpoint.call import Call, Message
from scurry.inference.answers import send_replies
from scurry.inference.children import Died
from scurry.inference.items import BatchItem
from scurry.runtimes.baseline import Baseline
from scurry.runtimes.catalog import Subject
from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import Options
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import DeadLetter, ModelSpec, Replies, Request, Requests
from scurry.wire.names import EGRESS
from scurry.wire.tensors import from_bytes, to_tensor

X = (Port("x", "FP32", (-1, 2)),)
Y = (Port("y", "FP32", (-1, 2)),)


class Toy(Runtime):
    """Runs a function of numpy arrays; `seen` are the shapes it was given."""

    name, framework, module, suffixes = "toy", "numpy", "numpy", ()

    def __init__(self, function=lambda x: [x + 1], inputs=X, outputs=Y, limit: int = 4, size: int = 100) -> None:
        super().__init__(ModelFile(Path("toy")), Options(), 1)
        self.function, self.inputs, self.outputs = function, inputs, outputs
        self.batched, self.max_batch_size, self.bytes = limit > 0, max(1, limit), size
        self.seconds = 0.0
        self._texts = any(port.datatype == "BYTES" for port in inputs)
        if inputs is X:
            self.baseline = Baseline([np.zeros((1, 2), np.float32)], [np.zeros((1, 2), np.float32)] * len(outputs))
        self.seen: list[tuple[int, ...]] = []

    def _load(self) -> None:
        """Nothing to open."""

    def _run(self, arrays):
        self.seen.append(arrays[0].shape)
        return self.function(*arrays)


class Shop:
    """Opens toys by model name and counts how often; `content` is what a model's files hold."""

    def __init__(self) -> None:
        self.toys: dict[str, Callable[[], Runtime]] = {}
        self.content: dict[str, str] = {}
        self.opened: list[str] = []
        self.size = 0

    def find(self, model: str, version: str, spec: ModelSpec) -> Subject:
        content = self.content.get(spec.uri, f"files of {spec.uri}")
        return Subject(Toy, ModelFile(Path(f"/{model}/{version}")), content, self.size)

    def open(self, subject: Subject, config: str) -> Runtime:
        model = subject.file.path.parent.name
        self.opened.append(f"{model}@{subject.file.path.name}")
        return self.toys.get(model, Toy)()


class DictPayloads:
    """Payloads in a dict; `away` makes every access fail."""

    def __init__(self) -> None:
        self.parked: dict[str, bytes] = {}
        self.fetches: list[list[str]] = []
        self.away = False

    async def fetch(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        self._present()
        self.fetches.append(list(keys))
        return {key: self.parked.get(key) for key in keys}

    async def park(self, parked: Sequence[tuple[str, Any]]) -> None:
        self._present()
        self.parked.update((key, bytes(data)) for key, data in parked)

    def _present(self) -> None:
        if self.away:
            raise Unavailable("unavailable", "The payload store cannot be reached.")


def body(**arrays: Any) -> bytes:
    """A serialised InferRequest."""
    return InferRequest(
        inputs=[to_tensor(name, np.asarray(array)) for name, array in arrays.items()]
    ).SerializeToString()


def row(*values: float) -> np.ndarray:
    """One row of FP32."""
    return np.array([values], np.float32)


def request(at: int, content: bytes, **fields: Any) -> Request:
    """Request number `at` for model m."""
    return Request(id=f"r{at}", entry=f"s/{at}", model="m", reply="back", body=content, **fields)


def call(*messages: Any, key: str = "m@1/0") -> Call:
    """A call as the endpoint hands it over."""
    named = [
        Message(f"scurry.v1/{type(each).__name__}", each.SerializeToString(), ("scurry/router", "m"))
        for each in messages
    ]
    return Call("scurry/inference", key, named)


def sent(*requests: Request, **fields: Any) -> Requests:
    """Requests as the router sends them."""
    fields.setdefault("spec", ModelSpec(uri="toy", generation=1))
    return Requests(requests=requests, sequence=len(requests), **fields)


def replies(answered: Call) -> list[Any]:
    """The replies that a call sent to the egress."""
    out = answered.response.invocation_result.outgoing_egresses
    assert all(f"{each.egress_namespace}/{each.egress_type}" == EGRESS for each in out)
    return [reply for each in out for reply in Replies.FromString(each.argument.value).replies]


def sent_for(items: Sequence[BatchItem], version: str) -> list[Any]:
    """The replies that go to the egress for items of model m."""
    made = Call("scurry/inference", f"m@{version}/0", [])
    send_replies(made, items, "m", version)
    return replies(made)


def mail(answered: Call, message: Any) -> list[Any]:
    """The messages of one type that a call sent to functions, with the address."""
    return [
        (f"{each.target.namespace}/{each.target.type}", each.target.id, message.FromString(each.argument.value))
        for each in answered.response.invocation_result.outgoing_messages
        if each.argument.typename == f"scurry.v1/{message.__name__}"
    ]


class ToyChildren:
    """Computes as a child process would: 13 ends it, 14 hangs, 15 fails."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    async def run(self, key, spec, arrays, limit, *, quick=False):
        self.asked.append((key, spec.identity, arrays[0].tolist(), limit))
        match arrays[0][0, 0]:
            case 13:
                raise Died("it ended with status -9")
            case 14:
                raise TimeoutError
            case 15:
                raise Failed("model_failed", "no fifteen")
        return [arrays[0] + 1]

    async def close(self) -> None:
        """Nothing to end."""


def kept(answered: Call) -> bytes | None:
    """What its lane keeps after a call."""
    state = answered.state
    for mutation in answered.response.invocation_result.state_mutations:
        state = mutation.state_value.value if mutation.state_value.has_value else None
    return state


def left(answered: Call) -> tuple[dict, list[DeadLetter]]:
    """Replies by id, as values or code, and dead letters."""
    found, dead = {}, []
    for each in answered.response.invocation_result.outgoing_egresses:
        if each.argument.typename.endswith("DeadLetter"):
            dead.append(DeadLetter.FromString(each.argument.value))
            continue
        for reply in Replies.FromString(each.argument.value).replies:
            data = reply.body[-8:]
            found[reply.id] = reply.error or from_bytes("y", "FP32", (1, 2), data).tolist()
    return found, dead
