"""What configs declare of tensors."""

from __future__ import annotations

import pytest

from scurry.runtimes.declared import declared_inputs, declared_outputs, placed
from scurry.runtimes.options import Options
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed

TRITON = ({"name": "INPUT__0", "data_type": "TYPE_STRING", "dims": [3]},)
OURS = ({"name": "x", "datatype": "FP32", "shape": [-1, 3]},)


def test_both_forms_are_read():
    """Triton's leaves the batch dimension out where there is one; ours wins where both are given."""
    assert declared_inputs(Options(input=TRITON, max_batch_size=4)) == (Port("INPUT__0", "BYTES", (-1, 3)),)
    assert declared_inputs(Options(input=TRITON)) == (Port("INPUT__0", "BYTES", (3,)),)
    assert declared_inputs(Options(input=TRITON, inputs=OURS, max_batch_size=4)) == (Port("x", "FP32", (-1, 3)),)
    assert (declared_outputs(Options()), declared_outputs(Options(outputs=OURS))) == ((), (Port("x", "FP32", (-1, 3)),))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({}, "has no 'name'"),
        ({"name": "x", "datatype": "FLOAT", "shape": [1]}, "'datatype' of 'x' in the config must be one of"),
        ({"name": "x", "datatype": "FP32", "shape": [-2]}, "'shape' of 'x' in the config must be a list of sizes"),
        ({"name": "x", "datatype": "FP32", "shap": [1]}, "'inputs' in the config has no 'shap'; was 'shape' meant"),
        ({"name": "x", "datatype": "FP32"}, "must be a list of sizes"),
    ],
)
def test_what_cannot_be_read_is_said(entry, sentence):
    """By its name."""
    with pytest.raises(Failed, match=sentence):
        declared_inputs(Options(inputs=(entry,)))


def ports(*names: str) -> list[Port]:
    """Ports of these names."""
    return [Port(name, "FP32", (-1,)) for name in names]


def test_places_come_from_names_numbers_or_the_order():
    """In this order."""
    assert placed(ports("b", "a"), ["a", "b"]) == [1, 0]
    assert placed(ports("IN__1", "IN__0"), ["a", "b"]) == [1, 0]
    assert placed(ports("any", "thing"), ["a", "b"]) == [0, 1]
    assert placed([], ["a"]) == []


@pytest.mark.parametrize(("names", "sentence"), [(("a", "c"), "'c'; the model has a, b"), (("a", "IN__0"), "the same")])
def test_a_name_that_is_no_argument_is_refused(names, sentence):
    """So is one that is named twice."""
    with pytest.raises(Failed, match=sentence):
        placed(ports(*names), ["a", "b"])
