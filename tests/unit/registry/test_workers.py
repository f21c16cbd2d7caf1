"""What the registry tells workers, and which."""

from __future__ import annotations

from tests.unit.registry.course import Course, register

from scurry.endpoint.call import Call
from scurry.registry.steps import AskLoad, AskUnload, Unpin
from scurry.registry.workers import tell
from scurry.wire.messages_pb2 import Load, Unload
from scurry.wire.names import REGISTRY

RECORD = Course().on(register("1", config={"pool": "gpu"})).record


def told(effect: AskLoad | AskUnload | Unpin, functions: tuple[str, ...] | None = None) -> list[tuple[str, str, bytes]]:
    """Function, address and value of what is sent."""
    call = Call(REGISTRY, "m", [])
    tell(call, RECORD, effect, functions)
    sent = call.response.invocation_result.outgoing_messages
    return [(f"{one.target.namespace}/{one.target.type}", one.target.id, one.argument.value) for one in sent]


def test_a_load_goes_to_the_pool_of_its_version() -> None:
    """To the worker of one lane, with the spec."""
    ((function, address, value),) = told(AskLoad("1", 1))
    assert (function, address) == ("scurry/inference.gpu", "m@1/load/1")
    assert (Load.FromString(value).lane, Load.FromString(value).spec) == (1, RECORD.versions[0].spec)


def test_what_is_dropped_or_let_go_is_told_to_all_of_a_pool() -> None:
    """Whatever pool the version is in by now."""
    ((function, address, value),) = told(AskUnload("1", 7, "i", "large"))
    assert (function, address) == ("scurry/inference.large", "m@1/load/all")
    assert Unload.FromString(value) == Unload(model="m", version="1", generation=7, identity="i")
    ((function, _, value),) = told(Unpin("1", "i"))
    assert (function, Unload.FromString(value).unpin) == ("scurry/inference", True)


def test_nobody_is_told_without_an_endpoint_for_them() -> None:
    """Such a message would be asked of the functions process for ever."""
    for effect in (AskLoad("1", 0), AskUnload("1", 1, "i", "gpu"), Unpin("1", "i", "gpu")):
        assert told(effect, ()) == []
        assert told(effect, ("scurry/inference.gpu",))


def test_a_version_that_is_gone_is_not_loaded() -> None:
    """Its record may have changed since it was asked for."""
    assert told(AskLoad("2", 0)) == []
