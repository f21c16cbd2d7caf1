"""What callers asked and got."""

from __future__ import annotations

from scurry.gateway.traffic import Answered, Traffic
from scurry.telemetry.prometheus import page


def test_requests_are_counted_by_door_status_and_code():
    """With their times and bytes."""
    traffic = Traffic()
    for seconds in (0.002, 0.2):
        traffic.note(Answered("oip", 200, "ok", seconds, 10, 100))
    traffic.note(Answered("v1", 404, "model_not_found", 0.001, 1, 2))
    lines = page(traffic.figures()).splitlines()
    for line in (
        'scurry_gateway_request_seconds_bucket{door="oip",status="200",code="ok",le="0.0025"} 1',
        'scurry_gateway_request_seconds_count{door="oip",status="200",code="ok"} 2',
        'scurry_gateway_request_seconds_count{door="v1",status="404",code="model_not_found"} 1',
        'scurry_gateway_received_bytes_total{door="oip",status="200",code="ok"} 20',
        'scurry_gateway_sent_bytes_total{door="oip",status="200",code="ok"} 200',
    ):
        assert line in lines, line


def test_the_access_log_names_request_and_model(caplog):
    """What a request has not is left out."""
    traffic = Traffic(access_log=True)
    with caplog.at_level("INFO", "scurry.access"):
        told = Answered("oip", 200, "ok", 0.0123456, 1, 2)
        traffic.log(told, "POST", "/v2/models/m/infer?x=1", request="r-1", traceparent="00-t")
        traffic.log(told, "GET", "/v2/health/live")
        traffic.log(told, "POST", "/v1/models/m:predict")
    first, second, third = [record.__dict__ for record in caplog.records]
    assert (first["request"], first["model"], first["ms"], first["traceparent"]) == ("r-1", "m", 12.346, "00-t")
    assert second.keys() & {"request", "model", "traceparent"} == set()
    assert third["model"] == "m"


def test_a_grpc_call_has_its_status_by_name_and_tells_its_model(caplog):
    """Beside HTTP's numbers; a model's name is as long as one may be."""
    traffic = Traffic(access_log=True)
    told = Answered("grpc", "NOT_FOUND", "model_not_found", 0.002, 10, 0)
    traffic.note(told)
    line = 'scurry_gateway_request_seconds_count{door="grpc",status="NOT_FOUND",code="model_not_found"} 1'
    assert line in page(traffic.figures()).splitlines()
    with caplog.at_level("INFO", "scurry.access"):
        traffic.log(told, "ModelInfer", "/inference.GRPCInferenceService/ModelInfer", request="r-1", model="m" * 999)
    logged = caplog.records[0].__dict__
    assert (logged["method"], logged["status"], logged["request"]) == ("ModelInfer", "NOT_FOUND", "r-1")
    assert logged["model"] == "m" * 128
