"""Paths of Cluster Serving's REST."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.cluster_paths import ClusterOperation, cluster_operation_of
from scurry.gateway.doors.paths import NoSuchPath
from scurry.wire.errors import InvalidRequest, NotFound


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("POST", "/predict", ClusterOperation("predict")),
        ("POST", "/predict?form=v0.9", ClusterOperation("predict", form="v0.9")),
        ("GET", "/models", ClusterOperation("list")),
        ("GET", "/models/m%20", None),
        ("GET", "/models/m/versions/1.0", ClusterOperation("model", "m", "1.0")),
        ("POST", "/models/m/predict/", ClusterOperation("predict", "m")),
        ("POST", "/models/m/versions/2/predict", ClusterOperation("predict", "m", "2")),
        ("HEAD", "/metrics", ClusterOperation("metrics")),
        ("POST", "/model-secure", ClusterOperation("secure")),
    ],
)
def test_operations(method: str, target: str, operation: ClusterOperation | None) -> None:
    """Versions may be left out, which the original did not know."""
    if operation is None:
        with pytest.raises(NotFound):
            cluster_operation_of(method, target)
    else:
        assert cluster_operation_of(method, target) == operation


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/predict", 405), ("POST", "/models", 405), ("GET", "/models/m/versions", 404), ("GET", "/modelsx", 404)],
)
def test_what_is_nowhere(method: str, target: str, status: int) -> None:
    """Or not for that method."""
    with pytest.raises(NoSuchPath) as refused:
        cluster_operation_of(method, target)
    assert refused.value.status == status


def test_a_form_that_there_is_not() -> None:
    """Is refused by name."""
    with pytest.raises(InvalidRequest, match=r"form must be one of v0\.10, v0\.9, arrow, not 'xml'"):
        cluster_operation_of("POST", "/predict?form=xml")
