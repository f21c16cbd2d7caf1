"""Paths of the Open Inference Protocol."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.paths import NoSuchPath, Operation, operation_of
from scurry.wire.errors import NotFound


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/v2", Operation("server")),
        ("GET", "/v2/", Operation("server")),
        ("GET", "/v2/health/live", Operation("live")),
        ("HEAD", "/v2/health/ready", Operation("ready")),
        ("POST", "/v2/repository/index", Operation("index")),
        ("GET", "/v2/models/m", Operation("metadata", "m")),
        ("GET", "/v2/models/m/versions/2", Operation("metadata", "m", "2")),
        ("GET", "/v2/models/m/ready?x=1", Operation("model_ready", "m")),
        ("GET", "/v2/models/m/versions/2/ready", Operation("model_ready", "m", "2")),
        ("GET", "/v2/models/m/config", Operation("configuration", "m")),
        ("POST", "/v2/models/m/infer", Operation("infer", "m")),
        ("POST", "/v2/models/m/versions/best/infer", Operation("infer", "m", "best")),
        ("POST", "/v2/models/a%2Db/infer", Operation("infer", "a-b")),
        ("POST", "/v2/models/m/infer/", Operation("infer", "m")),
        ("GET", "/v2/models/stats", Operation("statistics")),
        ("GET", "/v2/models/m/stats", Operation("statistics", "m")),
        ("GET", "/v2/models/m/versions/2/stats/", Operation("statistics", "m", "2")),
        ("POST", "/v2/models/stats/infer", Operation("infer", "stats")),
        ("POST", "/v2/repository/models/m", Operation("change", "m")),
        ("POST", "/v2/repository/models/m/load", Operation("load", "m")),
        ("POST", "/v2/repository/models/m/unload/", Operation("unload", "m")),
        ("GET", "/v2/trace/setting", Operation("trace")),
        ("POST", "/v2/models/m/trace/setting", Operation("trace", "m")),
        ("POST", "/v2/logging", Operation("logging")),
        ("GET", "/v2/systemsharedmemory/status", Operation("system_memory_status")),
        ("POST", "/v2/systemsharedmemory/unregister", Operation("system_memory_unregister")),
        ("POST", "/v2/systemsharedmemory/region/a%2Fb/register", Operation("system_memory_register", region="a/b")),
        ("GET", "/v2/cudasharedmemory/region/r/status", Operation("cuda_memory_status", region="r")),
    ],
)
def test_a_path_says_what_to_do(method: str, target: str, operation: Operation) -> None:
    """With the model and version it names, unquoted."""
    assert operation_of(method, target) == operation


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/", 404, ""),
        ("GET", "/v1/models/m", 404, ""),
        ("GET", "/v2/models", 404, ""),
        ("GET", "/v2/models/m/versions", 404, ""),
        ("GET", "/v2/models/m/versions/1/2", 404, ""),
        ("POST", "/v2/models/m/versions//infer", 404, ""),
        ("POST", "/v2/models/m/generate", 404, ""),
        ("GET", "/v2/models/" + "m" * 2000, 404, ""),
        ("GET", "/v2/models/m/infer", 405, "POST"),
        ("POST", "/v2/models/m", 405, "GET, HEAD"),
        ("POST", "/v2/repository/models/m/reload", 404, ""),
        ("GET", "/v2/repository/models/m/load", 405, "POST"),
        ("GET", "/v2/systemsharedmemory", 404, ""),
        ("GET", "/v2/systemsharedmemory/region/r", 404, ""),
        ("GET", "/v2/systemsharedmemory/piece/r/status", 404, ""),
        ("GET", "/v2/gpusharedmemory/status", 404, ""),
        ("GET", "/v1/systemsharedmemory/status", 404, ""),
        ("POST", "/v2/systemsharedmemory/status", 405, "GET, HEAD"),
        ("GET", "/v2/models/m/versions/1/trace/setting", 404, ""),
        ("DELETE", "/v2/logging", 405, "POST, GET, HEAD"),
    ],
)
def test_any_other_path_is_refused(method: str, target: str, status: int, allow: str) -> None:
    """404 for no path, 405 for no such method there."""
    with pytest.raises(NoSuchPath) as caught:
        operation_of(method, target)
    assert (caught.value.status, caught.value.allow) == (status, allow)


@pytest.mark.parametrize("target", ["/v2/models/a%20b/infer", "/v2/models/m/versions/1%2F2/infer"])
def test_what_cannot_be_a_name_is_not_found(target: str) -> None:
    """With the code of a model or version that there is not."""
    with pytest.raises(NotFound):
        operation_of("POST", target)
