"""REST and gRPC answer the same: one table of cases, golden answers from onnxruntime in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import tritonclient.grpc
import tritonclient.http
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException

if TYPE_CHECKING:
    from tests.conftest import Stack

MODEL = "both-doors"
KINDS = {
    "BOOL": (TensorProto.BOOL, np.bool_), "UINT8": (TensorProto.UINT8, np.uint8), "INT8": (TensorProto.INT8, np.int8),
    "UINT16": (TensorProto.UINT16, np.uint16), "INT16": (TensorProto.INT16, np.int16),
    "UINT32": (TensorProto.UINT32, np.uint32), "INT32": (TensorProto.INT32, np.int32),
    "UINT64": (TensorProto.UINT64, np.uint64), "INT64": (TensorProto.INT64, np.int64),
    "FP16": (TensorProto.FLOAT16, np.float16), "FP32": (TensorProto.FLOAT, np.float32),
    "FP64": (TensorProto.DOUBLE, np.float64), "BYTES": (TensorProto.STRING, np.object_),
}  # fmt: skip
"""Each data type: an input of its name, and the reverse of its columns as output `out-NAME`."""

Array = npt.NDArray[Any]


def save_model(path: Path) -> Path:
    """A matrix product beside all data types, whose columns come out in reverse."""
    nodes = [helper.make_node("MatMul", ["FP32", "weights"], ["product"])]
    nodes += [helper.make_node("Gather", [name, "order"], [f"out-{name}"], axis=1) for name in KINDS]
    weights = np.random.default_rng(5).random((3, 4), dtype=np.float32)
    constants = [onnx.numpy_helper.from_array(weights, "weights"),
                 onnx.numpy_helper.from_array(np.array([2, 1, 0], np.int64), "order")]  # fmt: skip
    inputs = [helper.make_tensor_value_info(name, kind, ["n", 3]) for name, (kind, _) in KINDS.items()]
    outputs = [helper.make_tensor_value_info(f"out-{name}", kind, ["n", 3]) for name, (kind, _) in KINDS.items()]
    outputs.append(helper.make_tensor_value_info("product", TensorProto.FLOAT, ["n", 4]))
    graph = helper.make_graph(nodes, "all", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def values(rows: int) -> dict[str, Array]:
    """An array of each type."""
    numbers = np.random.default_rng(rows).integers(0, 100, (rows, 3))
    made = {name: numbers.astype(kind) for name, (_, kind) in KINDS.items() if name != "BYTES"}
    made["BOOL"] = (numbers % 2).astype(bool)
    made["INT64"] = numbers - 2**62
    made["UINT64"] = numbers.astype(np.uint64) + np.uint64(2**63)
    return made | {"BYTES": np.array([f"é{n}" * (n % 5) for n in numbers.flat], object).reshape(rows, 3)}


class Door:
    """One of Triton's clients and its words."""

    def __init__(self, module: Any, address: str) -> None:
        self._module = module
        self.client = module.InferenceServerClient(address)

    def ask(self, given: dict[str, Array], outputs: list[str] | None = None, model: str = MODEL, **options: Any) -> Any:
        """The result of a request with these arrays."""
        tensors = []
        for name, array in given.items():
            datatype = next((kind for kind in KINDS if kind == name), "FP32")
            tensor = self._module.InferInput(name, array.shape, datatype)
            if datatype == "BYTES":
                array = np.char.encode(array.astype(str)).astype(object)  # noqa: PLW2901
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        wanted = None if outputs is None else [self._module.InferRequestedOutput(name) for name in outputs]
        return self.client.infer(model, tensors, outputs=wanted, **options)


