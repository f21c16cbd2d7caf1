"""Models that are made of other models: what a config says of steps.

Triton's `ensemble_scheduling`: each step names a model, and maps its inputs and outputs to tensors of the graph, which
begin with the `input`s of the config and end with its `output`s. A worker only checks what a request brings;
`scurry/graph` asks the models. There is no file but the config.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from scurry.runtimes.declared import declared_inputs, declared_outputs
from scurry.runtimes.files import ModelFile, locate_config
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Graph, GraphStep
from scurry.wire.names import MODEL_NAME, NO_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.wire.tensors import Array

SCHEDULING: Final = "ensemble_scheduling"
TOGETHER: Final = 128
"""Requests that are checked in one go; the router measures its lanes by it."""
MOST_STEPS: Final = 64
STEP: Final = frozenset({"model_name", "model_version", "input_map", "output_map"})


class EnsembleRuntime(Runtime):
    """The signature and the steps of a graph; nothing runs here."""

    name: ClassVar[str] = "ensemble"
    framework: ClassVar[str] = "Scurry"
    module: ClassVar[str] = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".pbtxt")
    known: ClassVar[frozenset[str]] = Runtime.known | {SCHEDULING}

    @classmethod
    def locate(cls, uri: str, model: str, version: str, root: str, *, named: object = None) -> ModelFile:  # noqa: ARG003
        """Its config; one that was registered with all of it needs none."""
        if uri == NO_FILE:
            return ModelFile(Path(NO_FILE))
        found = locate_config(uri, model, version, root)
        if found is None:
            raise Failed("load_failed", f"{uri} holds no config.json or config.pbtxt of model {model!r}.")
        return found

    def _load(self) -> None:
        self.inputs, self.outputs = declared_inputs(self.options), declared_outputs(self.options)
        self.max_batch_size = TOGETHER
        self.graph = graph_of(self.options.own.get(SCHEDULING), self.inputs, self.outputs)

    def _warm_up(self) -> None:
        self.warnings = list(self.options.warnings)

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        raise Failed("internal", f"A graph is not run by a worker ({len(arrays)} inputs).")


def graph_of(scheduling: object, inputs: Sequence[Port], outputs: Sequence[Port]) -> Graph:
    """The steps, held together: each tensor comes from one place, and every one that is needed comes from somewhere.

    Raises `load_failed` that names the step.
    """
    steps = scheduling.get("step") if isinstance(scheduling, dict) else None
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise Failed("load_failed", f"{SCHEDULING}.step must be a list of 1 to {MOST_STEPS} steps.")
    if not inputs or not outputs:
        raise Failed("load_failed", "A graph states its `input` and its `output`, with name, data_type and dims.")
    graph = Graph(steps=[_step(number, each) for number, each in enumerate(steps)])
    graph.outputs.extend(port.name for port in outputs)
    known = {port.name for port in inputs}
    for number, step in enumerate(graph.steps):
        for target in step.outputs.values():
            if target in known:
                raise Failed("load_failed", f"{_named(number)} gives {target!r}, which comes from elsewhere too.")
            known.add(target)
    _check_order(graph, {port.name for port in inputs})
    missing = next((name for name in graph.outputs if name not in known), None)
    if missing is not None:
        raise Failed("load_failed", f"Nothing gives output {missing!r} of the config; there are {_listed(known)}.")
    return graph


def _check_order(graph: Graph, known: set[str]) -> None:
    """Every step can be asked at some time: what it takes is given, and not by itself."""
    waiting = dict(enumerate(graph.steps))
    while able := [number for number, step in waiting.items() if known.issuperset(step.inputs.values())]:
        for number in able:
            known.update(waiting.pop(number).outputs.values())
    for number, step in waiting.items():
        lacks = next(name for name in step.inputs.values() if name not in known)
        raise Failed("load_failed", f"{_named(number)} takes tensor {lacks!r}, which nothing gives before it.")


def _step(number: int, stated: object) -> GraphStep:
    if not isinstance(stated, dict) or set(stated) - STEP:
        raise Failed("load_failed", f"{_named(number)} must be an object with {_listed(set(STEP))}.")
    model, version = stated.get("model_name"), stated.get("model_version", -1)
    if not isinstance(model, str) or not MODEL_NAME.fullmatch(model):
        raise Failed("load_failed", f"{_named(number)}: model_name {model!r} is no name.")
    version = "" if version == -1 else str(version)
    if version and not MODEL_NAME.fullmatch(version):
        raise Failed("load_failed", f"{_named(number)}: model_version {version!r} is no version.")
    maps = [_map(number, name, stated.get(name)) for name in ("input_map", "output_map")]
    return GraphStep(model=model, version=version, inputs=maps[0], outputs=maps[1])


def _map(number: int, name: str, value: object) -> dict[str, str]:
    if isinstance(value, dict) and value and all(isinstance(each, str) and each for each in value.values()):
        return value
    raise Failed("load_failed", f"{_named(number)}: {name} must map names of the model to names of the graph.")


def _named(number: int) -> str:
    return f"{SCHEDULING}.step[{number}]"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
