"""Answers in the form that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from scurry.client.answers import Answer
from scurry.gateway.doors import forms
from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_tensor

X = np.array([[1, 2], [3, 4]], np.float32)
ANSWER = Answer("m", "1", InferReply(outputs=[to_tensor("x", X)]))
BINARY = forms.open_inference(BinaryCall(InferRequest(), "mine", BinaryOutputs(every=True, named={"y": False})))


async def told(form: Any, answer: Answer = ANSWER) -> Any:
    """The JSON of the response."""
    return orjson.loads((await forms.write(form, answer, "m")).parts[0])


@pytest.mark.parametrize(
    ("form", "document"),
    [
        (forms.tensorflow("predict", rows=True), {"predictions": [[1, 2], [3, 4]]}),
        (forms.tensorflow("predict", rows=False), {"outputs": [[1, 2], [3, 4]]}),
        (forms.tensorflow("classify", rows=True), {"results": [[["", 1], ["", 2]], [["", 3], ["", 4]]]}),
    ],
)
async def test_tensorflow_serving(form: Any, document: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was asked, on the loop or off it; a form is JSON."""
    assert await told(orjson.loads(orjson.dumps(form))) == document
    monkeypatch.setattr(forms, "AT_ONCE", 1)
    assert await told(form) == document


async def test_what_cannot_be_told_in_a_form_is_refused() -> None:
    """Two values in a row are no regression."""
    with pytest.raises(InvalidRequest, match=":predict"):
        await told(forms.tensorflow("regress", rows=True))


async def test_open_inference() -> None:
    """With the protocol's id; raw tensors behind the JSON unless it is to be text."""
    reply = await forms.write(BINARY, ANSWER, "m")
    assert (len(reply.parts), orjson.loads(reply.parts[0])["id"]) == (2, "mine")
    text = await forms.write(forms.as_text(BINARY), ANSWER, "m")
    assert orjson.loads(text.parts[0])["outputs"][0]["data"] == [1, 2, 3, 4]
