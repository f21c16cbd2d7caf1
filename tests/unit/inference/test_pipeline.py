"""A model with what its config puts before and after it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.inference.toys import Toy, body, request
from tests.unit.transforms.encoded import encode, noise

from scurry.inference.batch import PartlyFailed, batches, run, same_rows
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.inference.loaded_model import LoadedModel
from scurry.inference.pipeline import Pipeline
from scurry.runtimes.baseline import Baseline
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.transforms import finishing, preparing
from scurry.transforms.specs import Spec
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.tensors import from_bytes

PIXELS, MEANS = (Port("pixels", "FP32", (-1, 3, 4, 4)),), (Port("means", "FP32", (-1, 3)),)
IMAGE = {"input": "image", "decode": True}


def specs(ports) -> list[Spec]:
    """As the transforms have them."""
    return [Spec(port.name, port.datatype, port.shape) for port in ports]


def pipeline(model: Runtime, before=(), after=()) -> Pipeline:
    """The steps of a config around a model."""
    prepared = preparing.parse(list(before), specs(model.inputs), {})
    return Pipeline(model, prepared, finishing.parse(list(after), specs(model.outputs), {}))


def means(limit: int = 32) -> Toy:
    """A model that gives the mean of each channel, and has shown it."""
    toy = Toy(lambda x: [x.mean((2, 3))], inputs=PIXELS, outputs=MEANS, limit=limit)
    zeros = np.zeros((1, 3, 4, 4), np.float32)
    toy.baseline = Baseline([zeros], [zeros[..., 0, 0]], [zeros[..., 0, 0]])
    return toy


def elements(*values: bytes) -> np.ndarray:
    """A BYTES tensor."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


PICTURES = [encode(noise(seed, 4, 4)) for seed in range(33)]
EXPECTED = [np.asarray(noise(seed, 4, 4), np.float32).mean((0, 1)) for seed in range(33)]


def test_callers_see_what_the_pipeline_takes_and_gives():
    """The rest is the model's own."""
    made = pipeline(means(), [IMAGE], [{"to": "top", "top": 1}])
    assert made.inputs == (Port("image", "BYTES", (-1,)),)
    assert made.outputs == (Port("top_values", "FP32", (-1, 1)), Port("top_indices", "INT64", (-1, 1)))
    assert [spec.name for spec in made.signature().inputs] == ["image"]
    assert [spec.name for spec in made.signature().outputs] == ["top_values", "top_indices"]
    assert made.signature().batched
    assert (made.max_batch_size, made.batched, made.name, made.bytes) == (32, True, "toy", 100)


def test_all_that_a_runtime_has_is_there():
    """Whoever holds a model need not know which of both it is."""
    made = pipeline(means(), [IMAGE])
    public = [name for name in dir(made._model) if not name.startswith("_")]
    assert [name for name in public if not hasattr(made, name)] == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 32), min_size=1, max_size=32), st.integers(0, 31))
def test_rows_are_prepared_each_by_itself(chosen, cut):
    """Whoever else is in the batch; what cannot be used leaves the others as they are."""
    made = pipeline(means(), [IMAGE])
    sent = [PICTURES[at] for at in chosen]
    np.testing.assert_allclose(made.run([elements(*sent)])[0], [EXPECTED[at] for at in chosen], rtol=1e-6)
    if cut < len(sent) - 1:
        sent[cut] = sent[cut][:60]
        with pytest.raises(PartlyFailed) as partly:
            made.run([elements(*sent)])
        assert list(partly.value.faults) == [cut]
        rest = [row for row in range(len(sent)) if row != cut]
        np.testing.assert_allclose(partly.value.outputs[0][rest], [EXPECTED[chosen[row]] for row in rest], rtol=1e-6)


def test_one_broken_picture_among_32_fails_alone():
    """In one model call, with its own sentence."""
    model = means()
    made = LoadedModel(("m", "1"), pipeline(model, [IMAGE]))
    model.seen.clear()
    pictures = [*PICTURES[:32]]
    pictures[13] = pictures[13][:70]
    items = claim([request(at, body(image=elements(one))) for at, one in enumerate(pictures)], made.layouts)
    (batch,) = batches(items, made.layouts.sizes, batched=made.model.batched, alike=same_rows(items))
    run(made, made.layouts, batch)
    assert [at for at, item in enumerate(items) if item.failure] == [13]
    assert items[13].failure.code == "input_value"
    assert "Input 'image' is a broken PNG picture" in items[13].failure.message
    got = [from_bytes("y", "FP32", *item.outputs[0]) for at, item in enumerate(items) if at != 13]
    np.testing.assert_allclose(np.concatenate(got), EXPECTED[:13] + EXPECTED[14:32], rtol=1e-6)
    assert model.seen == [(32, 3, 4, 4)]


def test_a_request_of_its_own_is_told_which_row():
    """With one row there is none to name."""
    made = pipeline(means(), [IMAGE])
    with pytest.raises(InvalidRequest, match=r"^input_value: Input 'image' is no picture"):
        made.run([elements(b"x")])
    with pytest.raises(InvalidRequest, match=r"Input 'image', row 1, is no picture"):
        made.run([elements(PICTURES[0], b"x")])


