"""How an answer is written for whoever fetches it later, or again.

The form that was asked for is remembered beside the request, as JSON: `protocol` says whose it is, the rest is that
protocol's own. One writer for each protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from scurry.client.answers import Answer
from scurry.gateway.doors.background import AT_ONCE
from scurry.gateway.doors.replies import HttpReply, binary_reply
from scurry.gateway.results import Form
from scurry.protocols import oip_binary, tf_serving_replies
from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.wire.infer_pb2 import InferReply

OPEN_INFERENCE: Final = "oip"
TENSORFLOW: Final = "tf_serving"

Write = Callable[[Form, Answer, str], Awaitable[HttpReply]]
"""Writes the answer of a model in the form that was asked for. Raises `InvalidRequest` for what it cannot tell."""


def open_inference(call: BinaryCall) -> Form:
    """The form of a v2 answer: the protocol's id, and which outputs stand behind the JSON."""
    named = {"named": call.binary.named} if call.binary.named else {}
    return {"protocol": OPEN_INFERENCE, "id": call.id, "every": call.binary.every, **named}


def tensorflow(verb: str, *, rows: bool) -> Form:
    """The form of the answer to a `:predict`, in rows or columns, a `:classify` or `:regress`."""
    return {"protocol": TENSORFLOW, "verb": verb, "rows": rows}


def as_text(form: Form) -> Form:
    """The same without raw tensors behind the JSON."""
    return {name: value for name, value in form.items() if name not in {"every", "named"}}


async def write(form: Form, answer: Answer, model: str) -> HttpReply:
    """The response that tells an answer in the form that was asked for."""
    return await WRITERS[form["protocol"]](form, answer, model)


async def write_open_inference(form: Form, answer: Answer, model: str) -> HttpReply:
    """As v2 has it; large JSON is written off the loop."""
    binary = BinaryOutputs(bool(form.get("every")), dict(form.get("named") or {}))
    much = binary.json_bytes(answer.reply) > AT_ONCE

    def response() -> HttpReply:
        told_of, version, echo = answer.model or model, answer.version, str(form.get("id") or "")
        return binary_reply(
            *oip_binary.encode_reply(answer.reply, model=told_of, version=version, id=echo, binary=binary)
        )

    return await asyncio.to_thread(response) if much else response()


async def write_tensorflow(form: Form, answer: Answer, model: str) -> HttpReply:  # noqa: ARG001 - every writer's
    """As TensorFlow Serving has it, in which no model is named; what is large is written off the loop."""
    encode = partial(predictions, form, answer.reply)
    much = answer.reply.ByteSize() > AT_ONCE
    return binary_reply(await asyncio.to_thread(encode) if much else encode(), [])


def predictions(form: Form, reply: InferReply) -> bytes:
    """The body that tells a reply as TensorFlow Serving does. Raises `InvalidRequest`."""
    if form["verb"] == "predict":
        return tf_serving_replies.encode_predictions(reply, rows=form["rows"])
    encode = tf_serving_replies.encode_classes if form["verb"] == "classify" else tf_serving_replies.encode_values
    return encode(reply)


WRITERS: Final[Mapping[str, Write]] = MappingProxyType(
    {OPEN_INFERENCE: write_open_inference, TENSORFLOW: write_tensorflow}
)
"""Who writes the answers of each protocol."""
