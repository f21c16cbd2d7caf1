"""TorchScript and exported programs, as torch itself answers them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.frameworks.models import exported, torch_net, torchscript
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.tensors import DTYPES

torch = pytest.importorskip("torch")
ROWS = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)


def opened(path, **config):
    """The model in that file."""
    return open_model("m", "1", ModelSpec(uri=str(path), config=json.dumps(config)), threads=2)


def asked(net, *arrays):
    """What torch gives in this process."""
    with torch.inference_mode():
        return net(*map(torch.tensor, arrays))


def test_torchscript_is_served_without_a_config(tmp_path):
    """One input is taken from the first weights, and the record says so."""
    model = opened(torchscript(tmp_path / "model.pt"))
    assert (model.name, model.device, model.batched) == ("torch", "cpu", True)
    assert model.inputs == (Port("input", "FP32", (-1, 4)),)
    assert model.outputs == (Port("OUTPUT__0", "FP32", (-1, 3)),)
    assert model.warnings == ["The config states no inputs: 'input' is taken to be FP32 [-1, 4]."]
    np.testing.assert_array_equal(model.run([ROWS])[0], asked(torch_net(), ROWS).numpy())


def test_an_exported_program_tells_all(tmp_path):
    """Names, types and shapes, without a warning."""
    model = opened(exported(tmp_path / "model.pt2"))
    assert model.inputs == (Port("input", "FP32", (-1, 4)),)
    assert [port.shape for port in model.outputs] == [(-1, 3)]
    assert (model.batched, model.max_batch_size, model.warnings) == (True, 32, [])
    np.testing.assert_array_equal(model.run([ROWS])[0], asked(torch_net(), ROWS).numpy())


class Several(torch.nn.Module):
    """Two inputs, one of whole numbers; a pair and a named tensor out."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Sums and a product."""
        return left + right, {"product": left * right}


class Named(torch.nn.Module):
    """Two tensors by name."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> dict[str, torch.Tensor]:
        """A sum and a difference."""
        return {"sum": left + right, "difference": left - right}


TWO = {
    "inputs": [
        {"name": "right", "datatype": "INT64", "shape": [-1, 2]},
        {"name": "left", "datatype": "FP32", "shape": [-1, 2]},
    ],
    "outputs": [{"name": "product__1", "datatype": "FP32", "shape": [-1, 2]}],
}


@pytest.mark.parametrize("kind", [torchscript, exported])
def test_several_inputs_and_outputs(tmp_path, kind):
    """By the names of the arguments, in the config's order; outputs that are not named are left out."""
    left, right = np.array([[1.5, 2]], np.float32), np.array([[3, 4]])
    if kind is exported:
        model = opened(exported(tmp_path / "m.pt2", Several(), torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.int64)))
        assert [port.name for port in model.inputs] == ["left", "right"]
        assert model.run([left, right])[1].tolist() == [[4.5, 8.0]]
        return
    model = opened(torchscript(tmp_path / "m.pt", Several()), **TWO)
    assert [(port.name, port.datatype) for port in model.inputs] == [("right", "INT64"), ("left", "FP32")]
    assert [port.name for port in model.outputs] == ["product__1"]
    assert model.run([right, left])[0].tolist() == [[4.5, 8.0]]


class Half(torch.nn.Module):
    """Doubles whatever it gets."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Twice."""
        return x + x


@pytest.mark.parametrize("datatype", sorted(set(DTYPES) - {"BOOL", "UINT16", "UINT32", "UINT64"}))
def test_every_datatype_goes_in_and_comes_out(tmp_path, datatype):
    """BF16 as well, which numpy does not have."""
    stated = [{"name": "x", "datatype": datatype, "shape": [-1, 2]}]
    model = opened(torchscript(tmp_path / "m.pt", Half()), inputs=stated)
    assert model.outputs == (Port("OUTPUT__0", datatype, (-1, 2)),)
    given = np.array([[1, 2]], DTYPES[datatype])
    assert (model.run([given])[0].dtype, model.run([given])[0].tolist()) == (DTYPES[datatype], [[2, 4]])


class Greedy(torch.nn.Module):
    """Writes into its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adds one, in place."""
        return x.add_(1)


