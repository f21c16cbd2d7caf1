"""What a user's own model is made of: the class `scurry.Model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    Inputs = dict[str, npt.NDArray[Any]]
    Outputs = Mapping[str, npt.NDArray[Any] | Sequence[Any] | np.generic | float | str | bytes]
    Parameters = Mapping[str, bool | int | float | str]


class Model:
    """A model of your own, in a file `model.py`. Derive from it, say what it takes and gives, write `predict`.

    `inputs` and `outputs` are tensors as the Open Inference Protocol describes them, -1 being any size:
    `{"name": "x", "datatype": "FP32", "shape": [-1, 4]}`. The model's config may say them instead.
    """

    inputs: ClassVar[Sequence[Mapping[str, Any]]] = ()
    outputs: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def load(self, files: Path, config: Mapping[str, Any]) -> None:
        """Prepare: `files` is the directory of `model.py`, `config` the object `parameters` of the model's config."""

    def predict(self, inputs: Inputs, parameters: Parameters) -> Outputs | Awaitable[Outputs]:
        """An array for each output, by name. `parameters` are those of the request. May be an `async def`.

        Elements of BYTES are `bytes` in, `bytes` or `str` out. Raise `scurry.InvalidRequest("bad_request", "…")` to
        tell a caller that the request is wrong; whatever else is raised is `model_failed`.
        """
        raise NotImplementedError

    def unload(self) -> None:
        """Let go of what `load` took."""
