"""gRPC's server reflection: which services there are, and their files.

`v1` and `v1alpha` have the same messages. What is told is read alone, so whoever asks needs the scope `read`.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError

from scurry.gateway.access import Access
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcStream
from scurry.gateway.doors.grpc_streamed import Streamed
from scurry.gateway.limits import Room
from scurry.protocols import reflection_pb2 as words
from scurry.protocols.grpc_services import NAMES, files
from scurry.protocols.grpc_words import CODES
from scurry.wire.errors import InvalidRequest, ScurryError

METHOD: Final = "ServerReflectionInfo"
SERVICES: Final = ("/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/")


class ReflectionGrpc:
    """Answers the one method of each version."""

    def __init__(self, access: Access | None = None) -> None:
        self._access = access or Access()

    def begin(self, call: GrpcCall, message: bytes) -> None:  # noqa: ARG002 - every door's
        """Answer a call with one message, of which there is none. Never raises."""
        sentence = f"There is no method {call.head.path[:128]!r}: this service has {METHOD}."
        call.refuse(InvalidRequest("not_offered", sentence))

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the questions of a call."""
        if not call.head.path.endswith(f"/{METHOD}"):
            return None
        try:
            self._access.check(call.head.metadata, "read")
        except ScurryError as cause:
            call.refuse(cause)
            return None
        return _Questions(call)

    def __repr__(self) -> str:
        return f"<ReflectionGrpc with {self._access!r}>"


class _Questions:
    """Questions of one call, each answered at once."""

    def __init__(self, call: GrpcCall) -> None:
        self._call = call

    def message(self, data: bytes, room: Room) -> None:
        """Answer one."""
        asked = Streamed(self._call, room)
        try:
            question = words.ServerReflectionRequest.FromString(data)
        except DecodeError:
            asked.room.give_back_all()
            self._call.refuse(InvalidRequest("bad_request", "The message is no ServerReflectionRequest."))
        else:
            asked.answer((answer(question).SerializeToString(),))

    def end(self) -> None:
        """Every question is answered already."""
        self._call.finish()

    def stop(self) -> None:
        """Likewise."""
        self._call.finish()


def answer(asked: words.ServerReflectionRequest) -> words.ServerReflectionResponse:
    """What there is to say to a question; what is not here is an error in the answer."""
    told = words.ServerReflectionResponse(valid_host=asked.host, original_request=asked)
    which = asked.WhichOneof("message_request") or ""
    match which:
        case "list_services":
            for name in NAMES:
                told.list_services_response.service.add(name=name)
        case "file_by_filename" | "file_containing_symbol":
            known = files().named if which == "file_by_filename" else files().having
            _tell_file(told, getattr(asked, which), known)
        case "all_extension_numbers_of_type" if asked.all_extension_numbers_of_type in files().having:
            told.all_extension_numbers_response.base_type_name = asked.all_extension_numbers_of_type
        case "":
            _tell_error(told, "INVALID_ARGUMENT", "The message asks for nothing.")
        case _:
            _tell_error(told, "NOT_FOUND", "There are no extensions here.")
    return told


def _tell_file(told: words.ServerReflectionResponse, name: str, known: dict[str, bytes]) -> None:
    if name in known:
        told.file_descriptor_response.file_descriptor_proto.append(known[name])
    else:
        _tell_error(told, "NOT_FOUND", f"Nothing is called {name[:128]!r} here.")


def _tell_error(told: words.ServerReflectionResponse, code: str, sentence: str) -> None:
    told.error_response.error_code, told.error_response.error_message = CODES[code], sentence
