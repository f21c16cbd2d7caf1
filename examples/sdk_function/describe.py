"""Writes scurry.desc: what Scurry's messages look like, for any protobuf runtime."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from scurry.wire import infer_pb2, messages_pb2

FILE = Path(__file__).with_name("scurry.desc")


def described() -> bytes:
    """A serialised FileDescriptorSet; `protoc --descriptor_set_out` writes the same."""
    files = FileDescriptorSet()
    for module in (infer_pb2, messages_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    return files.SerializeToString(deterministic=True)


if __name__ == "__main__":
    FILE.write_bytes(described())
