"""What an endpoint was asked."""

from scurry.endpoint.call import Call, Message
from scurry.endpoint.traffic import Traffic
from scurry.telemetry.prometheus import page


def test_calls_are_counted_by_their_messages():
    """By function; what is open is told by who asks."""
    traffic = Traffic(("scurry/router",))
    calls = [Call("scurry/router", "m", [Message("t", b"")] * count) for count in (1, 3)]
    traffic.functions["scurry/router"].note(calls, 0.002)
    traffic.received += 70
    lines = page(traffic.figures(2, 5)).splitlines()
    for line in (
        'scurry_function_batch_messages_bucket{function="scurry/router",le="1"} 1',
        'scurry_function_batch_messages_sum{function="scurry/router"} 4',
        'scurry_function_seconds_count{function="scurry/router"} 1',
        'scurry_function_failures_total{function="scurry/router"} 0',
        "scurry_endpoint_open_exchanges 2",
        "scurry_endpoint_connections 5",
        "scurry_endpoint_received_bytes_total 70",
    ):
        assert line in lines, line
