"""A user's own model without a job."""

from __future__ import annotations

import numpy as np
import pytest

import scurry
from scurry.testing import serve
from scurry.wire.errors import Failed, InvalidRequest, ScurryError


class Scale(scurry.Model):
    """Multiplies by a parameter."""

    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]  # noqa: RUF012 - as users write it
    outputs = [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}]  # noqa: RUF012

    def load(self, files, config):
        """Remember what came."""
        self.base, self.seen = config.get("base", 0), []

    def predict(self, inputs, parameters):
        """Scale."""
        self.seen.append((len(inputs["x"]), dict(parameters)))
        if (inputs["x"] == 13).any():
            raise RuntimeError("unlucky")
        return {"y": self.base + inputs["x"] * np.float32(parameters.get("scale", 1))}

    def unload(self):
        """Say so."""
        self.seen.append("unloaded")


def rows(*values: float) -> dict[str, np.ndarray]:
    """So many rows of the model's input."""
    return {"x": np.float32([[value, value] for value in values])}


def test_a_model_is_asked_as_by_a_worker():
    """Parameters and config reach it; in the end it is unloaded."""
    with serve(Scale, {"parameters": {"base": 100}}) as model:
        assert model.predict(rows(1, 2))["y"].tolist() == [[101, 101], [102, 102]]
        assert model.predict(rows(1), scale=3)["y"].tolist() == [[103, 103]]
        instance = model.runtime._model
        assert "Served <PythonRuntime" in repr(model)
    assert instance.seen[-1] == "unloaded"


def test_requests_share_a_call_where_rows_are_independent_and_parameters_alike():
    """Four requests, two calls: two have parameters that differ from the others'."""
    with serve(Scale) as model:
        seen = model.runtime._model.seen
        del seen[:]
        found = model.predict_together(rows(1), (rows(2), {"scale": 2}), rows(3), (rows(4), {"scale": 2}))
        assert [each["y"][0, 0] for each in found] == [1, 4, 3, 8]
        assert sorted(seen, key=str) == [(2, {"scale": 2}), (2, {})]


def test_each_request_has_its_own_failure():
    """A wrong name, a wrong shape and a model that fails, beside one that is answered."""
    with serve(Scale) as model:
        found = model.predict_together(rows(1), {"z": np.zeros((1, 2), np.float32)}, rows(13), {"x": np.zeros(2)})
        assert [each.code if isinstance(each, ScurryError) else each["y"][0, 0] for each in found] == [
            1,
            "input_name",
            "model_failed",
            "input_datatype",
        ]
        with pytest.raises(InvalidRequest, match="the model takes 2"):
            model.predict({"x": np.zeros(2, np.float32)})


def test_a_path_is_a_model_too(tmp_path):
    """As `--uri` takes it."""
    source = "\n".join(
        [
            "import scurry",
            "class Same(scurry.Model):",
            "    inputs = [{'name': 'x', 'datatype': 'INT64', 'shape': [-1]}]",
            "    outputs = [{'name': 'x', 'datatype': 'INT64', 'shape': [-1]}]",
            "    def predict(self, inputs, parameters):",
            "        return inputs",
        ]
    )
    (tmp_path / "model.py").write_text(source)
    with serve(tmp_path) as model:
        assert model.predict({"x": np.array([1, 2])})["x"].tolist() == [1, 2]
    with pytest.raises(Failed, match="There is no file"):
        serve(tmp_path / "absent")
