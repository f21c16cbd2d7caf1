"""Which path of /v1 asks for what."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.paths import NoSuchPath
from scurry.gateway.doors.tf_paths import TfOperation, tf_operation_of
from scurry.wire.errors import NotFound


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/", TfOperation("alive")),
        ("GET", "/v1/models", TfOperation("list")),
        ("HEAD", "/v1/models/", TfOperation("list")),
        ("GET", "/v1/models/m", TfOperation("status", "m")),
        ("GET", "/v1/models/m/versions/7", TfOperation("status", "m", "7")),
        ("GET", "/v1/models/m/labels/best?x=1", TfOperation("status", "m", "best", by_label=True)),
        ("GET", "/v1/models/m/metadata", TfOperation("metadata", "m")),
        ("GET", "/v1/models/m/versions/7/metadata", TfOperation("metadata", "m", "7")),
        ("POST", "/v1/models/m:predict", TfOperation("predict", "m")),
        ("POST", "/v1/models/m%3Apredict", TfOperation("predict", "m")),
        ("POST", "/v1/models/m/versions/7:classify", TfOperation("classify", "m", "7")),
        ("POST", "/v1/models/m/labels/best:regress", TfOperation("regress", "m", "best", by_label=True)),
        ("POST", "/v1/models/m:explain", TfOperation("explain", "m")),
    ],
)
def test_paths_that_there_are(method: str, target: str, operation: TfOperation) -> None:
    """A version, a label or neither; a verb behind a colon."""
    assert tf_operation_of(method, target) == operation


@pytest.mark.parametrize(
    "target",
    ["/v1", "/v1/", "/v1/model", "/v2/models/m", "/v1/models/m:", "/v1/models/m:train", "/v1/models/:predict",
     "/v1/models//metadata", "/v1/models/m/versions", "/v1/models/m/versions/", "/v1/models/m/versions/:predict",
     "/v1/models/m/metadata:predict",
     "/v1/models/m/labels/a/b", "/v1/models/m/what", "/v1/models/" + "m" * 2000],
)  # fmt: skip
def test_paths_that_there_are_not(target: str) -> None:
    """Whatever the method."""
    for method in ("GET", "POST"):
        with pytest.raises(NoSuchPath) as caught:
            tf_operation_of(method, target)
        assert caught.value.status == 404


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [("GET", "/v1/models/m:predict", "POST"), ("POST", "/v1/models/m", "GET, HEAD"), ("DELETE", "/", "GET, HEAD")],
)
def test_methods_that_there_are_not(method: str, target: str, allow: str) -> None:
    """Those that there are stand in the answer."""
    with pytest.raises(NoSuchPath) as caught:
        tf_operation_of(method, target)
    assert (caught.value.status, caught.value.allow) == (405, allow)


@pytest.mark.parametrize("target", ["/v1/models/a%20b", "/v1/models/m/versions/a%2Fb", "/v1/models/m/labels/é:predict"])
def test_names_that_nothing_can_have(target: str) -> None:
    """Are told as names that nothing has."""
    with pytest.raises(NotFound):
        tf_operation_of("POST" if ":" in target else "GET", target)
