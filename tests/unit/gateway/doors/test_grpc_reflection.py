"""gRPC's server reflection, over a line without a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from tests.unit.gateway.doors.line import Line

from scurry.gateway.access import Access
from scurry.gateway.doors.grpc_reflection import METHOD, SERVICES, ReflectionGrpc, answer
from scurry.protocols.grpc_services import NAMES
from scurry.protocols.reflection_pb2 import ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse

LIST = ServerReflectionRequest(host="h", list_services="*")


def line_of(access: Access | None = None) -> Line:
    """A connection to the door that has greeted."""
    line = Line(ReflectionGrpc(access))
    line.greet()
    return line


@pytest.mark.parametrize("service", SERVICES)
async def test_questions_of_one_call_are_answered_in_turn(service: str) -> None:
    """While it is open; each counts."""
    line = line_of()
    stream = line.head(f"{service}{METHOD}")
    symbol = ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService.ModelInfer")
    for question in (LIST, symbol):
        line.data(stream, question.SerializeToString(), last=False)
    line.look()
    listed, file = (ServerReflectionResponse.FromString(one) for one in line.messages(stream))
    assert (listed.valid_host, listed.original_request) == ("h", LIST)
    assert [one.name for one in listed.list_services_response.service] == list(NAMES)
    found = FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert (found.package, found.service[0].name) == ("inference", "GRPCInferenceService")
    line.data(stream, b"", framed=False)
    assert (await line.reply(stream)).status == "0"
    assert [one[:3] for one in line.noted] == [(METHOD, "OK", "ok")] * 2


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (ServerReflectionRequest(file_by_filename="nobody.proto"), 5),
        (ServerReflectionRequest(file_containing_symbol="scurry.oip.v2.ModelInferRequest"), 5),
        (ServerReflectionRequest(file_containing_extension=ExtensionRequest(containing_type="x")), 5),
        (ServerReflectionRequest(all_extension_numbers_of_type="nobody"), 5),
        (ServerReflectionRequest(), 3),
    ],
)
def test_what_is_not_here_is_an_error_in_the_answer(question: ServerReflectionRequest, code: int) -> None:
    """The call goes on. What we call our messages ourselves is nobody's matter."""
    told = answer(question)
    assert told.error_response.error_code == code
    assert told.error_response.error_message


def test_files_are_told_by_name_and_messages_have_no_extensions() -> None:
    """As the protocol says it."""
    told = answer(ServerReflectionRequest(file_by_filename="grpc/health/v1/health.proto"))
    found = FileDescriptorProto.FromString(told.file_descriptor_response.file_descriptor_proto[0])
    assert found.package == "grpc.health.v1"
    told = answer(ServerReflectionRequest(all_extension_numbers_of_type="inference.ModelInferRequest"))
    assert told.all_extension_numbers_response.base_type_name == "inference.ModelInferRequest"


async def test_what_is_no_question_ends_the_call() -> None:
    """Nor is there another method. A gateway that goes ends it well."""
    line = line_of()
    assert (await line.call(f"{SERVICES[0]}{METHOD}", b"\xff")).status == "3"
    assert (await line.call(f"{SERVICES[0]}Other", b"")).status == "12"
    stream = line.head(f"{SERVICES[0]}{METHOD}")
    line.connection.leave()
    assert (await line.reply(stream)).status == "0"
    await asyncio.sleep(0)
    assert "<Admission 0 " in repr(line.admission)


async def test_who_asks_needs_a_key_that_reads(tmp_path: Path) -> None:
    """For whichever models."""
    (tmp_path / "keys").write_text("one a-key-of-sixteen-1 read models=m\ntwo a-key-of-sixteen-2 infer\n")
    line, path, question = line_of(Access(str(tmp_path / "keys"))), f"{SERVICES[0]}{METHOD}", LIST.SerializeToString()
    for key, status in (("", "16"), ("a-key-of-sixteen-2", "7"), ("a-key-of-sixteen-1", "0")):
        assert (await line.call(path, question, x_api_key=key)).status == status
