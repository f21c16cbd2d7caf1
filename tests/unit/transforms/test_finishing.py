"""`postprocessing` of a config, held against a model's outputs."""

import numpy as np
import pytest

from scurry.transforms.finishing import parse
from scurry.transforms.specs import Spec
from scurry.wire.errors import Failed

Y, N = Spec("y", "FP32", (-1, 3)), Spec("n", "INT64", (-1,))
SCORES = np.float32([[1, 3, 2], [5, 5, np.nan]])


def names(*entries) -> list[str]:
    """What callers get of both outputs."""
    return [spec.name for finish in parse(list(entries), [Y, N], {}) for spec in finish.gives]


def test_what_is_not_mentioned_stays():
    """Outputs are renamed, dropped, or left alone."""
    assert names() == ["y", "n"]
    assert names({"output": "y", "drop": True}) == ["n"]
    assert names({"output": "y", "to": "scores"}) == ["scores", "n"]


def test_the_largest_stand_for_the_output():
    """Values, places and labels, beside the output where it is kept."""
    (finish,) = parse([{"top": 2, "labels": ["a", "b", "c"]}], [Y], {})
    assert finish.gives == (
        Spec("y_values", "FP32", (-1, 2)),
        Spec("y_indices", "INT64", (-1, 2)),
        Spec("y_labels", "BYTES", (-1, 2)),
    )
    values, places, labels = finish.apply(SCORES)
    assert values.tolist() == [[3, 2], [5, 5]]
    assert places.tolist() == [[1, 2], [0, 1]]
    assert labels.tolist() == [[b"b", b"c"], [b"a", b"b"]]
    assert names({"output": "y", "to": "c", "top": 1, "keep": True}) == ["c", "c_values", "c_indices", "n"]


def test_the_one_largest_has_no_dimension_for_it():
    """`argmax` gives a place for each row."""
    (finish,) = parse([{"argmax": True, "labels": "l.txt", "to": "class"}], [Y], {"l.txt": ["a", "b", "c"]})
    assert finish.gives == (Spec("class_indices", "INT64", (-1,)), Spec("class_labels", "BYTES", (-1,)))
    assert [each.tolist() for each in finish.apply(SCORES)] == [[1, 0], [b"b", b"a"]]


def test_places_that_the_model_gives_have_labels():
    """Beside them."""
    (finish,) = parse([{"labels": ["no", "yes"]}], [N], {})
    assert [spec.name for spec in finish.gives] == ["n", "n_labels"]
    assert finish.apply(np.array([1, 0]))[1].tolist() == [b"yes", b"no"]


def test_steps_have_one_order():
    """Scaled, sigmoid or softmax, then a limit."""
    (finish,) = parse([{"threshold": 0.5, "sigmoid": True, "scale": -1}], [Y], {})
    assert finish.gives == (Spec("y", "BOOL", (-1, 3)),)
    assert finish.apply(np.float32([[1, 0, -1]]))[0].tolist() == [[False, True, True]]


def test_what_is_given_is_what_was_said():
    """Type and shape of every tensor, for every way to finish."""
    for entry in (
        {},
        {"softmax": True},
        {"top": 3, "keep": True},
        {"argmax": True},
        {"threshold": 1},
        {"scale": "1/2"},
    ):
        (finish,) = parse([{"output": "y", **entry}], [Y], {})
        for spec, array in zip(finish.gives, finish.apply(SCORES), strict=True):
            assert array.shape == tuple(2 if size < 0 else size for size in spec.shape)
            assert array.dtype == {"FP32": np.float32, "INT64": np.int64, "BOOL": np.bool_}[spec.datatype]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ("softmax", "postprocessing in the config must be a list"),
        ([{"output": "z"}], r"postprocessing\[0\] in the config is for output 'z'; the model has 'y', 'n'"),
        ([{"softmax": True}], "is for output ''; the model has"),
        ([{"output": "y", "softmaxx": True}], r"has no 'softmaxx'; was 'softmax' meant\?"),
        ([{"output": "y"}, {"output": "y"}], r"\[1\] in the config is for output 'y' a second time"),
        ([{"output": "y", "top": 4}], r"top in the config is 4, but output 'y' is \[-1, 3\]"),
        ([{"output": "y", "top": 0}], "top in the config must be a whole number from 1"),
        ([{"output": "y", "top": 1, "argmax": True}], "has argmax and top"),
        ([{"output": "y", "top": 1, "labels": ["a"]}], r"has 1 labels, but output 'y' is \[-1, 3\]"),
        ([{"output": "y", "labels": ["a", "b", "c"]}], "needs top or argmax: output 'y' is FP32, not places"),
        ([{"output": "n", "softmax": True}], "is for numbers of floating point; output 'n' is INT64"),
        ([{"output": "n", "top": 1}], r"works along the last dimension; output 'n' is \[-1\]"),
        ([{"output": "y", "to": "n"}], "gives two outputs called 'n'"),
        ([{"output": "y", "drop": True}, {"output": "n", "drop": True}], "leaves no output"),
    ],
)
def test_what_fits_no_output_is_refused(entries, sentence):
    """With its place in the list."""
    with pytest.raises(Failed, match=sentence):
        parse(entries, [Y, N], {})


def test_texts_have_no_size():
    """Nothing is chosen among them, nor held against a limit."""
    for entry in ({"top": 1}, {"threshold": 1}, {"sigmoid": True}):
        with pytest.raises(Failed, match="is BYTES"):
            parse([entry], [Spec("t", "BYTES", (-1, 3))], {})
