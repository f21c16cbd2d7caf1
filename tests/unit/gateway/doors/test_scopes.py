"""What each method and path need."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.scopes import row_of, scope_of


@pytest.mark.parametrize(
    ("method", "target", "scope", "model"),
    [
        ("GET", "/v2/health/live", "", ""),
        ("HEAD", "/v2/health/ready?x=1", "", ""),
        ("POST", "/v2/health/live", "admin", "*"),
        ("GET", "/v2/health/else", "admin", "*"),
        ("GET", "/v2", "read", ""),
        ("GET", "/", "", ""),
        ("POST", "/v2", "admin", "*"),
        ("GET", "/v2/models", "read", "*"),
        ("GET", "/v2/models/stats", "read", "*"),
        ("GET", "/v2/models/m", "read", "m"),
        ("GET", "/v2/models/m/ready", "read", "m"),
        ("GET", "/v2/models/m/versions/1/config", "read", "m"),
        ("GET", "/v2/models/m/stats", "read", "m"),
        ("POST", "/v2/models/m/infer", "infer", "m"),
        ("POST", "/v2/models/m/infer/", "infer", "m"),
        ("POST", "//v2/models/m/infer", "infer", "m"),
        ("POST", "/v2/models/m/versions/1/infer?x=/v2/health/live", "infer", "m"),
        ("POST", "/v2/models/m/versions/1/generate_stream", "infer", "m"),
        ("POST", "/v2/models/stats/infer", "infer", "stats"),
        ("POST", "/v2/models/%6d/infer", "infer", "m"),
        ("POST", "/v2/models/m%2finfer", "admin", "*"),
        ("POST", "/v2/models/m/trace/setting", "admin", "m"),
        ("DELETE", "/v2/models/m", "admin", "*"),
        ("GET", "/v2/results/7?wait=3", "read", ""),
        ("DELETE", "/v2/results/7", "infer", ""),
        ("POST", "/v2/repository/index", "read", "*"),
        ("POST", "/v2/repository/models/m", "admin", "m"),
        ("POST", "/v2/repository/models/m/load", "admin", "m"),
        ("GET", "/v2/repository/models", "admin", "*"),
        ("GET", "/v2/repository/models/m", "admin", "m"),
        ("GET", "/v2/logging", "read", "*"),
        ("GET", "/v2/trace/setting", "read", "*"),
        ("POST", "/v2/trace/setting", "admin", "*"),
        ("GET", "/v2/models/m/trace/setting", "read", "m"),
        ("GET", "/v2/cudasharedmemory/status", "read", "*"),
        ("POST", "/v2/cudasharedmemory/unregister", "admin", "*"),
        ("POST", "/model-secure", "admin", "*"),
        ("POST", "/v2/logging", "admin", "*"),
        ("POST", "/v2/systemsharedmemory/region/r/register", "admin", "*"),
        ("POST", "/v1/models/m:predict", "infer", "m"),
        ("POST", "/v1/models/m/versions/3:predict", "infer", "m"),
        ("GET", "/v1/models/m/metadata", "read", "m"),
        ("GET", "/v1/models", "read", "*"),
        ("POST", "/predict", "infer", "*"),
        ("POST", "/models/m/versions/1/predict", "infer", "m"),
        ("GET", "/openapi.json", "read", ""),
        ("POST", "/openapi.json", "admin", "*"),
        ("GET", "/anything/else", "admin", "*"),
        ("GET", "", "", ""),
        ("get", "/v2/models/m", "admin", "*"),
        ("OPTIONS", "*", "admin", "*"),
    ],
)
def test_the_scope_of_a_request(method: str, target: str, scope: str, model: str) -> None:
    """What is not known is the administrator's."""
    assert scope_of(method, target) == (scope, model)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v2/health/live"), ("DELETE", "/v2/models/m"), ("POST", "/v2/models/m/versions/1/unheard"),
        ("GET", "/v2/trace/setting/more"), ("POST", "/v2/trace"), ("DELETE", "/v2/logging"), ("GET", "/model-secure"),
        ("POST", "/metrics"), ("POST", "/models"), ("PUT", "/v2/repository/models/m"), ("GET", "/anything/else"),
    ],
)  # fmt: skip
def test_what_no_door_answers_has_no_row(method: str, target: str) -> None:
    """It is the administrator's all the same."""
    assert row_of(method, target) is None
    assert scope_of(method, target) == ("admin", "*")
