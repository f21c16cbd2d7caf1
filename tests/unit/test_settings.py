"""Settings: command line over environment over defaults."""

import argparse

import pytest

from scurry.rules import InvalidSettings
from scurry.settings import ALL, FunctionsSettings, GatewaySettings, UpSettings, WorkerSettings, load, variables


def test_defaults_are_the_ports_of_the_contract():
    """Without arguments and variables the contract's ports hold."""
    gateway = load(GatewaySettings, None, {})
    assert (gateway.http_port, gateway.grpc_port, gateway.metrics_port) == (8000, 8001, 8002)
    assert load(FunctionsSettings, None, {}).port == 8100
    assert load(WorkerSettings, None, {}).port == 8110


def test_the_command_line_wins_over_the_environment():
    """An argument beats the variable, the variable beats the default."""
    environ = {"SCURRY_HTTP_PORT": "9000", "SCURRY_GRPC_PORT": "9001"}
    settings = load(GatewaySettings, argparse.Namespace(http_port=7000, grpc_port=None), environ)
    assert (settings.http_port, settings.grpc_port, settings.metrics_port) == (7000, 9001, 8002)


def test_values_take_the_type_of_their_field():
    """Numbers are parsed, text stays text."""
    settings = load(GatewaySettings, None, {"SCURRY_TIMEOUT_S": "2.5", "SCURRY_REDIS_URL": "redis://r:1/0"})
    assert settings.timeout_s == 2.5
    assert settings.redis_url == "redis://r:1/0"


def test_an_unknown_variable_is_an_error():
    """A misspelt variable is named, with those that exist."""
    with pytest.raises(InvalidSettings, match=r"SCURRY_HTTP_PROT is not a setting; known are .*SCURRY_HTTP_PORT"):
        load(GatewaySettings, None, {"SCURRY_HTTP_PROT": "1"})


def test_a_variable_of_another_process_is_known():
    """One environment may serve all processes."""
    assert load(FunctionsSettings, None, {"SCURRY_HTTP_PORT": "1", "SCURRY_WORKERS": "http://w:1"}).port == 8100


def test_a_value_of_the_wrong_type_is_an_error():
    """The sentence names variable, value and what was expected."""
    with pytest.raises(InvalidSettings, match="SCURRY_PORT takes a port from 0 to 65535, not 'many'"):
        load(WorkerSettings, None, {"SCURRY_PORT": "many"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCURRY_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("SCURRY_GATEWAY_SERVICE_PORT_HTTP", "8000"),
        ("SCURRY_GATEWAY_PORT", "tcp://10.0.0.1:8000"),
        ("SCURRY_GATEWAY_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("SCURRY_PORT", "tcp://10.0.0.1:8000"),
    ],
)
def test_variables_that_kubernetes_makes_for_services_are_ignored(name, value):
    """A Service named scurry-gateway or scurry does not break the start."""
    assert load(WorkerSettings, None, {name: value}).port == 8110


def test_up_picks_free_ports_unless_told():
    """Two `scurry up` can run side by side."""
    settings = load(UpSettings, None, {})
    assert {settings.http_port, settings.grpc_port, settings.metrics_port, settings.ui_port} == {0}
    assert settings.redis_url == ""


def test_every_field_has_a_variable():
    """The set of known variables covers fields and the job's own."""
    assert {"SCURRY_DIR", "SCURRY_MEMORY_MB", "SCURRY_FUNCTIONS", "SCURRY_LOG_LEVEL"} <= variables()


def test_certificates_of_each_process_and_of_the_job():
    """Whoever listens takes the same names; those of the job are known to all."""
    job = {"SCURRY_TLS_CA": "ca", "SCURRY_TLS_CLIENT_CERT": "crt", "SCURRY_TLS_CLIENT_KEY": "key"}
    ours = {"SCURRY_TLS_CERT": "c", "SCURRY_TLS_KEY": "k", "SCURRY_TLS_CLIENT_CA": "a"}
    for cls in ALL:
        settings = load(cls, None, job | ours)
        assert (settings.tls_cert, settings.tls_key, settings.tls_client_ca) == ("c", "k", "a")
    with pytest.raises(InvalidSettings, match="SCURRY_TLS_CAS is not a setting"):
        load(WorkerSettings, None, {"SCURRY_TLS_CAS": "ca"})


@pytest.mark.parametrize(
    ("text", "right"), [("", True), ("python,sklearn-pickle", True), ("all of it", False), ("pyton", False)]
)
def test_what_is_allowed_is_a_list_of_names(text, right):
    """With commas between."""
    if right:
        assert load(WorkerSettings, None, {"SCURRY_ALLOW": text}).allow == text
    else:
        with pytest.raises(InvalidSettings, match="SCURRY_ALLOW takes names with commas between: python"):
            load(WorkerSettings, None, {"SCURRY_ALLOW": text})
