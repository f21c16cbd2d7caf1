"""Runs of graphs, through router, registry and worker."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.inference.toys import DictPayloads, Shop, Toy, row
from tests.unit.protocols.test_cluster_serving_arrow import as_client, stream, tensor

from scurry.endpoint.call import State
from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.ensemble import EnsembleRuntime
from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import parse_options
from scurry.testing import Harness
from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.messages_pb2 import ENCODING_ARROW, ENCODING_INPUTS
from scurry.wire.names import GRAPH, ROUTER
from scurry.wire.tensors import to_tensor


def step(model: str, inputs: dict[str, str], outputs: dict[str, str], version: Any = -1) -> dict[str, Any]:
    """One step of a config."""
    return {"model_name": model, "model_version": version, "input_map": inputs, "output_map": outputs}


def port(name: str) -> dict[str, Any]:
    """One row of two numbers."""
    return {"name": name, "data_type": "TYPE_FP32", "dims": [2]}


def ensemble(*steps: dict[str, Any], inputs: tuple[str, ...] = ("image",), outputs: tuple[str, ...] = ("label",)):
    """Opens a graph, as a worker would."""
    config = json.dumps(
        {
            "max_batch_size": 8,
            "input": [port(name) for name in inputs],
            "output": [port(name) for name in outputs],
            "ensemble_scheduling": {"step": list(steps)},
        }
    )

    def make() -> EnsembleRuntime:
        opened = EnsembleRuntime(_NONE, parse_options(config, {}, EnsembleRuntime.known, "ensemble"), 1)
        opened.open()
        return opened

    return make


_NONE = ModelFile(EnsembleRuntime.locate("ensemble:", "g", "1", "").path)
CHAIN = (step("plus", {"x": "image"}, {"y": "mid"}), step("times", {"x": "mid"}, {"y": "label"}))


class World:
    """A harness with toys and graphs; `payloads` is what is parked."""

    def __init__(self, **models: Any) -> None:
        self.shop, self.payloads, self.toys = Shop(), DictPayloads(), {}
        functions = {"plus": lambda x: [x + 1], "times": lambda x: [x * 10], "fails": _fail}
        for name, function in functions.items():
            self.toys[name] = Toy(function)
        self.shop.toys.update({name: lambda toy=toy: toy for name, toy in self.toys.items()})
        self.shop.toys.update(models)
        self.harness = Harness(Inference(Shelf(self.shop, 1 << 20), self.payloads))

    async def ready(self, *names: str) -> Harness:
        """With these registered."""
        for name in (*self.toys, *names):
            await self.harness.register(name, "toy" if name in self.toys else "ensemble:")
        return self.harness

    @property
    def runs(self) -> list[str]:
        """Runs that have a state."""
        return [key for function, key in self.harness.states if function == GRAPH]

    def asked(self, model: str) -> int:
        """So often was a model run for a request of ours."""
        return sum(1 for mail in self.harness.sent if mail.to == (ROUTER, model) and mail.typename.endswith("Requests"))


def _fail(x: Any) -> Any:
    raise ValueError("no")


async def test_each_step_gets_what_the_one_before_gave() -> None:
    """One answer, in the graph's name; what was known of the run is gone."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    answer = await harness.infer("g", {"image": row(1, 2)})
    np.testing.assert_array_equal(answer["label"], [[20, 30]])
    (reply,) = [each for each in harness.out.replies.values() if each.model == "g" and not each.record]
    assert (reply.model, reply.version, harness.out.repeated, world.runs) == ("g", "1", [], [])


async def test_steps_that_need_nothing_of_each_other_run_side_by_side() -> None:
    """And each is asked once, however many take what it gives."""
    world = World(
        g=ensemble(
            step("plus", {"x": "image"}, {"y": "p"}),
            step("times", {"x": "p"}, {"y": "left"}),
            step("plus", {"x": "p"}, {"y": "right"}),
            step("plus", {"x": "right"}, {"y": "far"}),
            outputs=("left", "right", "far"),
        )
    )
    harness = await world.ready("g")
    answer = await harness.infer("g", {"image": row(1, 2)})
    assert {name: each.tolist() for name, each in answer.items()} == {
        "left": [[20, 30]],
        "right": [[3, 4]],
        "far": [[4, 5]],
    }
    assert (world.asked("plus"), world.asked("times")) == (3, 1)


async def test_a_caller_may_name_the_outputs_wanted() -> None:
    """Only those; one that is none is said before anything runs."""
    world = World(g=ensemble(*CHAIN, outputs=("label", "mid")))
    harness = await world.ready("g")
    for names, expected in ((["mid"], ["mid"]), ([], ["label", "mid"])):
        asked = InferRequest(inputs=[to_tensor("image", row(1, 2))], outputs=names)
        (reply,) = await harness.ask(harness.request("g", body=asked.SerializeToString()))
        assert [each.name for each in InferReply.FromString(reply.body).outputs] == expected
    asked = InferRequest(inputs=[to_tensor("image", row(1, 2))], outputs=["y"])
    (reply,) = await harness.ask(harness.request("g", body=asked.SerializeToString()))
    assert (reply.error, "it has 'label', 'mid'" in reply.message) == ("output_name", True)


