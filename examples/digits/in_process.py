"""The same models asked without Scurry: what every answer is held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnxruntime
import openvino
from examples.digits.train import Floats, Trained

Arrays = Mapping[str, npt.NDArray[np.generic]]
Key = tuple[str, str]


class InProcess:
    """Every image's answer from every version, computed here by onnxruntime and OpenVINO themselves."""

    def __init__(self, trained: list[Trained], images: Floats) -> None:
        asked = {"onnx": _ask_onnx, "openvino": _ask_openvino}
        self._answers = {one.key: asked[one.runtime](one, images) for one in trained}

    def difference(self, key: Key, image: int, answer: Arrays) -> str:
        """What is wrong with an answer to one image, in a sentence; empty when it is the same."""
        expected = self._answers[key]
        if sorted(answer) != sorted(expected):
            return f"outputs {sorted(answer)} instead of {sorted(expected)}"
        if label(answer) != label({name: values[image : image + 1] for name, values in expected.items()}):
            return f"label {label(answer)}"
        close = np.allclose(answer["probabilities"], expected["probabilities"][image : image + 1], rtol=1e-4, atol=1e-5)
        return "" if close else f"probabilities {answer['probabilities']}"


def label(answer: Arrays) -> int:
    """The digit a model sees: said by itself, or the most probable."""
    return int(answer["label"][0]) if "label" in answer else int(np.argmax(answer["probabilities"][0]))


def _ask_onnx(one: Trained, images: Floats) -> Arrays:
    session = onnxruntime.InferenceSession(one.file, providers=["CPUExecutionProvider"])
    return dict(zip([out.name for out in session.get_outputs()], session.run(None, {"X": images}), strict=True))


def _ask_openvino(one: Trained, images: Floats) -> Arrays:
    compiled = openvino.Core().compile_model(one.file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = compiled([images])
    return {output.any_name: answers[output] for output in compiled.outputs}
