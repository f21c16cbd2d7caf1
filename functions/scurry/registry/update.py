"""What a registry message asks for, as protobuf or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from scurry.job.module import serves
from scurry.registry import bindings, lanes, limits, pools
from scurry.registry.fields import aliases as _aliases
from scurry.registry.fields import config as _config
from scurry.registry.fields import flag as _flag
from scurry.registry.fields import names as _names
from scurry.registry.fields import number as _number
from scurry.registry.fields import numbers as _numbers
from scurry.registry.fields import text as _text
from scurry.registry.fields import weights as _weights
from scurry.registry.fields import whole as _whole
from scurry.registry.policies import check as check_policy
from scurry.registry.policies import check_config
from scurry.wire import queue_options
from scurry.wire.errors import InvalidRequest, bad_message
from scurry.wire.limits import JSON_DEPTH
from scurry.wire.messages_pb2 import (
    Alias,
    Bind,
    LaneRange,
    Limits,
    LoadVersion,
    Pin,
    Promote,
    Register,
    Rollback,
    Rollout,
    Shadow,
    Split,
    Switch,
    UnloadVersion,
    Unregister,
    Update,
)
from scurry.wire.names import ENSEMBLE_RUNTIME, MODEL_NAME, NO_FILE
from scurry.wire.policies import parse_policy
from scurry.wire.pools import pool_of

FUNCTION_RUNTIME: Final = "function"
"""Runtime of a version that a user's own StateFun function answers; its uri is namespace/type."""

"""Runtime of a version that is made of other models; its config says all, so that it needs no uri."""

NAMES: Final = "letters, digits, '.', '_' and '-', at most 128"
URI_BYTES: Final = 4096
CONFIG_BYTES: Final = 64 * 1024
"""A version's options travel with every batch: what is larger belongs beside the model's files."""
MOST_ROWS: Final = 65536
"""A `max_batch_size` may be no more, for the worker neither; 0 and 1: requests are not stacked."""
UPDATE_CHARACTERS: Final = 2 * CONFIG_BYTES
AUDIT_CHARACTERS: Final = 64 * 1024


def read(update: Update, functions: tuple[str, ...] | None = None) -> Update:
    """The update with its change filled in and checked. Raises `InvalidRequest` that names the field."""
    out = Update()
    out.CopyFrom(update)
    if out.WhichOneof("change") is None:
        _from_json(out)
    if not MODEL_NAME.fullmatch(out.model):
        raise bad_message(f"model {short(out.model)} is no name: {NAMES}")
    if out.WhichOneof("change") == "register":
        _check_register(out.register, functions)
    for verb, check in _CHECKS.items():
        if out.WhichOneof("change") == verb:
            check(getattr(out, verb))
    return out


def describe(update: Update) -> str:
    """The change as JSON, for the audit; the inverse of reading one."""
    verb = update.WhichOneof("change")
    if verb is None:
        return update.json[:AUDIT_CHARACTERS]
    fields: dict[str, Any] = {}
    for field, value in getattr(update, verb).ListFields():
        fields[field.name] = limits.plain_tenants(value) if field.name == "tenants" else _plain(value)
    if "config" in fields:
        fields["config"] = _described(fields["config"])
    return json.dumps({verb: fields}, separators=(",", ":"), sort_keys=True)[:AUDIT_CHARACTERS]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of a message
    """Maps and lists as JSON has them."""
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, str | int | float) else list(value)


def _described(config: str) -> object:
    """Options as JSON; as the text they came in when they are none."""
    try:
        return parse("config", config)
    except InvalidRequest:
        return config


def parse(name: str, text: str) -> Any:  # noqa: ANN401
    """What a JSON text from outside says. Raises `InvalidRequest`: it may be anything, of any depth."""
    try:
        value = orjson.loads(text)
    except ValueError as failure:
        raise bad_message(f"{name} is not JSON ({failure})") from None
    if _deeper(value, JSON_DEPTH - 1):
        raise bad_message(f"{name} has more than {JSON_DEPTH} brackets within brackets")
    return value


def _deeper(value: object, depth: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_deeper(part, depth - 1) for part in parts if isinstance(part, dict | list))


def short(text: str) -> str:
    """A name as a sentence quotes it."""
    return repr(text if len(text) <= 64 else f"{text[:64]}…")


def _from_json(update: Update) -> None:
    if len(update.json) > UPDATE_CHARACTERS:
        raise bad_message(f"update has more than {UPDATE_CHARACTERS} characters")
    change = parse("update", update.json)
    verbs = ", ".join(VERBS)
    if not isinstance(change, dict) or len(change) != 1:
        raise bad_message(f"update must be an object with one of {verbs}")
    ((verb, fields),) = change.items()
    if verb not in VERBS:
        raise bad_message(f"unknown verb {short(verb)}; known are {verbs}")
    if not isinstance(fields, dict):
        raise bad_message(f"{verb} must be an object")
    if verb == "policy":
        update.policy.CopyFrom(parse_policy(verb, fields))
        return
    kind, readers = _VERBS[verb]
    unknown = sorted(fields.keys() - readers.keys())
    if unknown:
        raise bad_message(f"{verb} has no field {short(unknown[0])}; it has {', '.join(readers) or 'none'}")
    values = {name: readers[name](f"{verb}.{name}", value) for name, value in fields.items()}
    getattr(update, verb).CopyFrom(kind(**values))


