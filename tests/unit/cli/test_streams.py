"""Streams of Cluster Serving clients, on the command line."""

import pytest

from scurry.cli.main import main
from scurry.cli.streams import described
from scurry.wire.messages_pb2 import Bind


@pytest.mark.parametrize(
    ("words", "bind"),
    [
        ("", Bind(stream="serving_stream")),
        ("orders --batched", Bind(stream="orders", batched=True)),
        ("orders --off", Bind(stream="orders", unbind=True)),
        ("--off", Bind(unbind=True)),
    ],
)
def test_a_binding_becomes_a_message(asker, words, bind):
    """The stream that clients write to unless they are told is the default, but not what is taken away."""
    assert main(["models", "bind", "digits", *words.split()]) == 0
    (update,) = asker.updates
    assert (update.model, update.WhichOneof("change"), update.bind) == ("digits", "bind", bind)


def test_what_is_gone_has_no_batch_dimension(asker, capsys):
    """One of both is refused."""
    assert main(["models", "bind", "digits", "s", "--off", "--batched"]) == 1
    assert (asker.updates, "--batched or --off" in capsys.readouterr().err) == ([], True)


def test_a_record_shows_its_streams():
    """A line for each."""
    record = {"streams": {"a": {"batched": False}, "b": {"batched": True}}}
    assert described(record) == ["answers stream a", "answers stream b (batched)"]
    assert described({}) == []
