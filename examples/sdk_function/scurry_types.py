"""Scurry's messages as types of the StateFun SDK, made at run time from scurry.desc."""

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessages
from statefun import Type, simple_type

_FILES = FileDescriptorSet.FromString(Path(__file__).with_name("scurry.desc").read_bytes()).file
_CLASSES = GetMessages(_FILES)

Request = _CLASSES["scurry.v1.Request"]
Reply = _CLASSES["scurry.v1.Reply"]
InferRequest = _CLASSES["scurry.v1.InferRequest"]
InferReply = _CLASSES["scurry.v1.InferReply"]

ENCODING_INPUTS = Request.DESCRIPTOR.fields_by_name["encoding"].enum_type.values_by_name["ENCODING_INPUTS"].number


def _type(cls: type) -> Type:
    return simple_type(
        typename=f"scurry.v1/{cls.DESCRIPTOR.name}",
        serialize_fn=lambda value: value.SerializeToString(),
        deserialize_fn=cls.FromString,
    )


REQUEST = _type(Request)
REPLY = _type(Reply)
