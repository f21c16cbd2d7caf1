"""Bodies, payloads and replies."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from tests.unit.inference.toys import Toy, body, request, row, sent_for
from tests.unit.protocols.test_cluster_serving import record
from tests.unit.protocols.test_cluster_serving_arrow import as_client

from scurry.inference.answers import write_bodies
from scurry.inference.batch import batches, run, same_rows
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.limits import ERROR_BYTES
from scurry.wire.messages_pb2 import ENCODING_ARROW, ENCODING_INPUTS, ENCODING_INSTANCES
from scurry.wire.names import Keys
from scurry.wire.tensors import to_array, to_tensor

WIDE = (Port("x", "FP32", (-1, 2)),)
BIG = (Port("small", "FP32", (-1, 2)), Port("big", "FP32", (-1, 5000)))


def answered(model: Toy, *requests):
    """Replies and payloads of a call."""
    layouts = LayoutCache(model)
    items = claim(requests, layouts)
    for batch in batches(items, LayoutCache(model).sizes, batched=model.batched, alike=same_rows(items)):
        run(model, layouts, batch)
    parked = write_bodies(items, layouts, Keys("ns"), "7", "70c")
    return sent_for(items, "7"), dict(parked)


def big() -> Toy:
    """A model with a small and a large output."""
    return Toy(lambda x: [x + 1, np.repeat(x[:, :1], 5000, axis=1)], outputs=BIG)


def test_a_reply_carries_what_the_request_said():
    """Identity, return address and wishes are copied, the version is stamped."""
    (reply, other), parked = answered(
        Toy(), request(1, body(x=row(1, 2)), keep=0, bulk=True), request(2, body(x=row(3, 4)))
    )
    assert (reply.id, reply.entry, reply.reply, reply.keep, reply.bulk) == ("r1", "s/1", "back", 0, True)
    assert (reply.model, reply.version, reply.error, parked) == ("m", "7", "", {})
    assert InferReply.FromString(reply.body) == InferReply(outputs=[to_tensor("y", row(2, 3))])
    assert not other.HasField("keep")


def test_failures_have_code_and_sentence():
    """A failed item has no body."""
    (reply,), _ = answered(Toy(), request(1, b"\xff"))
    assert (reply.error, reply.body, reply.id) == ("bad_request", b"", "r1")
    assert reply.message.endswith("InferRequest.")


def test_large_outputs_are_parked_beside_small_ones():
    """Only what is large is parked, under a key that says for whom."""
    replies, parked = answered(big(), request(1, body(x=row(1, 2))), request(2, body(x=row(3, 4))))
    assert set(parked) == {"ns:payload:r1:out:70c000000:big", "ns:payload:r2:out:70c000001:big"}
    reply = InferReply.FromString(replies[1].body)
    assert [each.WhichOneof("content") for each in reply.outputs] == ["data", "payload"]
    assert reply.outputs[1].payload == replies[1].parked[0]
    array = to_array(reply.outputs[1], bytes(parked[reply.outputs[1].payload]))
    assert array.shape == (1, 5000)
    assert (array == 3).all()


def test_only_the_outputs_asked_for_travel():
    """Outputs come in the order asked for; what nobody asked for is not parked."""
    asks = InferRequest(inputs=[to_tensor("x", row(1, 2))], outputs=["small"]).SerializeToString()
    (reply,), parked = answered(big(), request(1, asks))
    assert [each.name for each in InferReply.FromString(reply.body).outputs] == ["small"]
    assert parked == {}


def inputs(*values: float, **more) -> bytes:
    """An Open Inference Protocol body."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": values}
    return orjson.dumps({"inputs": [tensor], **more})


def test_json_is_answered_with_json():
    """An Open Inference Protocol body gets one back."""
    (reply,), _ = answered(Toy(), request(1, inputs(1, 2), encoding=ENCODING_INPUTS))
    assert reply.encoding == ENCODING_INPUTS
    assert orjson.loads(reply.body)["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [2.0, 3.0]}
    ]


def test_large_json_is_parked_whole():
    """JSON cannot refer to a parked output, so the body itself is parked."""
    (reply,), parked = answered(big(), request(1, inputs(1, 2), encoding=ENCODING_INPUTS))
    assert (reply.body, reply.payload) == (b"", "ns:payload:r1:out:70c000000:reply")
    assert list(reply.parked) == [reply.payload]
    assert len(orjson.loads(parked[reply.payload])["outputs"][1]["data"]) == 5000


