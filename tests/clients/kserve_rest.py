"""KServe's own REST client asks a gateway over v1 and v2; run in its environment, tells what it got as JSON."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main(url: str, model: str) -> dict[str, object]:
    """What each call of the client comes to."""
    got: dict[str, object] = {}
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        got["v1 live"] = await client.is_server_live(url)
        got["v1 ready"] = await client.is_model_ready(url, model)
        got["v1 rows"] = await client.infer(url, {"instances": [[1, 2, 3]]}, model_name=model)
        got["v1 columns"] = await client.infer(url, {"inputs": {"x": [[1, 2, 3]]}}, model_name=model)
        for name, call in (
            ("v1 unknown", client.is_model_ready(url, "nobody")),
            ("v1 wrong", client.infer(url, {"instances": [["a"]]}, model_name=model)),
            ("v1 explain", client.explain(url, model, {"instances": [[1, 2, 3]]})),
        ):
            try:
                got[name] = await call
            except Exception as cause:
                got[name] = str(cause)
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        got["v2 live"] = await client.is_server_live(url)
        got["v2 ready"] = await client.is_server_ready(url)
        got["v2 model ready"] = await client.is_model_ready(url, model)
        got["v2 unknown"] = await client.is_model_ready(url, "nobody")
        for binary in (False, True):
            given = InferInput("x", [1, 3], "FP32")
            given.set_data_from_numpy(np.array([[1, 2, 3]], np.float32), binary_data=binary)
            request = InferRequest(model_name=model, infer_inputs=[given], request_id="7")
            reply = await client.infer(url, request, model_name=model)
            got[f"v2 binary {binary}"] = [reply.id, reply.outputs[0].name, reply.outputs[0].as_numpy().tolist()]
    return got


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
