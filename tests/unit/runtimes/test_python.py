"""Models of users' own, opened in this process."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.runtimes.python import PythonRuntime, answered
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec

HEAD = """
import asyncio
import numpy as np
import scurry
X = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
Y = {"name": "y", "datatype": "FP32", "shape": [-1, 2]}
"""
ONE = [np.float32([[1, 2]])]


@pytest.fixture
def make(tmp_path: Path):
    """Opens a model whose class has these lines, or a whole file."""

    def build(lines: str = "", config: str = "", whole: str = "", head: str = HEAD) -> PythonRuntime:
        body = textwrap.indent(textwrap.dedent(lines), "    ")
        source = whole or f"class M(scurry.Model):\n    inputs, outputs = [X], [Y]\n{body}\n"
        (tmp_path / "model.py").write_text(head + source)
        opened = open_model("m", "1", ModelSpec(uri=str(tmp_path), config=config))
        assert isinstance(opened, PythonRuntime)
        return opened

    return build


PREDICT = """
def predict(self, inputs, parameters):
    return {"y": inputs["x"] * parameters.get("scale", 2)}
"""


def test_arrays_go_in_and_come_out_by_name(make):
    """Rows stack where they were shown to be independent; parameters are the request's."""
    model = make(PREDICT)
    assert (model.name, model.max_batch_size, model.warnings) == ("python", 32, [])
    assert model.run(ONE)[0].tolist() == [[2, 4]]
    assert model.run(ONE, {"scale": 3})[0].tolist() == [[3, 6]]


def test_rows_that_depend_on_each_other_are_not_stacked(make):
    """Nor when it is asked for; with 0 nothing is tried."""
    lines = "def predict(self, inputs, parameters):\n    return {'y': inputs['x'] - inputs['x'].mean(axis=0)}"
    model = make(lines)
    assert (model.max_batch_size, "different values of output 'y'" in model.warnings[0]) == (1, True)
    with pytest.raises(Failed, match="max_batch_size 4 is asked for"):
        make(lines, '{"max_batch_size": 4}')
    assert make(lines, '{"max_batch_size": 0}').warnings == []


def test_predict_may_be_async(make):
    """Its loop goes on turning between requests; unloading ends it."""
    model = make(
        """
        async def predict(self, inputs, parameters):
            await asyncio.sleep(0)
            return {"y": inputs["x"] + 1}

        def unload(self):
            type(self).gone = True
        """
    )
    assert model.run(ONE)[0].tolist() == [[2, 3]]
    user = model._model
    model.close()
    assert user.gone
    model.close()


def test_an_async_predict_may_not_end_the_worker(make):
    """`sys.exit` there is a failure like any other, and the next request is answered."""
    model = make(
        """
        async def predict(self, inputs, parameters):
            if inputs["x"][0, 0] > 5:
                raise SystemExit("over")
            return {"y": inputs["x"] + 1}
        """,
    )
    with pytest.raises(Failed, match="SystemExit: over"):
        model.run([np.float32([[9, 9]])])
    assert model.run(ONE)[0].tolist() == [[2, 3]]
    model.close()


def test_the_config_is_the_models(make):
    """Its `parameters` go to `load`; inputs and outputs may stand there as well, and a class is named there."""
    whole = """
class A(scurry.Model):
    def load(self, files, config):
        self.files, self.plus = files, config["plus"]
    def predict(self, inputs, parameters):
        return {"b": inputs["a"] + self.plus}

class B(scurry.Model):
    pass
"""
    tensor = '{"name": "%s", "datatype": "INT64", "shape": [-1]}'
    ports = f'"inputs": [{tensor % "a"}], "outputs": [{tensor % "b"}]'
    model = make(whole=whole, config=f'{{"class": "A", {ports}, "parameters": {{"plus": 5}}}}')
    assert model.run([np.array([1, 2])])[0].tolist() == [6, 7]
    assert model._model.files == model.file.path.parent
    with pytest.raises(Failed, match=r"several \(A, B\): name one by `class`"):
        make(whole=whole)
    with pytest.raises(Failed, match=r"no class 'C' derived from scurry.Model; it has A, B"):
        make(whole=whole, config='{"class": "C"}')
    with pytest.raises(Failed, match="B says no `outputs`"):
        make(whole=whole, config='{"class": "B"}')