@pytest.mark.parametrize("kind", ["script", "exported"])
def test_outputs_by_name_keep_their_names(tmp_path, kind):
    """Whatever the order in which a config states them; Triton's numbers are their places."""
    left, right = ROWS, 2 * ROWS
    free, examples = {0: torch.export.Dim("rows")}, (torch.ones(2, 4), torch.zeros(2, 4))
    path = (
        torchscript(tmp_path / "model.pt", Named())
        if kind == "script"
        else exported(tmp_path / "model.pt2", Named(), *examples, shapes=(free, free))
    )
    given = {"inputs": [{"name": name, "datatype": "FP32", "shape": [-1, 4]} for name in ("left", "right")]}
    given = given if kind == "script" else {}
    for names in ([], ["difference", "sum"], ["difference"], ["OUTPUT__1", "OUTPUT__0"]):
        stated = [{"name": name, "datatype": "FP32", "shape": [-1, 4]} for name in names]
        model = opened(path, **given, outputs=stated)
        assert [port.name for port in model.outputs] == (names or ["sum", "difference"])
        for port, found in zip(model.outputs, model.run([left, right]), strict=True):
            expected = left - right if port.name in {"difference", "OUTPUT__1"} else left + right
            np.testing.assert_array_equal(found, expected)


def test_a_model_that_writes_into_its_input_harms_nobody(tmp_path):
    """It gets a copy: the request's own bytes stay as they were."""
    model = opened(torchscript(tmp_path / "m.pt", Greedy()), inputs=[{"name": "x", "datatype": "FP32", "shape": [-1]}])
    given = np.frombuffer(np.zeros(2, np.float32).tobytes(), np.float32)
    assert (model.run([given])[0].tolist(), given.tolist(), model.is_sound()) == ([1, 1], [0, 0], True)


def test_dropout_is_off(tmp_path):
    """A network that was saved while it was trained answers the same twice."""
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.9)).train()
    model = opened(torchscript(tmp_path / "m.pt", net))
    np.testing.assert_array_equal(model.run([ROWS])[0], model.run([ROWS])[0])


def test_images_and_words_are_guessed(tmp_path):
    """A convolution tells the channels, and a trial the size; a table of words takes whole numbers."""
    image = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(2 * 30 * 30, 2))
    assert opened(torchscript(tmp_path / "i.pt", image)).inputs == (Port("input", "FP32", (-1, 3, 32, 32)),)
    words = torch.nn.Sequential(torch.nn.Embedding(10, 3))
    assert opened(torchscript(tmp_path / "w.pt", words)).inputs == (Port("input", "INT64", (-1, -1)),)


def test_a_model_whose_inputs_nobody_tells_is_refused(tmp_path):
    """With an example of the config that helps."""
    with pytest.raises(Failed, match=r"does not tell what left, right takes: state it .* for instance \{\"inputs\""):
        opened(torchscript(tmp_path / "m.pt", Several()))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"device": "cuda"}, "PyTorch has no device cuda here; it has cpu"),
        ({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 5]}]}, r"cannot be run with x FP32 \[-1, 5\]"),
        ({"inputs": [{"name": "x__1", "datatype": "FP32", "shape": [-1, 4]}]}, "an input 1; the model takes 1"),
        ({"outputs": [{"name": "y__3", "datatype": "FP32", "shape": [-1]}]}, "an output 'y__3'; the model gives 1"),
        ({"wings": 2}, "knows no option 'wings'"),
    ],
)
def test_what_does_not_fit_fails_the_load(tmp_path, config, sentence):
    """A device, an input, an output, an option."""
    with pytest.raises(Failed, match=sentence) as caught:
        opened(torchscript(tmp_path / "model.pt"), **config)
    assert caught.value.code == "load_failed"


def test_pickles_are_not_opened(tmp_path):
    """Neither a whole module nor weights alone."""
    for name, what in (("a.pt", torch_net()), ("b.pth", torch_net().state_dict())):
        torch.save(what, tmp_path / name)
        with pytest.raises(Failed, match="it holds pickled Python objects or weights without a program"):
            opened(tmp_path / name)


@pytest.mark.parametrize(("make", "name"), [(torchscript, "m.pt"), (exported, "m.pt2")])
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_truncated_files_are_refused(tmp_path, make, name, kept):
    """By a sentence."""
    path = make(tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if isinstance(kept, float) else kept])
    with pytest.raises(Failed) as caught:
        opened(path)
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


def test_the_example_inputs_are_no_way_in(tmp_path):
    """What torch.export.load would unpickle is read as plain tensors only."""
    import io
    import zipfile

    path, crafted = exported(tmp_path / "m.pt2"), tmp_path / "crafted.pt2"
    pickled = io.BytesIO()
    torch.save(Evil(), pickled)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(crafted, "w") as target:
        for name in source.namelist():
            target.writestr(name, pickled.getvalue() if "sample_inputs" in name else source.read(name))
    with pytest.raises(Failed) as caught:
        opened(crafted)
    assert "it ran" not in caught.value.message
