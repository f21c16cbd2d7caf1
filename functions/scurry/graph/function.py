"""The function `scurry/graph`: runs of models that are made of others.

Each run has an address of its own, whose state is what the run knows. Steps are asked by message through each model's
router, so that its versions, splits and limits hold for them; a step's reply comes back here. State and messages are
exactly once: after a crash a run goes on where it was, and no finished step is asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from scurry.endpoint.call import Call, State, answer_each, now_ms
from scurry.graph import run as runs
from scurry.protocols.cluster_serving import encode_reply as encode_record
from scurry.protocols.oip_json import encode_reply
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Done, GraphRun, GraphStart, Replies, Reply, Request, Requests
from scurry.wire.names import EGRESS, GRAPH, GRAPH_STATE, ROUTER, TYPE_PREFIX
from scurry.wire.statistics import RUNS, age_ms

log = logging.getLogger(__name__)

STATE: Final = State(GRAPH_STATE, f"{TYPE_PREFIX}GraphRun")
START: Final = f"{TYPE_PREFIX}GraphStart"
REPLY: Final = f"{TYPE_PREFIX}Reply"


class Graphs:
    """Serves every run; nothing is kept but what travels with the calls."""

    typename = GRAPH
    state: State | None = STATE

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; never waits."""
        answer_each(calls, done, self._answer)

    def _answer(self, call: Call) -> None:
        """What came for one run: its beginning, or what steps of it answered."""
        run = GraphRun.FromString(call.state) if call.state else None
        for message in call.messages:
            if message.typename == START and run is None:
                run = self._advance(call, runs.begin(GraphStart.FromString(message.value)), None)
            elif message.typename == REPLY and run is not None:
                run = self._advance(call, run, Reply.FromString(message.value))
            else:  # an answer to a run that has failed meanwhile, or a start that came twice
                log.debug("run %s: a message of type %s is left out", call.key, message.typename)
        if run is not None:
            call.keep(STATE, run.SerializeToString())
        elif call.state:
            call.keep(STATE, None)

    def _advance(self, call: Call, run: GraphRun, reply: Reply | None) -> GraphRun | None:
        """The run after a message; None when it is over."""
        try:
            if reply is not None and not runs.take(run, reply):
                return run
            if runs.is_over(run):
                _answer_caller(call, run, runs.result(run))
                return None
            _ask(call, runs.ready(run, call.key))
        except ScurryError as failure:
            _refuse_caller(call, run, failure)
            return None
        except Exception as cause:
            log.exception("run %s failed", call.key)
            _refuse_caller(call, run, Failed("internal", f"The run failed: {type(cause).__name__}: {cause}"))
            return None
        return run

    def __repr__(self) -> str:
        return "<Graphs>"


def _ask(call: Call, requests: Sequence[Request]) -> None:
    for request in requests:
        call.send(ROUTER, request.model, f"{TYPE_PREFIX}Requests", Requests(requests=[request]).SerializeToString())


def _answer_caller(call: Call, run: GraphRun, answer: InferReply) -> None:
    """The one reply of the run; what is parked for it and not referred to goes once it is safe."""
    reply = _reply(run)
    reply.parked.extend(tensor.payload for tensor in answer.outputs if tensor.payload)
    reply.consumed.extend(key for key in runs.keys(run) if key not in reply.parked)
    if reply.encoding and reply.parked:
        sentence = "An output of the graph is too large for this form of reply over Redis: send `request`, or use HTTP."
        raise InvalidRequest("too_large", sentence)
    reply.body = _written(run, reply, answer)
    _send(call, reply)


def _written(run: GraphRun, reply: Reply, answer: InferReply) -> bytes:
    """The answer as its caller reads it."""
    if not reply.encoding:
        return answer.SerializeToString()
    if reply.encoding == ENCODING_INPUTS:
        return encode_reply(answer, model=reply.model, version=reply.version, id=reply.id)
    outputs = [(tensor.shape, tensor.data) for tensor in answer.outputs]
    return encode_record(answer.outputs, outputs, added=not run.start.request.batched)


def _refuse_caller(call: Call, run: GraphRun, failure: ScurryError) -> None:
    reply = _reply(run)
    reply.error, reply.message = failure.code, shortened(failure.message)
    reply.consumed.extend(runs.keys(run))
    _send(call, reply)


def _reply(run: GraphRun) -> Reply:
    request = run.start.request
    reply = Reply(id=request.id, entry=request.entry, reply=request.reply, model=request.model)
    reply.version, reply.encoding, reply.bulk = run.start.version, request.encoding, request.bulk
    reply.digest, reply.run, reply.step = request.digest, request.run, request.step
    reply.stream, reply.uri = request.stream, request.uri
    if request.HasField("keep"):
        reply.keep = request.keep
    return reply


def _send(call: Call, reply: Reply) -> None:
    """To the caller, and counted by the graph's router; a graph that is a step of another answers that."""
    told = Done(version=reply.version, lane=RUNS)
    now = now_ms()
    age = age_ms(reply.entry, now)
    counts = told.answered.add(ok=0 if reply.error else 1, waited=(age, 1), last_millis=0 if reply.error else now)
    if reply.error:
        counts.errors[reply.error] = 1
        counts.failed_millis[reply.error] = age
    call.send(ROUTER, reply.model, f"{TYPE_PREFIX}Done", told.SerializeToString())
    if reply.run:
        call.send(GRAPH, reply.run, REPLY, reply.SerializeToString())
    else:
        call.egress(EGRESS, f"{TYPE_PREFIX}Replies", Replies(replies=[reply]).SerializeToString())