def test_it_imports_from_its_own_directory(make, tmp_path):
    """What lies beside it is part of it, and of its fingerprint; what Python keeps there is not."""
    (tmp_path / "beside_the_model.py").write_text("TWICE = 2")
    whole = """
import beside_the_model
class M(scurry.Model):
    inputs, outputs = [X], [Y]
    def predict(self, inputs, parameters):
        return {"y": inputs["x"] * beside_the_model.TWICE}
"""
    model = make(whole=whole)
    assert model.run(ONE)[0].tolist() == [[2, 4]]
    names = {path.name for path in model.file.all}
    assert names == {"model.py", "beside_the_model.py"}


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        ("ValueError('bad')", "model_failed", r"The model failed: ValueError: bad \(model.py, line \d+\)"),
        ("1 / 0", "model_failed", r"ZeroDivisionError: division by zero \(model.py, line 1\d\)"),
        ("scurry.InvalidRequest('input_shape', 'too wide')", "input_shape", "too wide"),
        ("scurry.InvalidRequest('teapot', 'no')", "bad_request", "no"),
        ("scurry.InvalidRequest('id_conflict', 'no')", "bad_request", "no"),
        ("SystemExit(1)", "model_failed", "SystemExit"),
    ],
)
def test_what_is_raised_says_where(make, raised, code, sentence):
    """A refusal is the caller's to mend; everything else the model's."""
    model = make(
        f"""
        def predict(self, inputs, parameters):
            if parameters.get("go"):
                raise {raised}
            return {{"y": inputs["x"]}}
        """
    )
    with pytest.raises((Failed, InvalidRequest), match=sentence) as caught:
        model.run(ONE, {"go": True})
    assert caught.value.code == code
    assert model.run(ONE)[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("None", "predict gave NoneType; it must give an array by name"),
        ("{'y': inputs['x'].astype('f8')}", r"output 'y' as FP64 \[1, 2\]; the model says FP32 \[-1, 2\]"),
        ("{'y': inputs['x'].astype('c8')}", r"output 'y' as complex64"),
        ("{'y': inputs['x'][0]}", r"as FP32 \[2\]"),
        ("{'y': inputs['x'][:, :1]}", r"as FP32 \[1, 1\]"),
        ("{'y': [['a', 'b']]}", "Output 'y' is no FP32: could not convert string to float"),
        ("{'y': 3}", r"as FP32 \[\]"),
    ],
)
def test_what_is_not_as_the_model_says_is_refused(make, given, sentence):
    """Names, types and shapes."""
    model = make(f"def predict(self, inputs, parameters):\n    return {given}")
    assert "cannot be run" in model.warnings[0]
    with pytest.raises(Failed, match=sentence) as caught:
        model.run(ONE)
    assert caught.value.code == "model_failed"


def test_lists_and_numbers_become_arrays_of_the_type_said():
    """So that nobody has to write np.asarray(…, np.float32)."""
    ports = (Port("y", "FP32", (-1, 2)), Port("n", "INT64", ()), Port("t", "BYTES", (-1,)))
    y, n, t = answered({"t": ["a", b"b"], "n": 3, "y": [[1, 2]]}, ports)
    assert (y.dtype, y.tolist(), n.shape, t.tolist()) == (np.float32, [[1, 2]], (), ["a", b"b"])


def test_bytes_are_bytes_and_inputs_may_be_written_to(make):
    """Images come as they were sent, text in any encoding; what a model does to its input is its own affair."""
    model = make(
        whole="""
class M(scurry.Model):
    inputs = [{"name": "t", "datatype": "BYTES", "shape": [-1]}, {"name": "v", "datatype": "FP32", "shape": [-1]}]
    outputs = [{"name": "t", "datatype": "BYTES", "shape": [-1]}]
    def predict(self, inputs, parameters):
        inputs["v"] += 1
        assert all(type(each) is bytes for each in inputs["t"])
        return {"t": [each[::-1] for each in inputs["t"]]}
"""
    )
    fixed = np.frombuffer(np.float32([1]).tobytes(), np.float32)
    (found,) = model.run([np.array([b"\xff\x00a"], object), fixed])
    assert (found.tolist(), fixed.tolist(), model.warnings) == ([b"a\x00\xff"], [1], [])


@pytest.mark.parametrize(
    ("whole", "sentence"),
    [
        ("def broken(:\n", r"cannot be imported: SyntaxError.* \(model.py, line 7\)"),
        ("import nothing_of_the_kind\n", r"cannot be imported: ModuleNotFoundError: .* \(model.py, line 7\)"),
        ("raise SystemExit(3)\n", r"cannot be imported: SystemExit: 3"),
        ("x = 1\n", "must define one class derived from scurry.Model; it has none"),
        ("class TritonPythonModel:\n    pass\n", r"written for Triton's Python backend. Write a class derived from"),
        ("import triton_python_backend_utils as pb_utils\n", r"written for Triton's Python backend. Write a class"),
        (
            "class M(scurry.Model):\n    outputs = [Y]\n    def __init__(self):\n        raise OSError('no')\n",
            r"cannot be loaded: OSError: no \(model.py, line 10\)",
        ),
        (
            "class M(scurry.Model):\n    outputs = [Y]\n    def load(self, files, config):\n        config['a']\n",
            r"cannot be loaded: KeyError: 'a' \(model.py, line 10\)",
        ),
    ],
)
def test_what_cannot_be_loaded_says_why(make, whole, sentence):
    """With the line where it stands."""
    with pytest.raises(Failed, match=sentence) as caught:
        make(whole=whole)
    assert caught.value.code == "load_failed"


def test_a_directory_of_many_files_is_no_models(make, tmp_path, monkeypatch):
    """A file in somebody's home is not taken for a model with all that lies there."""
    monkeypatch.setattr("scurry.runtimes.external.MOST_FILES", 3)
    for at in range(4):
        (tmp_path / f"{at}.txt").touch()
    with pytest.raises(Failed, match="more than 3 files: give the model a directory of its own"):
        make(PREDICT)


@pytest.mark.parametrize("names", [["z"], ["y", "z"]])
def test_outputs_of_other_names_are_refused_when_it_is_registered(make, names):
    """No request could ever be answered."""
    with pytest.raises(Failed, match=rf"gave outputs \[{str(names)[1:-1]}\]; the model says \['y'\]") as refused:
        make(f"def predict(self, inputs, parameters):\n    return dict.fromkeys({names}, inputs['x'])")
    assert refused.value.code == "load_failed"
