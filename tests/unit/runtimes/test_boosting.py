"""Boosted trees answer as their framework does."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.boosting import BoosterRuntime
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")

X, Y = load_iris(return_X_y=True)
ROWS = np.concatenate([X[:8], [[np.nan, 1, 2, 3]]])


@pytest.fixture(params=[".ubj", ".json"])
def xgb(request, tmp_path):
    """A classifier of three classes, and its file."""
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y)
    model.save_model(tmp_path / f"model{request.param}")
    return model, tmp_path / f"model{request.param}"


@pytest.fixture
def lgbm(tmp_path):
    """A regressor, and its file."""
    model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1).fit(X, Y)
    model.booster_.save_model(tmp_path / "model.txt")
    return model, tmp_path / "model.txt"


def opened(path, **fields) -> BoosterRuntime:
    """The open model of a file."""
    found = open_model("m", "1", ModelSpec(uri=str(path), **fields))
    assert isinstance(found, BoosterRuntime)
    assert found.is_apart(found.file, found.options)
    return found


def test_xgboost_gives_what_it_gives(xgb):
    """Probabilities of the classes, of rows that share a call; NaN is a missing value."""
    model, path = xgb
    found = opened(path.parent)
    assert (found.name, found.inputs[0].shape, found.outputs[0].shape) == ("xgboost", (-1, 4), (-1, 3))
    assert (found.max_batch_size, found.warnings) == (32, [])
    assert np.array_equal(found.run([ROWS.astype(np.float32)])[0], model.predict_proba(ROWS.astype(np.float32)))


def test_a_config_is_not_taken_for_a_model(tmp_path):
    """Though it is JSON as well."""
    model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, Y)
    model.save_model(tmp_path / "trees.json")
    (tmp_path / "config.json").write_text('{"inputs": [{"name": "iris", "datatype": "FP32", "shape": [-1, 4]}]}')
    found = opened(tmp_path)
    assert (found.file.path.name, found.inputs[0].name, found.outputs[0].shape) == ("trees.json", "iris", (-1,))
    assert np.array_equal(found.run([ROWS.astype(np.float32)])[0], model.predict(ROWS.astype(np.float32)))


def test_a_training_that_was_stopped_early_ends_at_its_best(tmp_path):
    """As its own `predict` does."""
    model = xgboost.XGBRegressor(n_estimators=50, n_jobs=1, early_stopping_rounds=1, learning_rate=1.0)
    model.fit(X[::2], Y[::2], eval_set=[(X[1::2], Y[1::2])], verbose=False)
    model.save_model(tmp_path / "model.ubj")
    assert np.array_equal(opened(tmp_path).run([X[:5].astype(np.float32)])[0], model.predict(X[:5].astype(np.float32)))


def test_lightgbm_gives_what_it_gives(lgbm):
    """Doubles in, doubles out."""
    model, path = lgbm
    found = opened(path.parent)
    assert (found.name, found.inputs[0].datatype, found.outputs[0].datatype) == ("lightgbm", "FP64", "FP64")
    assert np.array_equal(found.run([ROWS])[0], model.booster_.predict(ROWS))


ROW = {"name": "x", "datatype": "FP64", "shape": [-1, 3]}


@pytest.mark.parametrize(("stated", "sentence"), [([ROW], "one tensor of shape"), ([{"name": "x"}], "must have name")])
def test_inputs_that_do_not_fit_are_refused(lgbm, stated, sentence):
    """They are rows of as many features as the model has."""
    import json

    with pytest.raises(Failed, match=sentence):
        opened(lgbm[1], config=json.dumps({"inputs": stated}))


def test_what_is_no_model_is_said(tmp_path):
    """A damaged one may end its process, which is why it has one."""
    (tmp_path / "model.txt").write_text("no trees here")
    (tmp_path / "model.ubj").write_bytes(b"L")
    for name in ("model.txt", "model.ubj"):
        with pytest.raises(Failed, match="cannot open") as caught:
            opened(tmp_path / name)
        assert caught.value.code == "load_failed"


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_missing_framework_says_how_to_install_it(tmp_path, monkeypatch, name):
    """With the extra that brings it."""
    path = tmp_path / ("model.ubj" if name == "xgboost" else "model.txt")
    path.touch()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Failed, match=rf"pip install 'scurry\[{name}\]'"):
        opened(path)


def test_json_that_is_no_model_is_refused_by_a_sentence(tmp_path):
    """Without XGBoost's own stack."""
    (tmp_path / "model.json").write_text('{"a": 1}')
    with pytest.raises(Failed, match=r"XGBoost cannot open .*model.json: ") as caught:
        opened(tmp_path / "model.json")
    assert "Stack trace" not in caught.value.message
    assert ".so" not in caught.value.message