_VERBS: Final[dict[str, tuple[type, dict[str, Callable[[str, object], Any]]]]] = {
    "register": (
        Register,
        {"version": _text, "uri": _text, "runtime": _text, "config": _config, "route": _flag},
    ),
    "unregister": (Unregister, {"version": _text, "force": _flag}),
    "alias": (Alias, {"alias": _text, "version": _text}),
    "split": (Split, {"weights": _weights}),
    "promote": (Promote, {"version": _text}),
    "rollback": (Rollback, {}),
    "routes": (Switch, {"weights": _weights, "aliases": _aliases, "automatic": _flag, "routed": _names}),
    "load": (LoadVersion, {"version": _text}),
    "unload": (UnloadVersion, {"version": _text, "force": _flag}),
    "pin": (Pin, {"version": _text, "pinned": _flag}),
    "limits": (Limits, limits.FIELDS),
    "lanes": (LaneRange, lanes.FIELDS),
    "shadow": (Shadow, {"version": _text, "percent": _number}),
    "rollout": (
        Rollout,
        {
            "version": _text, "steps": _numbers, "hold_ms": _whole, "min_requests": _whole, "max_error_rate": _number,
            "max_latency_ratio": _number, "max_disagreement": _number, "compare_percent": _number, "abort": _flag,
        },
    ),
    "bind": (Bind, {"stream": _text, "batched": _flag, "unbind": _flag}),
}
_CHECKS: Final[dict[str, Callable[[Any], None]]] = {
    "limits": limits.check,
    "lanes": lanes.check,
    "policy": check_policy,
    "bind": bindings.check,
}


VERBS: Final = (*_VERBS, "policy")


def _check_register(register: Register, functions: tuple[str, ...] | None) -> None:
    if register.version and not MODEL_NAME.fullmatch(register.version):
        raise bad_message(
            f"register.version {short(register.version)} is no name: letters, digits, '.', '_' and '-', at most 128"
        )
    if register.runtime == ENSEMBLE_RUNTIME and not register.uri:
        register.uri = NO_FILE
    if not register.uri:
        raise bad_message("register.uri is missing")
    if len(register.uri.encode()) > URI_BYTES or not register.uri.isprintable():
        raise bad_message(f"register.uri has more than {URI_BYTES} bytes or characters that cannot be printed")
    if register.runtime and not MODEL_NAME.fullmatch(register.runtime):
        raise bad_message(f"register.runtime {short(register.runtime)} is no name")
    register.config = _checked_config(register.config)
    pools.check(register, functions, is_user_function=register.runtime == FUNCTION_RUNTIME)
    if register.runtime == FUNCTION_RUNTIME:
        _check_function(register.uri, functions)
    elif not register.runtime:
        register.runtime = next((r for end, r in _BY_SUFFIX.items() if register.uri.lower().endswith(end)), "")


_BY_SUFFIX: Final = {".onnx": "onnx", ".xml": "openvino"}
"""Other files and directories are left to the worker."""


def _check_function(uri: str, functions: tuple[str, ...] | None) -> None:
    namespace, _, name = uri.partition("/")
    if not (MODEL_NAME.fullmatch(namespace) and MODEL_NAME.fullmatch(name)):
        raise bad_message(f"register.uri {short(uri)} must be namespace/type for runtime {FUNCTION_RUNTIME!r}")
    if namespace == "scurry":
        raise bad_message(f"register.uri {short(uri)} is one of Scurry's own functions")
    if functions is not None and not serves(functions, uri):
        bound = ", ".join(name for name in functions if not pool_of(name)) or "no function but ours"
        raise bad_message(f"register.uri {short(uri)}: the job's module.yaml has no endpoint for it; it binds {bound}")


def _checked_config(text: str) -> str:
    """The same options always written the same way, so that they can be compared."""
    if not text:
        return ""
    if len(text.encode()) > CONFIG_BYTES:
        raise bad_message(f"register.config may have at most {CONFIG_BYTES} bytes")
    config = parse("register.config", text)
    if not isinstance(config, dict):
        raise bad_message("register.config must be an object")
    size = config.get("max_batch_size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST_ROWS:
        raise bad_message(f"register.config.max_batch_size must be a whole number from 0 to {MOST_ROWS}")
    try:
        queue_options.read(config)
    except ValueError as failure:
        raise bad_message(f"register.config.{failure}") from None
    check_config(config)
    return json.dumps(config, separators=(",", ":"), sort_keys=True) if config else ""