async def test_json_is_answered_in_json() -> None:
    """With the graph's own names."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    body = json.dumps({"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}).encode()
    (reply,) = await harness.ask(harness.request("g", body=body, encoding=ENCODING_INPUTS))
    document = json.loads(reply.body)
    assert (document["model_name"], document["outputs"][0]["name"], document["outputs"][0]["data"]) == (
        "g",
        "label",
        [20, 30],
    )


@pytest.mark.parametrize(
    ("steps", "failure", "code", "sentence"),
    [
        ((step("fails", {"x": "image"}, {"y": "label"}),), Failed, "model_failed", "Step 1 (model 'fails'): The model"),
        ((step("nobody", {"x": "image"}, {"y": "label"}),), NotFound, "model_not_found", "Step 1 (model 'nobody')"),
        ((step("plus", {"x": "image"}, {"y": "label"}, 9),), NotFound, "version_not_found", "Step 1 (model 'plus')"),
        ((step("plus", {"z": "image"}, {"y": "label"}),), InvalidRequest, "input_name", "no input 'z'"),
        ((step("plus", {"x": "image"}, {"z": "label"}),), InvalidRequest, "output_name", "no output 'z'"),
        ((CHAIN[0], step("fails", {"x": "mid"}, {"y": "label"})), Failed, "model_failed", "Step 2 (model 'fails')"),
    ],
)
async def test_a_step_that_fails_is_named(steps: Any, failure: type[ScurryError], code: str, sentence: str) -> None:
    """With its own code; the run leaves nothing behind."""
    world = World(g=ensemble(*steps))
    harness = await world.ready("g")
    with pytest.raises(failure) as caught:
        await harness.infer("g", {"image": row(1, 2)})
    assert (caught.value.code, sentence in caught.value.message, world.runs) == (code, True, [])


async def test_a_request_that_does_not_fit_the_graph_is_refused_in_its_own_words() -> None:
    """No step is asked."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    with pytest.raises(InvalidRequest, match="no input 'x'; it takes 'image'"):
        await harness.infer("g", {"x": row(1, 2)})
    assert world.asked("plus") == 0


async def test_a_graph_may_be_a_step_of_another() -> None:
    """Both answer in one reply; one that names itself ends with a sentence."""
    inner = ensemble(*CHAIN)
    outer = ensemble(
        step("inner", {"image": "image"}, {"label": "mid"}), step("plus", {"x": "mid"}, {"y": "label"})
    )
    itself = ensemble(step("itself", {"image": "image"}, {"label": "label"}))
    world = World(inner=inner, outer=outer, itself=itself)
    harness = await world.ready("inner", "outer", "itself")
    np.testing.assert_array_equal((await harness.infer("outer", {"image": row(1, 2)}))["label"], [[21, 31]])
    with pytest.raises(InvalidRequest, match="nest deeper than 8"):
        await harness.infer("itself", {"image": row(1, 2)})
    assert world.runs == []


async def test_what_is_parked_travels_as_its_key() -> None:
    """Large tensors are read by those whose turn it is, and go when the answer is safe."""
    many = row(*range(2))
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    request = harness.request("g", id="r1")
    key = "scurry:payload:r1:in:image"
    world.payloads.parked[key] = many.tobytes()
    parked = Tensor(name="image", datatype="FP32", shape=(1, 2), payload=key)
    request.body = InferRequest(inputs=[parked]).SerializeToString()
    (reply,) = await harness.ask(request)
    assert list(reply.consumed) == [key]
    assert InferReply.FromString(reply.body).outputs[0].data == ((many + 1) * 10).tobytes()
    assert world.payloads.fetches == [[key]]


async def test_a_step_whose_worker_is_lost_is_asked_again_and_no_other() -> None:
    """What was finished before is not."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    inference = harness._room._functions["scurry/inference"]
    serve, killed = inference.serve, []

    async def dying(calls, done):
        for call in calls:
            if call.key.startswith("times@") and "/load/" not in call.key and not killed:
                killed.append(call.key)
                raise ConnectionError("the worker was lost")
        await serve(calls, done)

    inference.serve = dying  # type: ignore[method-assign]
    request = harness.request("g", body=InferRequest(inputs=[to_tensor("image", row(1, 2))]).SerializeToString())
    await harness.ask(request)
    assert request.id not in harness.out.replies
    await harness.advance(60_000)
    reply = harness.reply(request.id)
    assert np.frombuffer(InferReply.FromString(reply.body).outputs[0].data, np.float32).tolist() == [20, 30]
    assert (len(killed), world.asked("plus"), harness.out.repeated) == (1, 1, [])


async def test_a_deadline_that_passes_between_two_steps_ends_the_run() -> None:
    """The second step's router says so, and the caller hears it once."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    body = InferRequest(inputs=[to_tensor("image", row(1, 2))]).SerializeToString()
    (reply,) = await harness.ask(harness.request("g", body=body, deadline=harness.clock() - 1))
    assert (reply.error, world.runs) == ("deadline_exceeded", [])


