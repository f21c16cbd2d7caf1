"""Boosted trees of XGBoost and LightGBM, in the files that they save.

There is one input, a row of features for each row of the output `prediction`, which is what the framework's own
`predict` gives: classes' probabilities for a classifier, by its objective. A missing feature is NaN. Both read a
damaged file without care, to the end of their process: so they have one of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from scurry.runtimes.port import Port
from scurry.runtimes.ports import features
from scurry.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.wire.tensors import Array

OUTPUT: Final = "prediction"


class BoosterRuntime(Runtime):
    """What both have in common."""

    known: ClassVar[frozenset[str]] = Runtime.known - {"device"} | {"inputs"}
    apart: ClassVar[bool] = True
    datatype: ClassVar[str]  # what it computes with
    gives: ClassVar[str]
    _booster: Any

    def _set_ports(self, count: int) -> None:
        self.inputs = (features(self.options.inputs or None, self.datatype, count),)
        shape = self._predicted(np.zeros((1, count), np.float32)).shape
        self.outputs = (Port(OUTPUT, self.gives, (-1, *shape[1:])),)

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        return [np.asarray(self._predicted(arrays[0]))]

    def _predicted(self, rows: Array) -> Array:
        raise NotImplementedError


class XgboostRuntime(BoosterRuntime):
    """One booster of XGBoost."""

    name: ClassVar[str] = "xgboost"
    framework: ClassVar[str] = "XGBoost"
    module: ClassVar[str] = "xgboost"
    suffixes: ClassVar[tuple[str, ...]] = (".ubj", ".json")
    datatype: ClassVar[str] = "FP32"
    gives: ClassVar[str] = "FP32"

    def _load(self) -> None:
        self._booster = self._api.Booster({"nthread": self.threads})
        self._booster.load_model(self.file.path)
        best = self._booster.attr("best_iteration")  # of a training that was stopped early
        self._trees = (0, int(best) + 1) if best else (0, 0)
        self._set_ports(self._booster.num_features())

    def _predicted(self, rows: Array) -> Array:
        found: Array = self._booster.inplace_predict(rows, iteration_range=self._trees, validate_features=False)
        return found


class LightgbmRuntime(BoosterRuntime):
    """One booster of LightGBM."""

    name: ClassVar[str] = "lightgbm"
    framework: ClassVar[str] = "LightGBM"
    module: ClassVar[str] = "lightgbm"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    datatype: ClassVar[str] = "FP64"
    gives: ClassVar[str] = "FP64"

    def _load(self) -> None:
        self._booster = self._api.Booster(model_file=str(self.file.path))
        self._set_ports(self._booster.num_feature())

    def _predicted(self, rows: Array) -> Array:
        found: Array = self._booster.predict(rows, num_threads=self.threads)
        return found
