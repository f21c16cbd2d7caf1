"""The process of one model: opens it, runs it, one request at a time.

    python -m scurry.inference.isolated.host FD WORKER

FD is an end of a `Channel`, WORKER the pid of the worker. What is asked, `op`, is `open`, `run` or `close`; what comes
back is an answer or `code` and `message`. What a model prints goes where the worker's log goes.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from scurry.inference.isolated.channel import Channel
from scurry.inference.isolated.confine import OUT_OF_MEMORY, limit_memory, own_bytes, yield_to_the_worker
from scurry.runtimes.catalog import Opener
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.tensors import Array


class Host:
    """The model that is open here."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._model: Runtime | None = None

    def serve(self) -> None:
        """Answer until the worker says so or is gone."""
        while True:
            try:
                header, arrays = self._channel.receive()
            except EOFError:
                break
            if header["op"] == "close":
                break
            try:
                answer, outputs = self._answer(header, arrays)
            except Exception as cause:
                if _is_memory(cause) and self._model is not None:
                    os._exit(OUT_OF_MEMORY)
                answer, outputs = _failure(cause), []
            del arrays  # the memory that they lie in is written to again
            self._channel.send(answer, outputs)
        if self._model is not None:
            self._model.close()

    def _answer(self, header: Mapping[str, Any], arrays: Sequence[Array]) -> tuple[dict[str, Any], Sequence[Array]]:
        if self._model is None:
            self._model = opened(header)
            return described(self._model), samples(self._model)
        outputs = self._model.run(arrays, header["parameters"])
        # An input that is given back would keep the memory that the next request comes in.
        return {}, [each.copy() if any(np.may_share_memory(each, one) for one in arrays) else each for each in outputs]

    def __repr__(self) -> str:
        return f"<Host of {self._model!r}>"


def opened(header: Mapping[str, Any]) -> Runtime:
    """The model that the worker found, opened here. Raises `load_failed`."""
    spec = ModelSpec(uri=header["uri"], runtime=header["runtime"])
    opener = Opener(header["threads"])
    limit_memory(header["memory"])
    subject = opener.find("", "", spec)
    if subject.fingerprint != header["fingerprint"]:
        raise Failed("load_failed", f"{subject.file.path} was changed while it was opened.")
    return opener.open(subject, header["config"])


def described(model: Runtime) -> dict[str, Any]:
    """What the worker has to know of an open model."""
    return {
        "inputs": [_port(port) for port in model.inputs],
        "outputs": [_port(port) for port in model.outputs],
        "batched": model.batched,
        "max_batch_size": model.max_batch_size,
        "device": model.device,
        "threads": model.threads,
        "seconds": model.seconds,
        "warnings": model.warnings,
        "bytes": max(own_bytes(), model.bytes),
        "baseline": None if model.baseline is None else model.baseline.steady,
    }


def samples(model: Runtime) -> Sequence[Array]:
    """The inputs and outputs of its baseline."""
    return [] if model.baseline is None else [*model.baseline.inputs, *model.baseline.outputs]


def _port(port: Port) -> tuple[str, str, tuple[int, ...]]:
    return port.name, port.datatype, port.shape


def _failure(cause: Exception) -> dict[str, Any]:
    if not isinstance(cause, ScurryError):
        cause = Failed("model_failed", f"The model failed: {cause!r}")
    code = cause.code
    if isinstance(cause, InvalidRequest) and code not in InvalidRequest.codes:
        code = "bad_request"
    return {"code": code, "message": cause.message}


def _is_memory(cause: BaseException | None) -> bool:
    """Whether memory ran out, somewhere at the bottom of it."""
    return cause is not None and (isinstance(cause, MemoryError) or _is_memory(cause.__cause__))


def main(argv: Sequence[str]) -> None:
    """Serve until the worker is gone."""
    yield_to_the_worker(int(argv[1]))
    end = socket.socket(fileno=int(argv[0]))
    end.set_inheritable(False)
    os.dup2(2, 1)  # what a model prints is nobody's answer
    sys.dont_write_bytecode = True  # a model's directory stays as it was
    Host(Channel(end)).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