@pytest.fixture(scope="module")
def model(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> onnxruntime.InferenceSession:
    """The model, registered, and in this process."""
    path = save_model(tmp_path_factory.mktemp("both") / "model.onnx")
    stack.register(MODEL, path, "1")
    stack.run("models", "alias", MODEL, "stable", "1")
    return onnxruntime.InferenceSession(path)


@pytest.fixture(params=["rest", "grpc"])
def door(request: pytest.FixtureRequest, stack: Stack, model: Any) -> Iterator[Door]:
    """Each of them."""
    if request.param == "rest":
        made = Door(tritonclient.http, stack.http_url.removeprefix("http://"))
    else:
        made = Door(tritonclient.grpc, stack.info["grpc_url"].removeprefix("grpc://"))
    yield made
    made.client.close()


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 3000])
def test_every_type_is_answered_as_onnxruntime_does(door: Door, model: Any, rows: int) -> None:
    """No row, one, many; large enough to be parked."""
    given = values(rows)
    golden = dict(zip([one.name for one in model.get_outputs()], model.run(None, given), strict=True))
    result = door.ask(given)
    for name, expected in golden.items():
        got = result.as_numpy(name)
        if name == "out-BYTES":
            got = np.array([text.decode() for text in got.flat], object).reshape(got.shape)
        assert got.shape == expected.shape, name
        assert got.dtype == expected.dtype, name
        if name == "product":
            np.testing.assert_allclose(got, expected, rtol=1e-5)
        else:
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("outputs", [["product"], ["out-INT64", "product"], ["product", "out-BYTES", "out-BOOL"]])
def test_the_outputs_that_were_asked_for_come_in_their_order(door: Door, model: Any, outputs: list[str]) -> None:
    """And no other."""
    given = values(2)
    golden = model.run(outputs, given)
    result = door.ask(given, outputs)
    response = result.get_response()
    listed = response["outputs"] if isinstance(response, dict) else response.outputs
    assert [one["name"] if isinstance(one, dict) else one.name for one in listed] == outputs
    np.testing.assert_allclose(result.as_numpy("product"), golden[outputs.index("product")], rtol=1e-5)


@pytest.mark.parametrize("version", ["", "1", "stable"])
def test_ids_and_versions_are_echoed(door: Door, version: str) -> None:
    """Under an alias the version that it stands for."""
    response = door.ask(values(1), model_version=version, request_id="mine").get_response()
    told = response if isinstance(response, dict) else {
        "id": response.id, "model_name": response.model_name, "model_version": response.model_version,
    }  # fmt: skip
    assert (told["id"], told["model_name"], told["model_version"]) == ("mine", MODEL, "1")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "model": ({"model": "nobody"}, "404", "StatusCode.NOT_FOUND"),
    "version": ({"model_version": "9"}, "404", "StatusCode.NOT_FOUND"),
    "output": ({"outputs": ["nothing"]}, "400", "StatusCode.INVALID_ARGUMENT"),
    "missing": ({"given": {"FP32": np.zeros((1, 3), np.float32)}}, "400", "StatusCode.INVALID_ARGUMENT"),
    "shape": ({"given": values(1) | {"FP32": np.zeros((1, 4), np.float32)}}, "400", "StatusCode.INVALID_ARGUMENT"),
    "rank": ({"given": values(1) | {"FP32": np.zeros(3, np.float32)}}, "400", "StatusCode.INVALID_ARGUMENT"),
    "stranger": ({"given": values(1) | {"extra": np.zeros(3, np.float32)}}, "400", "StatusCode.INVALID_ARGUMENT"),
    "late": ({"timeout": 1}, "504", "StatusCode.DEADLINE_EXCEEDED"),
}
"""What is wrong, and the status of each door."""


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_has_its_status_and_a_sentence(door: Door, wrong: str) -> None:
    """Of the one table; the next request is answered."""
    options, rest, grpc = WRONG[wrong]
    with pytest.raises(InferenceServerException) as refused:
        door.ask(**{"given": values(1)} | options)
    assert refused.value.status() in (rest, grpc)
    assert refused.value.message().endswith(".")
    assert door.ask(values(1)).as_numpy("product").shape == (1, 4)


def test_both_doors_tell_the_same_sentence(stack: Stack, model: Any) -> None:
    """Whatever is wrong."""
    doors = [Door(tritonclient.http, stack.http_url.removeprefix("http://")),
             Door(tritonclient.grpc, stack.info["grpc_url"].removeprefix("grpc://"))]  # fmt: skip
    for wrong in ("model", "version", "output", "missing", "shape"):
        said = set()
        for one in doors:
            with pytest.raises(InferenceServerException) as refused:
                one.ask(**{"given": values(1)} | WRONG[wrong][0])
            said.add(refused.value.message())
        assert len(said) == 1, said
