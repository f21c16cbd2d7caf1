"""A user's own model, served in this process, to test it with.

    with serve(Scale, config={"max_batch_size": 8}) as model:
        assert model.predict({"x": array}, scale=2)["y"].tolist() == [[2, 4]]

Inputs are checked, requests stacked, outputs checked and split by the code that does so in a worker; no job is needed,
and a debugger stops where it should. What is different: there is no process of the model's own, so that a crash or a
hang is the test's.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scurry.inference.batch import batches, run, same_rows
from scurry.inference.items import claim
from scurry.inference.loaded_model import LoadedModel
from scurry.inference.opening import PipelineOpener
from scurry.protocols.oip_json import set_parameter
from scurry.runtimes.catalog import Opener
from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import parse_options
from scurry.runtimes.python import PythonRuntime
from scurry.runtimes.user_model import Model
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ModelSpec, Request
from scurry.wire.tensors import Array, from_bytes, to_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from scurry.runtimes.runtime import Runtime
    from scurry.wire.errors import ScurryError

    Asked = Mapping[str, Array] | tuple[Mapping[str, Array], Mapping[str, Any]]


class Served:
    """An open model that answers as it would in a worker."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._loaded = LoadedModel((runtime.file.path.parent.name, "test"), runtime)

    def predict(self, inputs: Mapping[str, Array], **parameters: bool | float | str) -> dict[str, Array]:
        """What a request with these inputs and parameters gets. Raises `ScurryError`."""
        (found,) = self.predict_together((inputs, parameters))
        if isinstance(found, Exception):
            raise found
        return found

    def predict_together(self, *asked: Asked) -> list[dict[str, Array] | ScurryError]:
        """What requests get that arrive together, each with its answer or its failure; a tuple brings parameters."""
        requests = [_request(at, *(each if isinstance(each, tuple) else (each, {}))) for at, each in enumerate(asked)]
        layouts, model = self._loaded.layouts, self._loaded.model
        items = claim(requests, layouts)
        for batch in batches(items, layouts.sizes, batched=model.batched, alike=same_rows(items)):
            run(self._loaded, layouts, batch)
        return [
            {
                port.name: from_bytes(port.name, port.datatype, shape, data)
                for port, (shape, data) in zip(layouts.outputs, item.outputs, strict=True)
            }
            if item.failure is None
            else item.failure
            for item in items
        ]

    def close(self) -> None:
        """Unload the model."""
        self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Served {self.runtime!r}>"


def serve(model: type[Model] | Path | str, config: Mapping[str, Any] | None = None) -> Served:
    """Open a class derived from `scurry.Model`, or the model behind a path. Raises `load_failed`."""
    text = json.dumps(dict(config or {}))
    runtime: Runtime
    if isinstance(model, type):
        file = ModelFile(Path(inspect.getfile(model)))
        runtime = PythonRuntime(file, parse_options(text, {}, PythonRuntime.known, PythonRuntime.name), 1)
        runtime.model_class = model
        runtime.open()
    else:
        opener = PipelineOpener(Opener())
        runtime = opener.open(opener.find("", "", ModelSpec(uri=str(model), config=text)), text)
    return Served(runtime)


def _request(at: int, inputs: Mapping[str, Array], parameters: Mapping[str, Any]) -> Request:
    body = InferRequest(inputs=[to_tensor(name, array) for name, array in inputs.items()])
    for name, value in parameters.items():
        set_parameter(body.parameters[name], name, value)
    return Request(id=f"test-{at}", body=body.SerializeToString())