def test_a_model_without_rows_takes_one_picture():
    """As it is, without a dimension for rows."""
    port = (Port("pixels", "UINT8", (4, 4, 3)),)
    toy = Toy(lambda x: [x], inputs=port, outputs=port, limit=0)
    made = pipeline(toy, [IMAGE])
    assert np.array_equal(made.run([elements(PICTURES[0])])[0], noise(0, 4, 4))


def test_other_inputs_are_taken_as_they_come():
    """Three tensors become one, the next stays."""
    ports = (Port("x", "FP32", (-1, 3)), Port("y", "FP32", (-1, 1)))
    made = pipeline(Toy(lambda x, y: [x * y], ports, ports[:1]), [{"sparse": True, "to": "x"}])
    assert [port.name for port in made.inputs] == ["x_indices", "x_values", "x_shape", "y"]
    sent = [np.array([[[2]], [[0]]]), np.float32([[5], [7]]), np.array([[3], [3]]), np.float32([[1], [2]])]
    assert made.run(sent)[0].tolist() == [[0, 0, 5], [14, 0, 0]]
    sent[1] = sent[1][:1]
    with pytest.raises(InvalidRequest, match="Input 'x_values' has not as many rows as 'x_indices'"):
        made.run(sent)


def test_rows_of_different_size_do_not_share_a_tensor():
    """Where the model takes any size."""
    port = (Port("x", "FP32", (-1, -1)),)
    made = pipeline(Toy(lambda x: [x], port, port), [{"sparse": True}])
    sent = [np.zeros((2, 0, 1), np.int64), np.zeros((2, 0), np.float32), np.array([[3], [4]])]
    with pytest.raises(InvalidRequest, match="Rows of input 'x_indices' are not of the same size"):
        made.run(sent)


def test_no_rows_give_no_rows():
    """And no failure."""
    assert pipeline(means(), [IMAGE]).run([elements()])[0].shape == (0, 3)


def test_texts_reach_the_model_as_texts():
    """Those that are none have an empty one in their place."""
    port = (Port("t", "BYTES", (-1, 1)),)
    made = pipeline(Toy(lambda t: [t], port, port), [{"text": {"lower": True}}])
    with pytest.raises(PartlyFailed) as partly:
        made.run([elements(b"A", b"\xff", b"C")])
    assert partly.value.outputs[0].tolist() == [["a"], [""], ["c"]]


def test_a_pipeline_is_tried_with_a_sample_of_its_own():
    """So that it is known to be sound, and how long it takes."""
    model = means()
    made = pipeline(model, [IMAGE])
    assert made.is_sound()
    assert made.baseline.inputs[0][0].startswith(b"\x89PNG")
    model.function = lambda x: [x.mean((2, 3)) + 1]
    assert not made.is_sound()
    assert made.depends
    assert not pipeline(means(), [], [{"softmax": True}]).depends


def test_a_sample_that_cannot_be_run_is_a_warning():
    """The pipeline is there all the same, as a model is whose warm-up fails."""
    model = means()
    model.function = lambda x: 1 / 0
    made = pipeline(model, [IMAGE])
    assert "The pipeline's own sample cannot be run: The model failed" in made.warnings[0]
    assert made.baseline is None
    assert not made.is_sound()
    assert not model.warnings


def test_a_failure_of_the_model_is_the_models():
    """Not the caller's."""
    made = pipeline(means(), [IMAGE])
    made._model.function = lambda x: 1 / 0
    with pytest.raises(Failed, match="model_failed"):
        made.run([elements(PICTURES[0])])


def test_layouts_are_the_pipelines():
    """A raw tensor under the model's own name is none of its inputs."""
    layouts = LayoutCache(pipeline(means(), [IMAGE]))
    (item,) = claim([request(0, body(pixels=np.zeros((1, 3, 4, 4), np.float32)))], layouts)
    assert item.failure.code == "input_name"
    assert "The model has no input 'pixels'; it takes 'image'" in item.failure.message


def test_what_prepares_never_runs_in_the_event_loop():
    """How long a picture takes is not known; steps after the model leave it where it was."""
    assert not LoadedModel(("m", "1"), pipeline(means(), [IMAGE])).steady
    assert LoadedModel(("m", "1"), pipeline(means(), [], [{"softmax": True}])).steady
    port = (Port("t", "BYTES", (-1,)),)
    assert not LoadedModel(("m", "1"), pipeline(Toy(lambda t: [t], port, port), [{"text": {}}])).steady


def test_a_model_that_nothing_guessed_fits_is_tried_with_the_sample():
    """Words of its vocabulary, where zeros could not be run."""
    model = Toy(lambda ids: [ids], (Port("ids", "INT64", (-1, 2)),), (Port("ids", "INT64", (-1, 2)),))
    lookup = {"vocabulary": ["a"], "pad": 5}
    made = pipeline(model, [{"lookup": lookup}])
    assert model.baseline is None
    assert [each.tolist() for each in made.baseline.outputs] == [[[0, 5]]]
    assert made.seconds < 1


def test_outputs_that_are_not_what_they_are_said_to_be_are_the_models_failure():
    """Not a fault of ours."""
    model = means()
    made = pipeline(model, [IMAGE], [{"top": 2}])
    model.function = lambda x: [np.float32(1)]
    with pytest.raises(Failed, match="model_failed: The model's outputs are not what they are said to be"):
        made.run([elements(PICTURES[0])])
