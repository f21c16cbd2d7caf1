"""Estimators of scikit-learn, saved by skops or as pickles.

A skops file names every type that it is made of: those that skops does not trust by itself are refused unless the
config lists them (`trusted`). With types from elsewhere than the libraries below, and with a pickle, whoever made the
file may run code: the worker must be told to allow that.

| estimator                  | outputs                                                |
|----------------------------|--------------------------------------------------------|
| classifier                 | `label`, and `probabilities` where it gives any        |
| regressor, clusterer, …    | `prediction`                                           |
| transformer                | `transformed`                                          |
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from scurry.runtimes.port import Port
from scurry.runtimes.ports import features, read_ports
from scurry.runtimes.runtime import Runtime
from scurry.runtimes.samples import KINDS, draw, zeros
from scurry.wire.errors import Failed
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.runtimes.files import ModelFile
    from scurry.runtimes.options import Options

PICKLES: Final = (".pkl", ".pickle", ".joblib")
LIBRARIES: Final = frozenset({"sklearn", "numpy", "scipy", "xgboost", "lightgbm"})
"""Types from these may be trusted without more: they hold numbers, and run none of the file's code."""
Part = tuple[str, "Callable[[Any], Any]"]
"""Name of an output, and what gives it."""


class SklearnRuntime(Runtime):
    """One estimator."""

    name: ClassVar[str] = "sklearn"
    framework: ClassVar[str] = "scikit-learn"
    module: ClassVar[str] = "sklearn"
    suffixes: ClassVar[tuple[str, ...]] = (".skops", *PICKLES)
    known: ClassVar[frozenset[str]] = Runtime.known - {"device"} | {"inputs", "trusted"}
    _parts: Sequence[Part] = ()

    @classmethod
    def permission(cls, file: ModelFile, options: Options) -> str:
        """`sklearn-pickle` for a pickle, `sklearn-types` where types of others are to be trusted."""
        if file.path.suffix in PICKLES:
            return "sklearn-pickle"
        return "sklearn-types" if any(each.partition(".")[0] not in LIBRARIES for each in _trusted(options)) else ""

    @classmethod
    def is_apart(cls, file: ModelFile, options: Options) -> bool:
        """Also with types that skops does not trust: they may be made to end their process."""
        return bool(_trusted(options)) or super().is_apart(file, options)

    def _load(self) -> None:
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        estimator = self._read()
        for name in estimator.get_params() if hasattr(estimator, "get_params") else ():
            if name.rpartition("__")[2] == "n_jobs":
                estimator.set_params(**{name: self.threads})
        self.inputs = (_input(estimator, self.options.inputs or None),)
        self._parts = _parts_of(estimator)
        self.outputs = self._tried()

    def _read(self) -> Any:  # noqa: ANN401 - of a framework that may be absent
        path = self.file.path
        if path.suffix in PICKLES:
            import joblib  # noqa: PLC0415 - scikit-learn brings it; it reads plain pickles too

            return joblib.load(path)
        try:
            from skops import io  # noqa: PLC0415 - only for such a file
        except ImportError:
            sentence = f"{path} needs skops, which this worker has not: pip install 'scurry[sklearn]'."
            raise Failed("load_failed", sentence) from None
        trusted = _trusted(self.options)
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(trusted))
        if unknown:
            listed = ", ".join(map(repr, unknown))
            raise Failed("load_failed", f"{path} holds types that nobody trusts: list {listed} as `trusted` if you do.")
        return io.load(path, trusted=list(trusted))

    def _tried(self) -> tuple[Port, ...]:
        """What it gives, by what comes out. Raises `load_failed` when nothing does."""
        why = ""
        for arrays in (zeros(self.inputs, 1), *(draw(self.inputs, 1, 0, kind) for kind in KINDS)):
            try:
                outputs = self._given(arrays[0])
            except Exception as cause:
                why = why or str(cause)
                continue
            names = [name for name, _ in self._parts]
            return tuple(
                Port(name, _datatype(each), (-1, *each.shape[1:])) for name, each in zip(names, outputs, strict=True)
            )
        raise Failed("load_failed", f"Neither zeros nor random rows can be run: {why}")

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        found = self._given(arrays[0])
        return [
            each if port.datatype == "BYTES" else each.astype(DTYPES[port.datatype], copy=False)
            for each, port in zip(found, self.outputs, strict=True)
        ]

    def _given(self, rows: Array) -> list[Array]:
        return [_dense(ask(rows)) for _, ask in self._parts]


def _trusted(options: Options) -> tuple[str, ...]:
    """The types that the config lists. Raises `load_failed`."""
    given = options.own.get("trusted", [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Failed("load_failed", f"Option 'trusted' must be a list of names of types, not {given!r}.")
    return tuple(given)


def _input(estimator: Any, stated: object) -> Port:  # noqa: ANN401 - of a framework that may be absent
    count = getattr(estimator, "n_features_in_", None)
    if count is not None:
        return features(stated, "FP64", int(count))
    if stated is None:
        kind = type(estimator).__name__
        sentence = f"{kind} does not say what it takes: say so in `inputs`; texts are BYTES of shape [-1]."
        raise Failed("load_failed", sentence)
    ports = read_ports("inputs", stated)
    if len(ports) != 1:
        raise Failed("load_failed", "`inputs` must be one tensor: rows of features, or texts.")
    return ports[0]


def _parts_of(estimator: Any) -> Sequence[Part]:  # noqa: ANN401 - of a framework that may be absent
    from sklearn.base import is_classifier  # noqa: PLC0415 - it was imported before

    if is_classifier(estimator):
        if isinstance(estimator.classes_, list):
            raise Failed("load_failed", "Classifiers with several labels for each row cannot be served yet.")
        parts: list[Part] = [("label", estimator.predict)]
        return [*parts, ("probabilities", estimator.predict_proba)] if hasattr(estimator, "predict_proba") else parts
    if hasattr(estimator, "predict"):
        return [("prediction", estimator.predict)]
    if hasattr(estimator, "transform"):
        return [("transformed", estimator.transform)]
    raise Failed("load_failed", f"{type(estimator).__name__} neither predicts nor transforms.")


def _dense(found: Any) -> Array:  # noqa: ANN401 - an array, or a sparse one
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found)


def _datatype(array: Array) -> str:
    return {"i": "INT64", "u": "INT64", "b": "BOOL", "f": "FP64"}.get(array.dtype.kind, "BYTES")
