"""What no caller should send: each kind with the codes it must end in."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from tests.chaos.mix import Fields

from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import Update

SOUND = np.array([[1, 2, 3, 4]], "<f4")
SECRETS = ("scurry:payload:secret:in:x", "chaos:secret")
DEEP = 100_000
LARGE = 50 << 20


def tensor(**changes: object) -> bytes:
    """A serialised request of one tensor that would be right but for the changes."""
    fields = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": SOUND.tobytes()} | changes
    if "payload" in changes:
        del fields["data"]
    return InferRequest(inputs=[Tensor(**fields)]).SerializeToString()  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Poison:
    """Fields over those of a sound request (None: without that field), and the codes that are right."""

    codes: frozenset[str]
    fields: Callable[[random.Random], Mapping[str, str | bytes | None]]
    silent: bool = False  # nobody can be told: it must lie among the dead letters
    rare: bool = False


def poison(codes: str, fields: Callable[[random.Random], Mapping[str, str | bytes | None]], **more: bool) -> Poison:
    """One kind, its codes separated by blanks."""
    return Poison(frozenset(codes.split()), fields, **more)


def noise(draw: random.Random) -> Mapping[str, str | bytes | None]:
    """Fields of random names and bytes, the known ones among them."""
    known = ["inputs", "request", "version", "deadline", "key", "keep", "priority", "kind", "tenant"]
    names = [*draw.sample(known, 3), draw.randbytes(5).hex()]
    return {name: draw.randbytes(draw.randrange(60)) for name in names}


ANY = (
    "ok bad_request not_allowed input_name input_datatype input_rank input_shape model_not_found version_not_found "
    "too_large"
)

REQUESTS: Mapping[str, Poison] = {
    "a name that the model lacks": poison("input_name", lambda _: {"request": tensor(name="z")}),
    "another datatype": poison("input_datatype", lambda _: {"request": tensor(datatype="INT32")}),
    "a datatype there is not": poison("input_datatype bad_request", lambda _: {"request": tensor(datatype="FP99")}),
    "another rank": poison("input_rank", lambda _: {"request": tensor(shape=[4])}),
    "another shape": poison("input_shape", lambda _: {"request": tensor(shape=[1, 5], data=bytes(20))}),
    "less data than the shape": poison("input_shape bad_request", lambda _: {"request": tensor(data=bytes(8))}),
    "no rows": poison("ok input_shape bad_request", lambda _: {"request": tensor(shape=[0, 4], data=b"")}),
    "a negative dimension": poison("input_shape bad_request", lambda _: {"request": tensor(shape=[-1, 4])}),
    "a million dimensions": poison(
        "input_rank input_shape bad_request too_large", lambda _: {"request": tensor(shape=[1] * 10**6)}, rare=True
    ),
    "random bytes": poison(ANY, lambda draw: {"request": draw.randbytes(200)}),
    "a truncated message": poison("bad_request", lambda draw: {"request": tensor()[: draw.randrange(1, 20)]}),
    "JSON that is none": poison("bad_request", lambda _: {"request": None, "inputs": '{"inputs": ['}),
    "brackets without end": poison("bad_request", lambda _: {"request": None, "inputs": '{"inputs": ' + "[" * DEEP}),
    "a foreign payload": poison(
        "bad_request not_allowed payload_missing", lambda _: {"request": tensor(payload="scurry:payload:secret:in:x")}
    ),
    "a foreign key": poison(
        "bad_request not_allowed payload_missing", lambda _: {"request": tensor(payload="chaos:secret")}
    ),
    "an output 10,000 times": poison(
        "bad_request output_name too_large",
        lambda _: {"request": tensor() + InferRequest(outputs=["y"] * 10_000).SerializeToString()},
    ),
    "50 MB of data": poison(
        "input_shape too_large bad_request", lambda _: {"request": tensor(data=bytes(LARGE))}, rare=True
    ),
    "a version of 1 MB": poison(
        "bad_request version_not_found too_large", lambda _: {"version": "v" * (1 << 20)}, rare=True
    ),
    "a model nobody knows": poison("model_not_found", lambda draw: {"model": f"nobody-{draw.randrange(1000)}"}),
    "a version nobody knows": poison("version_not_found", lambda _: {"version": "99"}),
}

ENTRIES: Mapping[str, Poison] = {
    "no model": poison("bad_request", lambda _: {"model": None}),
    "a name that is none": poison("bad_request", lambda _: {"model": "../etc/passwd"}),
    "no body": poison("bad_request", lambda _: {"request": None}),
    "two bodies": poison("bad_request", lambda _: {"inputs": "{}"}),
    "an unknown kind": poison("bad_request", lambda _: {"kind": "surprise"}),
    "a deadline that is no number": poison("bad_request", lambda _: {"deadline": "soon"}),
    "a negative keep": poison("bad_request", lambda _: {"keep": "-1"}),
    "an id of 600 bytes": poison("bad_request", lambda _: {"id": "i" * 600}),
    "an id that is no text": poison("bad_request", lambda draw: {"id": b"\xff\xfe" + draw.randbytes(8)}),
    "a reply stream of somebody else": poison("bad_request", lambda _: {"reply": "chaos:secret"}, silent=True),
    "noise": poison(ANY, noise),
}

REGISTRY: Mapping[str, Poison] = {
    "no JSON": poison("bad_request", lambda _: {"update": "{"}),
    "brackets without end": poison("bad_request", lambda _: {"update": '{"register": ' + "[" * DEEP}),
    "nested without end": poison(
        "bad_request", lambda _: {"update": '{"register": ' + '{"config": ' * 20_000 + "1" + "}" * 20_001}
    ),
    "an unknown verb": poison("bad_request", lambda _: {"update": '{"explode": {}}'}),
    "a config that is no JSON": poison("bad_request", lambda _: {"update": None, "request": bad_config()}),
    "random bytes": poison("bad_request", lambda draw: {"update": None, "request": draw.randbytes(100)}),
    "a file that is not there": poison(
        "load_failed not_allowed bad_request", lambda _: {"update": register("/nowhere.onnx")}
    ),
    "a way out of the root": poison(
        "load_failed not_allowed bad_request", lambda _: {"update": register("/etc/passwd")}
    ),
    "a function nobody serves": poison(
        "load_failed not_allowed bad_request", lambda _: {"update": register("example/nobody", "function")}
    ),
    "weights of nothing": poison(
        "bad_request model_not_found version_not_found model_not_ready",
        lambda _: {"update": '{"split": {"weights": {"1": 0}}}'},
    ),
    "a megabyte": poison(
        "bad_request too_large", lambda _: {"update": json.dumps({"alias": {"alias": "a" * (1 << 20)}})}, rare=True
    ),
}


def register(uri: str, runtime: str = "onnx") -> str:
    """A registration as JSON."""
    return json.dumps({"register": {"version": "1", "uri": uri, "runtime": runtime}})


def bad_config() -> bytes:
    """A typed registration whose config is no JSON."""
    update = Update()
    update.register.uri, update.register.runtime, update.register.config = "/nowhere.onnx", "onnx", "{nonsense"
    return update.SerializeToString()


def apply(base: Fields, changes: Mapping[str, str | bytes | None]) -> Fields:
    """The fields of an entry with a poison's own over them."""
    merged: dict[str, str | bytes | None] = {**base, **changes}
    return {name: value for name, value in merged.items() if value is not None}
