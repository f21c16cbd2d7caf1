"""Steps that come back to the router."""

from __future__ import annotations

from tests.unit.router.asking import Outcome, route, routed, serve
from tests.unit.router.test_steps import away, sent, step

from scurry.wire.messages_pb2 import Bounced, Requests, RouterState
from scurry.wire.names import INFERENCE


def back(out: Outcome, *, missed: bool = False, executing: bool = False) -> Bounced:
    """What the last step's call sends back."""
    key, value = next((key, value) for to, key, value in reversed(out.sent) if to == INFERENCE)
    lost = Requests(requests=value.requests, version=value.version, missed=missed)
    return Bounced(
        message=lost.SerializeToString(), typename="scurry.v1/Requests", address=key, executing=executing, cause="Lost."
    )


def counted(out: Outcome, version: str) -> dict[str, int]:
    """Errors of a version that the registry has not heard of."""
    state = RouterState.FromString(out.state or b"")
    return dict(next(one.untold.primary.errors for one in state.versions if one.version == version))


async def test_an_unknown_sequence_is_looked_for_in_the_other_versions() -> None:
    """The newest first, each once; then there is none."""
    versions = [route(f"{n}", 1 if n == 4 else 0, sequences=n != 2) for n in range(1, 5)]
    out = await serve(await routed(*versions, route("5", 0, sequences=True, draining=True)), step("a"))
    ways = [sent(out)[0][0]]
    for _ in range(2):
        out = await serve(out.state, back(out, missed=True))
        ways.append(sent(out)[0][0])
    assert ways == ["m@4/seq/7", "m@3/seq/7", "m@1/seq/7"]
    assert away(out) == 1
    out = await serve(out.state, back(out, missed=True))
    assert out.errors == {"a": "sequence_not_found"}
    assert "sequence '7'" in out.replies[0].message
    assert counted(out, "1") == {"sequence_not_found": 1}
    assert away(out) == 0


async def test_who_names_a_version_means_it() -> None:
    """No other is asked; an alias names whichever version knows the sequence."""
    state = await routed(route("1", sequences=True), route("2", sequences=True), aliases={"new": "2"})
    out = await serve(state, step("a", version="2"))
    assert (await serve(out.state, back(out, missed=True))).errors == {"a": "sequence_not_found"}
    out = await serve(state, step("a", version="new"))
    assert sent(await serve(out.state, back(out, missed=True))) == [("m@1/seq/7", "a")]


async def test_what_lost_worker_after_worker_is_answered_for_good() -> None:
    """It is kept among the dead letters, and not sent again: another step may be on its way."""
    out = await serve(await routed(route("1", sequences=True)), step("a"))
    out = await serve(out.state, back(out, executing=True))
    assert out.errors == {"a": "worker_lost"}
    assert out.replies[0].message.endswith("and with it its sequence. Lost.")
    assert [letter.request.id for letter in out.dead] == ["a"]
    assert counted(out, "1") == {"worker_lost": 1}
    assert (sent(out), out.delayed, away(out)) == ([], [], 0)
