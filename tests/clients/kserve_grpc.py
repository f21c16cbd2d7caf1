"""KServe's own gRPC client asks a gateway; run in its environment, tells what it got as JSON."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest


async def main(address: str, model: str) -> dict[str, object]:
    """What each call of the client comes to."""
    async with InferenceGRPCClient(address) as client:
        given = InferInput("x", [1, 3], "FP32")
        given.set_data_from_numpy(np.array([[1, 2, 3]], np.float32), binary_data=True)
        reply = await client.infer(InferRequest(model_name=model, infer_inputs=[given], request_id="7"))
        return {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "model ready": await client.is_model_ready(model),
            "unknown": await client.is_model_ready("nobody"),
            "infer": [reply.id, reply.outputs[0].name, reply.outputs[0].as_numpy().tolist()],
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
