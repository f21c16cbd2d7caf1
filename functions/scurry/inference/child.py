"""The child process of a worker: one model, one request at a time.

    python -m scurry.inference.child THREADS MEMORY_BYTES [MODELS_ROOT SOURCES CACHE CACHE_BYTES]

It takes pairs of frames on stdin (u32 length, then a `Load` and an `InferRequest`) and answers each on stdout with
`OPENED` once the model is there and then, unless only that was asked (`Load.apart`), with `ANSWER` (an `InferReply`) or
`FAILED` (code and sentence). It ends with its worker, is the first that a system short of memory ends, and may take no
more memory than the worker's models may.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import IO, TYPE_CHECKING, Final

from scurry.inference.fetched import Places
from scurry.inference.isolated.confine import limit_memory, yield_to_the_worker
from scurry.inference.opening import PipelineOpener
from scurry.inference.shelf import identity_of
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Load
from scurry.wire.tensors import to_array, to_tensor

if TYPE_CHECKING:
    from scurry.inference.shelf import Models
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

OPENED: Final = 0
ANSWER: Final = 1
FAILED: Final = 2
HEAD: Final = struct.Struct(">IB")
LENGTH: Final = struct.Struct(">I")


class Child:
    """The model that is open here, and how to answer with it."""

    def __init__(self, opener: Models, memory: int, answer: IO[bytes]) -> None:
        self._opener, self._memory, self._out = opener, memory, answer
        self._name: tuple[str, str, str] | None = None
        self._model: Runtime | None = None

    def serve(self, load: Load, request: InferRequest) -> None:
        """Answer one request. A model that failed is opened anew for the next."""
        try:
            model = self._open(load)
            self._send(OPENED, b"")
            if load.apart:
                return
            outputs = model.run([to_array(tensor) for tensor in request.inputs])
            named = zip(model.outputs, outputs, strict=True)
            reply = InferReply(outputs=[to_tensor(port.name, array) for port, array in named])
            self._send(ANSWER, reply.SerializeToString())
        except Exception as cause:
            self._name = None
            failure = (
                cause if isinstance(cause, ScurryError) else Failed("model_failed", f"The model failed: {cause!r}")
            )
            self._send(FAILED, f"{failure.code}\n{failure.message}".encode(errors="replace"))

    def _open(self, load: Load) -> Runtime:
        name = (load.model, load.version, identity_of(load.spec))
        if self._model is None or self._name != name:
            self._name = self._model = None
            subject = self._opener.find(load.model, load.version, load.spec)
            if load.spec.fingerprint not in {"", subject.fingerprint}:
                raise Failed("load_failed", f"{subject.file.path} was changed since it was registered.")
            limit_memory(self._memory)
            config = load.spec.config if load.apart else unstacked(load.spec)
            self._model, self._name = self._opener.open(subject, config), name
        return self._model

    def _send(self, kind: int, payload: bytes) -> None:
        self._out.write(HEAD.pack(len(payload), kind) + payload)
        self._out.flush()


def unstacked(spec: ModelSpec) -> str:
    """The spec's options without stacking, which would have to be proven here for nothing."""
    return json.dumps((json.loads(spec.config) if spec.config.strip() else {}) | {"max_batch_size": 0})


def main(argv: list[str]) -> None:
    """Serve until stdin ends."""
    yield_to_the_worker()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a model prints is no answer
    places = Places(argv[2], argv[3], argv[4], int(argv[5])) if len(argv) > 2 else Places()
    child = Child(PipelineOpener(places.opener(int(argv[0])), places.root), int(argv[1]), answers)
    while (load := read(sys.stdin.buffer)) is not None and (request := read(sys.stdin.buffer)) is not None:
        child.serve(Load.FromString(load), InferRequest.FromString(request))


def read(stream: IO[bytes]) -> bytes | None:
    """The next frame, or None when the worker has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


if __name__ == "__main__":
    main(sys.argv[1:])
