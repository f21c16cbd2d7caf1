"""Records what the official SDK reads and answers; run it with an interpreter that has apache-flink-statefun.

.build/sdk-venv/bin/python tests/unit/endpoint/record_sdk.py
"""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from statefun import (
    EgressMessage,
    RequestReplyHandler,
    StatefulFunctions,
    ValueSpec,
    message_builder,
    simple_type,
)
from statefun.request_reply_pb2 import ToFunction, TypedValue

FILE = Path(__file__).with_name("sdk_exchanges.json")
RAW = simple_type(typename="scurry.v1/Raw", serialize_fn=bytes, deserialize_fn=bytes)
STATE = ValueSpec("router", RAW)
functions = StatefulFunctions()


def send(context, _message):
    """One message, to the lane of a model."""
    context.send(message_builder("scurry/inference", "digits@2/0", value=b"\x00\x01", value_type=RAW))


def reply(context, _message):
    """One message back to the caller."""
    context.send(message_builder(context.caller.typename, context.caller.id, value=b"answer", value_type=RAW))


def later(context, _message):
    """A delayed message with a token, one without, and the first one cancelled."""
    late = message_builder("scurry/router", "digits", value=b"again", value_type=RAW)
    context.send_after(timedelta(milliseconds=250), late, cancellation_token="retry-1")
    context.send_after(timedelta(seconds=2), late)
    context.cancel_delayed_message("retry-1")


def egress(context, _message):
    """Two values for the egress."""
    for value in (b"first", b""):
        typed = TypedValue(typename="scurry.v1/Replies", has_value=True, value=value)
        context.send_egress(EgressMessage("scurry/replies", typed))


def keep(context, message):
    """The state, longer by the message."""
    context.storage.router = (context.storage.router or b"") + message.as_type(RAW)


def forget(context, _message):
    """The state deleted."""
    del context.storage.router


ACTIONS = {"send": send, "reply": reply, "later": later, "egress": egress, "keep": keep, "forget": forget}


@functions.bind("scurry/router", specs=[STATE])
def router(context, message):
    """Do what the message says."""
    ACTIONS.get(message.as_type(RAW).decode(), keep)(context, message)


def call(*messages, key="digits", state=b"", caller=True, declared=True):
    """A batch as the job would send it."""
    request = ToFunction()
    batch = request.invocation
    batch.target.namespace, batch.target.type, batch.target.id = "scurry", "router", key
    if declared:
        value = batch.state.add(state_name="router").state_value
        value.typename = RAW.typename
        if state:
            value.has_value, value.value = True, state
    for message in messages:
        item = batch.invocations.add()
        if caller:
            item.caller.namespace, item.caller.type, item.caller.id = "scurry", "inference", "digits@2/0"
        item.argument.typename, item.argument.has_value, item.argument.value = RAW.typename, True, message
    return request.SerializeToString()


CASES = {
    "one message sent on": call(b"send"),
    "an answer to the caller": call(b"reply"),
    "delayed and cancelled": call(b"later"),
    "values for the egress": call(b"egress"),
    "a first state": call(b"one", caller=False),
    "a state that grows over a batch": call(b"two", b"three", state=b"one"),
    "a state deleted": call(b"forget", state=b"one"),
    "a batch with everything": call(b"send", b"egress", b"later", b"four", state=b"x", key="modèle"),
    "no state declared yet": call(b"send", declared=False),
}


async def record():
    """Ask the SDK's own handler."""
    handler = RequestReplyHandler(functions)
    return [
        {"case": name, "to_function": asked.hex(), "from_function": (await handler.handle_async(asked)).hex()}
        for name, asked in CASES.items()
    ]


if __name__ == "__main__":
    FILE.write_text(json.dumps(asyncio.run(record()), indent=1, ensure_ascii=False) + "\n")
