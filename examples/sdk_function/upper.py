"""A function of the StateFun SDK that Scurry calls like a model: text in, capitals out."""

import argparse
import json
import struct

from aiohttp import web
from scurry_types import ENCODING_INPUTS, REPLY, REQUEST, InferReply, InferRequest, Reply
from statefun import Context, IntType, Message, RequestReplyHandler, StatefulFunctions, ValueSpec, message_builder

functions = StatefulFunctions()


@functions.bind("example/upper", specs=[ValueSpec("seen", IntType)])
def upper(context: Context, message: Message) -> None:
    """Answer one request to its sender, the router, which hands the answer on to who asked."""
    request = message.as_type(REQUEST)
    context.storage.seen = (context.storage.seen or 0) + 1
    reply = Reply(id=request.id, entry=request.entry, reply=request.reply, model=request.model)
    reply.encoding, reply.bulk, reply.digest = request.encoding, request.bulk, request.digest
    if request.HasField("keep"):
        reply.keep = request.keep
    try:
        if request.payload:
            raise ValueError(f"the body is parked at {request.payload}")
        reply.body = (capital_json if request.encoding == ENCODING_INPUTS else capital_tensors)(request.body)
    except (ValueError, KeyError, TypeError, struct.error) as cause:
        reply.error, reply.message = "bad_request", f"This function wants tensors of text, inside the request: {cause}."
    caller = context.caller
    context.send(message_builder(caller.typename, caller.id, value=reply, value_type=REPLY))


def capital_json(body: bytes) -> bytes:
    """An Open Inference Protocol JSON body."""
    inputs = json.loads(body)["inputs"]
    outputs = [{**tensor, "data": [text.upper() for text in tensor["data"]]} for tensor in inputs]
    return json.dumps({"outputs": outputs}).encode()


def capital_tensors(body: bytes) -> bytes:
    """A serialised InferRequest. Its BYTES tensors hold each text behind its length."""
    reply = InferReply()
    for tensor in InferRequest.FromString(body).inputs:
        if tensor.datatype != "BYTES" or tensor.payload:
            raise ValueError(f"{tensor.name} is {tensor.payload or tensor.datatype}")
        texts = [text.decode().upper().encode() for text in unpack(tensor.data)]
        data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
        reply.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape, data=data)
    return reply.SerializeToString()


def unpack(data: bytes) -> list:
    """The elements of a BYTES tensor."""
    texts, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        texts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return texts


def application() -> web.Application:
    """The endpoint that module.yaml names."""
    handler = RequestReplyHandler(functions)

    async def serve(request: web.Request) -> web.Response:
        answer = await handler.handle_async(await request.read())
        return web.Response(body=answer, content_type="application/octet-stream")

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/", serve)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8200)
    web.run_app(application(), host="127.0.0.1", port=parser.parse_args().port)