def test_json_may_ask_for_outputs_too():
    """Wishes hold for JSON bodies as well."""
    (reply,), _ = answered(big(), request(1, inputs(1, 2, outputs=[{"name": "small"}]), encoding=ENCODING_INPUTS))
    assert [each["name"] for each in orjson.loads(reply.body)["outputs"]] == ["small"]


def test_text_that_json_cannot_carry_fails_alone():
    """BYTES that are not UTF-8 have no JSON form."""
    model = Toy(lambda x: [np.array([[b"\xff"]] * len(x), dtype=object)], outputs=(Port("t", "BYTES", (-1, 1)),))
    (bad, good), _ = answered(model, request(1, inputs(1, 2), encoding=ENCODING_INPUTS), request(2, body(x=row(1, 2))))
    assert bad.error == "bad_request"
    assert InferReply.FromString(good.body).outputs[0].data == b"\1\0\0\0\xff"


def test_a_failed_item_writes_no_body():
    """A failure is not overwritten by outputs."""
    layouts = LayoutCache(Toy())
    items = claim([request(1, body(x=row(1, 2)))], layouts)
    items[0].failure = Failed("model_failed", "no")
    assert write_bodies(items, layouts, Keys(), "1", "tok") == []
    assert items[0].body == b""


def test_a_reply_carries_the_digest_of_its_request():
    """The same id with another body is told apart by it."""
    (reply,), _ = answered(Toy(), request(1, body(x=row(1, 2)), digest=b"0123456789abcdef"))
    assert reply.digest == b"0123456789abcdef"


def test_an_output_that_cannot_be_written_fails_alone():
    """Text that is none (half of a surrogate pair) is one request's failure; so is a sentence that says so."""

    def texts(x):
        if (x == 13).any():
            raise ValueError("thirteen \ud800" + "!" * 5000)
        return [np.array([["\ud800" if each[0] == 1 else "fine"] for each in x], dtype=object)]

    model = Toy(texts, outputs=(Port("t", "BYTES", (-1, 1)),))
    found, _ = answered(model, *(request(at, body(x=row(at, at))) for at in (1, 2, 13)))
    assert [each.error for each in found] == ["internal", "", "model_failed"]
    assert "thirteen ?" in found[2].message
    assert len(found[2].message.encode()) <= ERROR_BYTES


@pytest.mark.parametrize("encoding", [None, ENCODING_INPUTS])
def test_two_requests_under_one_id_do_not_share_what_is_parked(encoding):
    """Both may be computed in one batch, with other inputs: whoever wins, its outputs are its own."""
    bodies = [inputs(1, 2), inputs(3, 4)] if encoding else [body(x=row(1, 2)), body(x=row(3, 4))]
    more = {"encoding": encoding} if encoding else {}
    one, other = (request(1, each, **more) for each in bodies)
    other.entry = "s/2"
    replies, parked = answered(big(), one, other)
    keys = [set(reply.parked) for reply in replies]
    assert all(keys)
    assert not keys[0] & keys[1]
    assert set(parked) == keys[0] | keys[1]
    assert all(Keys("ns").owns("r1", key) for key in parked)


def test_a_cluster_serving_record_is_answered_where_its_client_looks():
    """Beside other requests in one batch; a wrong one fails alone, and knows its place too."""
    place = {"stream": "s", "uri": b"u", "encoding": ENCODING_ARROW}
    batch = (
        request(1, record(t=[1, 2]), **place), request(2, body(x=row(3, 4))), request(3, b"garbage", **place),
        request(4, b'{"instances": [{"t": [5, 6]}]}', **{**place, "encoding": ENCODING_INSTANCES}),
        request(5, record(t=[7, 8]), **place, batched=True),
    )  # fmt: skip
    (first, other, wrong, instance, batched), parked = answered(Toy(), *batch)
    assert as_client(first.body) == [([2], [2, 3])]
    assert as_client(instance.body) == [([2], [6, 7])]
    assert (other.stream, InferReply.FromString(other.body).outputs[0].name) == ("", "y")
    assert [(one.stream, one.uri) for one in (first, wrong, instance)] == [("s", b"u")] * 3
    assert (wrong.error, batched.error, parked) == ("bad_request", "input_rank", {})


def test_every_output_of_a_record_goes_and_a_large_answer_is_parked_whole():
    """One key for all of it."""
    (reply,), parked = answered(big(), request(1, record(x=[1, 2]), stream="s", uri=b"u", encoding=ENCODING_ARROW))
    ((key, value),) = parked.items()
    assert (reply.payload, list(reply.parked), reply.body) == (key, [key], b"")
    small, large = as_client(bytes(value))
    assert (small, large[0]) == (([2], [2, 3]), [5000])
