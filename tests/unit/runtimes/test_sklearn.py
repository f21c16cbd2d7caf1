"""Estimators of scikit-learn answer as they do in process; what may run code is told from what may not."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import parse_options
from scurry.runtimes.sklearn import SklearnRuntime
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

skops = pytest.importorskip("skops.io")

X, Y = load_iris(return_X_y=True)
NAMES = load_iris().target_names[Y]
TREE = "sklearn.tree._tree.Tree"


@pytest.fixture
def saved(tmp_path):
    """Opens an estimator that was saved, as a registration with this config would."""

    def save(estimator, name: str = "model.skops", **config):
        path = tmp_path / name
        if name.endswith(".skops"):
            skops.dump(estimator, path)
        elif name.endswith(".joblib"):
            joblib.dump(estimator, path)
        else:
            path.write_bytes(pickle.dumps(estimator))
        opened = open_model("m", "1", ModelSpec(uri=str(path), config=json.dumps(config)))
        assert isinstance(opened, SklearnRuntime)
        return opened

    return save


def test_a_classifier_gives_label_and_probabilities(saved):
    """A pipeline that was fitted on names of classes."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, NAMES)
    found = saved(model)
    assert [(port.name, port.datatype, port.shape) for port in (*found.inputs, *found.outputs)] == [
        ("x", "FP64", (-1, 4)),
        ("label", "BYTES", (-1,)),
        ("probabilities", "FP64", (-1, 3)),
    ]
    label, probabilities = found.run([X[::10]])
    assert label.tolist() == model.predict(X[::10]).tolist()
    assert np.array_equal(probabilities, model.predict_proba(X[::10]))
    assert (found.max_batch_size, found.warnings) == (32, [])


@pytest.mark.parametrize(
    ("estimator", "name", "datatype", "shape"),
    [
        (LinearRegression().fit(X, Y), "prediction", "FP64", (-1,)),
        (LinearRegression().fit(X, np.stack([Y, Y], 1)), "prediction", "FP64", (-1, 2)),
        (KMeans(2, n_init=1, random_state=0).fit(X), "prediction", "INT64", (-1,)),
        (StandardScaler().fit(X), "transformed", "FP64", (-1, 4)),
        (OneHotEncoder(handle_unknown="ignore").fit(Y.reshape(-1, 1)), "transformed", "FP64", (-1, 3)),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else None,
)
def test_others_predict_or_transform(saved, estimator, name, datatype, shape):
    """What is sparse comes out dense."""
    found = saved(estimator)
    (port,) = found.outputs
    assert (port.name, port.datatype, port.shape) == (name, datatype, shape)
    rows = Y[:9].reshape(-1, 1).astype(float) if estimator.n_features_in_ == 1 else X[:9]
    expected = getattr(estimator, "predict", None) or estimator.transform
    wanted = expected(rows)
    assert np.array_equal(found.run([rows])[0], wanted.toarray() if hasattr(wanted, "toarray") else wanted)


def test_types_that_nobody_trusts_are_named(saved):
    """Listed in the config they are taken, in a process of their own."""
    forest = RandomForestClassifier(3, random_state=0).fit(X, Y)
    with pytest.raises(Failed, match=rf"list '{TREE}' as `trusted`"):
        saved(forest)
    found = saved(forest, trusted=[TREE], threads=1)
    assert np.array_equal(found.run([X[:9]])[1], forest.predict_proba(X[:9]))
    assert found.is_apart(found.file, found.options)
    assert found.permission(found.file, found.options) == ""
    with pytest.raises(Failed, match="must be a list of names"):
        saved(forest, trusted=TREE)


@pytest.mark.parametrize(
    ("name", "trusted", "needed"),
    [
        ("m.skops", [], ""),
        ("m.skops", [TREE, "numpy.dtype"], ""),
        ("m.skops", [TREE, "posix.system"], "sklearn-types"),
        ("m.skops", ["sklearnx.Evil"], "sklearn-types"),
        ("m.pkl", [], "sklearn-pickle"),
        ("m.joblib", [], "sklearn-pickle"),
    ],
)
def test_what_may_run_code_has_to_be_allowed(name, trusted, needed):
    """Pickles, and types from elsewhere than the libraries that hold numbers."""
    options = parse_options(json.dumps({"trusted": trusted}), {}, SklearnRuntime.known, "sklearn")
    file = ModelFile(Path(name))
    assert SklearnRuntime.permission(file, options) == needed
    assert SklearnRuntime.is_apart(file, options) == bool(needed or trusted)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib"])
def test_pickles_answer_the_same(saved, name):
    """Where they are allowed."""
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    label, probabilities = saved(model, name).run([X[:5]])
    assert (label.dtype, label.tolist()) == (np.int64, model.predict(X[:5]).tolist())
    assert np.array_equal(probabilities, model.predict_proba(X[:5]))


def test_texts_go_in_where_the_config_says_so(saved):
    """A vectorizer cannot tell what it takes."""
    texts = ["to be", "or not", "to be not"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(texts, [0, 1, 0])
    with pytest.raises(Failed, match="does not say what it takes: say so in `inputs`"):
        saved(model)
    found = saved(model, inputs=[{"name": "text", "datatype": "BYTES", "shape": [-1]}])
    asked = np.array([b"to be", b"not or"], object)
    assert found.run([asked])[0].tolist() == model.predict(["to be", "not or"]).tolist()


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (MultiOutputClassifier(KNeighborsClassifier()).fit(X, np.stack([Y, Y], 1)), "several labels for each row"),
        ([1, 2], "list does not say what it takes"),
        (FunctionTransformer(np.linalg.inv).fit(X), "Neither zeros nor random rows can be run"),
    ],
    ids=["several labels", "no estimator", "runs nothing"],
)
def test_what_cannot_be_served_says_why(saved, estimator, sentence):
    """At registration."""
    with pytest.raises(Failed, match=sentence):
        saved(estimator, "model.pkl")


def test_what_is_no_model_is_said(tmp_path):
    """Truncated, or something else."""
    skops.dump(LinearRegression().fit(X, Y), tmp_path / "whole.skops")
    (tmp_path / "model.skops").write_bytes((tmp_path / "whole.skops").read_bytes()[:-200])
    with pytest.raises(Failed, match="cannot open") as caught:
        open_model("m", "1", ModelSpec(uri=str(tmp_path / "model.skops")))
    assert caught.value.code == "load_failed"


@pytest.mark.parametrize(("module", "sentence"), [("sklearn", "needs scikit-learn"), ("skops", "needs skops")])
def test_a_missing_framework_says_how_to_install_it(saved, tmp_path, monkeypatch, module, sentence):
    """The same extra brings both."""
    saved(LinearRegression().fit(X, Y))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Failed, match=rf"{sentence}.*pip install 'scurry\[sklearn\]'"):
        open_model("m", "1", ModelSpec(uri=str(tmp_path / "model.skops")))
