"""gRPC's own packages for health and reflection ask a gateway; run in their environment, tell as JSON what they got."""

import json
import struct
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "inference.GRPCInferenceService"


def status_of(stub: health_pb2_grpc.HealthStub, service: str) -> str:
    """The name of a service's status, or of the call's."""
    try:
        told = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status
    except grpc.RpcError as cause:
        return cause.code().name
    return health_pb2.HealthCheckResponse.ServingStatus.Name(told)


def main(address: str, model: str) -> dict[str, object]:
    """What each comes to; the model is asked by what reflection tells alone."""
    with grpc.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest(service=model))
        first = next(watching).status
        watching.cancel()
        database = ProtoReflectionDescriptorDatabase(channel)
        method = DescriptorPool(database).FindServiceByName(SERVICE).methods_by_name["ModelInfer"]
        question, answer = (GetMessageClass(kind) for kind in (method.input_type, method.output_type))
        infer = channel.unary_unary(f"/{SERVICE}/ModelInfer", question.SerializeToString, answer.FromString)
        asked = question(model_name=model, raw_input_contents=[struct.pack("<3f", 1, 2, 3)])
        asked.inputs.add(name="x", datatype="FP32", shape=[1, 3])
        keyed = [infer(asked, timeout=10, metadata=(("idempotency-key", f"{model}-1"),)) for _ in range(2)]
        return {
            "checked": {name: status_of(health, name) for name in ("", SERVICE, model, "nobody")},
            "watched": health_pb2.HealthCheckResponse.ServingStatus.Name(first),
            "services": sorted(database.get_services()),
            "answers": [struct.unpack("<3f", one.raw_output_contents[0]) for one in keyed],
        }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
