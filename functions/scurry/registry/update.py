"""What a registry message asks for, as protobuf or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Alias, Promote, Register, Rollback, Split, Unregister, Update
from scurry.wire.names import MODEL_NAME

FUNCTION_RUNTIME: Final = "function"
"""Runtime of a version that a user's own StateFun function answers; its uri is namespace/type."""


def read(update: Update) -> Update:
    """The update with its change filled in and checked. Raises `InvalidRequest` that names the field."""
    out = Update()
    out.CopyFrom(update)
    if out.WhichOneof("change") is None:
        _from_json(out)
    if not MODEL_NAME.fullmatch(out.model):
        raise _bad(f"model {out.model!r} is no name: letters, digits, '.', '_' and '-', at most 128")
    if out.WhichOneof("change") == "register":
        _check_register(out.register)
    return out


def describe(update: Update) -> str:
    """The change as JSON, for the audit; the inverse of reading one."""
    verb = update.WhichOneof("change")
    if verb is None:
        return update.json
    change = getattr(update, verb)
    fields: dict[str, Any] = {}
    for field, value in change.ListFields():
        fields[field.name] = dict(value) if field.name == "weights" else value
    if "config" in fields:
        fields["config"] = json.loads(fields["config"])
    return json.dumps({verb: fields}, separators=(",", ":"), sort_keys=True)


def _bad(what: str) -> InvalidRequest:
    return InvalidRequest("bad_request", f"Registry message: {what}.")


def _from_json(update: Update) -> None:
    try:
        change = json.loads(update.json)
    except ValueError as failure:
        raise _bad(f"update is not JSON ({failure})") from None
    verbs = ", ".join(_VERBS)
    if not isinstance(change, dict) or len(change) != 1:
        raise _bad(f"update must be an object with one of {verbs}")
    ((verb, fields),) = change.items()
    if verb not in _VERBS:
        raise _bad(f"unknown verb {verb!r}; known are {verbs}")
    if not isinstance(fields, dict):
        raise _bad(f"{verb} must be an object")
    kind, readers = _VERBS[verb]
    unknown = sorted(fields.keys() - readers.keys())
    if unknown:
        raise _bad(f"{verb} has no field {unknown[0]!r}; it has {', '.join(readers) or 'none'}")
    values = {name: readers[name](f"{verb}.{name}", value) for name, value in fields.items()}
    getattr(update, verb).CopyFrom(kind(**values))


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _bad(f"{name} must be text")
    return str(value)


def _config(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise _bad(f"{name} must be an object")
    return json.dumps(value)


def _weights(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise _bad(f"{name} must be an object of version: weight")
    for version, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight < 2**31:
            raise _bad(f"{name}.{version} must be a whole number from 0")
    return value


_VERBS: Final[dict[str, tuple[type, dict[str, Callable[[str, object], Any]]]]] = {
    "register": (Register, {"version": _text, "uri": _text, "runtime": _text, "config": _config}),
    "unregister": (Unregister, {"version": _text}),
    "alias": (Alias, {"alias": _text, "version": _text}),
    "split": (Split, {"weights": _weights}),
    "promote": (Promote, {"version": _text}),
    "rollback": (Rollback, {}),
}


def _check_register(register: Register) -> None:
    if register.version and not MODEL_NAME.fullmatch(register.version):
        raise _bad(f"register.version {register.version!r} is no name: letters, digits, '.', '_' and '-', at most 128")
    if not register.uri:
        raise _bad("register.uri is missing")
    register.config = _checked_config(register.config)
    if register.runtime == FUNCTION_RUNTIME:
        _check_function(register.uri)
    elif not register.runtime:
        register.runtime = next((r for end, r in _BY_SUFFIX.items() if register.uri.lower().endswith(end)), "")


_BY_SUFFIX: Final = {".onnx": "onnx", ".xml": "openvino"}
"""Other files and directories are left to the worker."""


def _check_function(uri: str) -> None:
    namespace, _, name = uri.partition("/")
    if not namespace or not name or "/" in name:
        raise _bad(f"register.uri {uri!r} must be namespace/type for runtime {FUNCTION_RUNTIME!r}")
    if namespace == "scurry":
        raise _bad(f"register.uri {uri!r} is one of Scurry's own functions")


def _checked_config(text: str) -> str:
    """The same options always written the same way, so that they can be compared."""
    if not text:
        return ""
    try:
        config = json.loads(text)
    except ValueError as failure:
        raise _bad(f"register.config is not JSON ({failure})") from None
    if not isinstance(config, dict):
        raise _bad("register.config must be an object")
    size = config.get("max_batch_size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < 2**31:
        raise _bad("register.config.max_batch_size must be a whole number from 1")
    return json.dumps(config, separators=(",", ":"), sort_keys=True) if config else ""
