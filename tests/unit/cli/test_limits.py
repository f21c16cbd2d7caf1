"""What a model's requests may take, and how many lanes it has, on the command line."""

import pytest

from scurry.cli.limits import described, lanes_text, micros, tenant_of
from scurry.cli.main import main
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import LaneRange, Limits, TenantLimit


def test_limits_become_a_message(asker):
    """Each option a field; what is left out is not limited."""
    words = (
        "models limits digits --max-queue-size 9 --default-timeout 250ms --max-timeout 1m --tenant a=5:20 --tenant *=1"
    )
    assert main(words.split()) == 0
    assert main(["models", "limits", "digits"]) == 0
    given, none = asker.updates
    assert (given.model, given.WhichOneof("change")) == ("digits", "limits")
    assert given.limits == Limits(
        max_queue_size=9,
        default_timeout_microseconds=250_000,
        max_timeout_microseconds=60_000_000,
        tenants={"a": TenantLimit(rate=5, burst=20), "*": TenantLimit(rate=1)},
    )
    assert (none.WhichOneof("change"), none.limits) == ("limits", Limits())


def test_lanes_become_a_message(asker):
    """The fewest and the most."""
    assert main(["models", "lanes", "digits", "--min", "1", "--max", "4"]) == 0
    assert asker.updates[0].lanes == LaneRange(min=1, max=4)


@pytest.mark.parametrize(
    ("text", "figure"),
    [("2s", 2_000_000), ("1.5", 1_500_000), ("250ms", 250_000), ("7us", 7), ("5m", 300_000_000), ("0", 0),
     ("1h", 3_600_000_000), ("", None), ("s", None), ("-1s", None), ("2x", None), ("2sm", None), ("nan", None)],
)  # fmt: skip
def test_times(text, figure):
    """In microseconds, as the registry has them; nothing is seconds."""
    assert micros(text) == figure


@pytest.mark.parametrize("word", ["acme", "=5", "acme=", "acme=x", "acme=5:", "acme=5:y"])
def test_what_is_no_tenant(word):
    """A burst may be left out, nothing else."""
    if word == "acme=5:":
        assert tenant_of(word) == ("acme", TenantLimit(rate=5))
        return
    with pytest.raises(InvalidRequest, match="such as acme=5:20"):
        tenant_of(word)


@pytest.mark.parametrize(
    "words", ["limits m --default-timeout soon", "lanes m --max 17", "limits m --max-queue-size 0"]
)
def test_a_mistake_is_a_usage_error(asker, words, capsys):
    """With the option's name."""
    assert main(["models", *words.split()]) == 2
    assert words.split()[2] in capsys.readouterr().err


def test_a_record_is_told_in_lines():
    """Times in seconds."""
    tenants = {"a": {"rate": 0.5, "burst": 3.0}}
    record = {"limits": {"max_queue_size": 7, "max_timeout_microseconds": 2_500_000, "tenants": tenants}}
    assert described(record) == ["max_queue_size 7", "max_timeout 2.5 s", "tenant a: 0.5 a second, 3 at once"]
    assert described({}) == []
    assert lanes_text({"version": "1", "lanes": {"count": 2, "min": 1, "max": 4}}) == "version 1 lanes 2 (1 to 4)"
    assert lanes_text({"version": "1"}) == ""
