"""Changes of the registry as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from scurry.wire.messages_pb2 import Update


def change(model: str, verb: str, fields: Mapping[str, Any]) -> Update:
    """A registry message with this change; fields that are None are left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    return Update(model=model, json=json.dumps({verb: told}))


def change_json(update: Update) -> str:
    """The change in a registry message as JSON."""
    if update.json:
        return update.json
    verb = update.WhichOneof("change") or ""
    return json.dumps({verb: _plain(getattr(update, verb))} if verb else {})


def _plain(message: Message) -> dict[str, Any]:
    """A message's fields as JSON. Protobuf's own has texts in place of large numbers; the registry wants numbers."""
    told = MessageToDict(message, preserving_proto_field_name=True)
    for field in message.DESCRIPTOR.fields:
        if field.name in told and field.cpp_type == field.CPPTYPE_INT64:
            told[field.name] = int(told[field.name])
    return told