async def test_a_run_is_counted_once_by_the_graphs_own_version() -> None:
    """When it ends, by what came of it; what is refused before it begins as well."""
    world = World(g=ensemble(CHAIN[0], step("fails", {"x": "mid"}, {"y": "label"})), h=ensemble(*CHAIN))
    harness = await world.ready("g", "h")
    for name in ("g", "h", "h"):
        with contextlib.suppress(Failed):
            await harness.infer(name, {"image": row(1, 2)})
    with pytest.raises(InvalidRequest):
        await harness.infer("h", {"x": row(1, 2)})
    await harness.advance(30_000)
    shown = {name: harness.out.views[name]["versions"][0] for name in ("g", "h", "plus")}
    counts = {name: (one["requests"], one["ok"], one["errors"]) for name, one in shown.items()}
    assert counts == {"g": (1, 0, {"model_failed": 1}), "h": (3, 2, {"input_name": 1}), "plus": (3, 3, {})}
    assert {name: list(one["failed_ms"]) for name, one in shown.items()} == {"g": ["model_failed"], "h": [], "plus": []}
    assert {name: bool(one["last_inference"]) for name, one in shown.items()} == {"g": False, "h": True, "plus": True}
    computed = {name: any(one["stage_micros"].values()) for name, one in shown.items()}
    assert computed == {"g": False, "h": False, "plus": True}


class Silent:
    """A user's function that is bound."""

    typename = "example/echo"
    state: State | None = None

    async def serve(self, calls, done) -> None:
        """Says nothing."""
        for call in calls:
            done(call)


async def test_a_users_function_cannot_be_a_step() -> None:
    """It would answer the caller itself, with the answer of a part."""
    world = World(g=ensemble(step("echo", {"x": "image"}, {"y": "label"})))
    world.harness = Harness(Inference(Shelf(world.shop, 1 << 20), world.payloads), Silent())
    harness = await world.ready("g")
    await harness.register("echo", "example/echo", runtime="function")
    with pytest.raises(InvalidRequest, match="cannot be a step"):
        await harness.infer("g", {"image": row(1, 2)})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["plus", "times"]), st.integers(0, 5)), min_size=1, max_size=6), st.randoms())
def test_any_graph_answers_as_its_steps_do_one_by_one(made: Any, random: Any) -> None:
    """Each takes what an earlier one gives, in whatever order the config lists them."""
    stated, values = [], {"t0": np.array([[1, 2]], np.float32)}
    for number, (model, source) in enumerate(made, 1):
        taken = f"t{source % number}"
        stated.append(step(model, {"x": taken}, {"y": f"t{number}"}))
        values[f"t{number}"] = values[taken] + 1 if model == "plus" else values[taken] * 10
    random.shuffle(stated)
    outputs = tuple(values)[1:]

    async def run() -> dict[str, Any]:
        world = World(g=ensemble(*stated, inputs=("t0",), outputs=outputs))
        harness = await world.ready("g")
        answer = await harness.infer("g", {"t0": values["t0"]})
        assert world.runs == []
        return answer

    answer = asyncio.run(run())
    assert list(answer) == list(outputs)
    for name in outputs:
        np.testing.assert_array_equal(answer[name], values[name])


async def test_messages_for_a_run_that_is_over_change_nothing() -> None:
    """Neither a late answer nor a start that comes twice."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    await harness.infer("g", {"image": row(1, 2)})
    mails = [mail for mail in harness.sent if mail.to[0] == GRAPH and mail.typename.endswith("Reply")]
    for mail in mails:
        harness._room.post(mail)
    await harness.run()
    assert (harness.out.repeated, world.runs) == ([], [])


@pytest.mark.parametrize(("batched", "shape"), [(False, [2]), (True, [1, 2])])
async def test_a_cluster_serving_record_is_answered_by_a_graph(batched: bool, shape: list[int]) -> None:
    """In its own form, with a batch dimension if it came with one; only the whole is answered."""
    world = World(g=ensemble(*CHAIN))
    harness = await world.ready("g")
    body = stream(image=tensor(data=[1.0, 2.0], shape=shape))
    place = {"stream": "s", "uri": b"u", "batched": batched}
    (reply,) = await harness.ask(harness.request("g", body=body, encoding=ENCODING_ARROW, **place))
    assert as_client(reply.body) == [(shape, [20, 30])]
    assert (reply.stream, reply.uri) == ("s", b"u")
    wrong = harness.request("g", body=b"?", encoding=ENCODING_ARROW, **place)
    (refused,) = await harness.ask(wrong)
    assert (refused.error, refused.stream, refused.uri) == ("bad_request", "s", b"u")


async def test_a_users_function_reads_no_cluster_serving_stream() -> None:
    """Its reply would not say where it goes; others of the same call are its own."""
    world = World()
    world.harness = Harness(Inference(Shelf(world.shop, 1 << 20), world.payloads), Silent())
    harness = await world.ready()
    await harness.register("echo", "example/echo", runtime="function")
    (reply,) = await harness.ask(harness.request("echo", body=b"", encoding=ENCODING_ARROW, stream="s", uri=b"u"))
    assert (reply.error, reply.stream) == ("bad_request", "s")
