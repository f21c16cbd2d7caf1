"""aiohttp and onnxruntime and nothing else: what the HTTP door is held against.

One process and one event loop, which runs the model as well, one request at a time and with onnxruntime's own choice of
threads. It knows the models of a folder and what the load generator sends of the Open Inference Protocol. No registry,
no batches, no limits, no errors worth the name.

Run as `python -m benchmarks.bare_server FOLDER`; prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
from aiohttp import web

HEADER = "Inference-Header-Content-Length"


def application(folder: Path) -> web.Application:
    """A route for each model of the folder."""
    app = web.Application(client_max_size=1 << 30)
    for file in sorted(folder.rglob("*.onnx")):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        app.router.add_post(f"/v2/models/{file.stem}/infer", Model(file.stem, session).infer)
    return app


class Model:
    """One model and its route."""

    def __init__(self, name: str, session: onnxruntime.InferenceSession) -> None:
        self._name, self._session = name, session

    async def infer(self, request: web.Request) -> web.Response:
        """FP32 in, FP32 out: raw behind the JSON if the request came so, else lists."""
        body = await request.read()
        length = request.headers.get(HEADER)
        if length is None:
            document = orjson.loads(body)
            return self._json(document, self._run(document, [entry["data"] for entry in document["inputs"]]))
        at = int(length)
        document = orjson.loads(body[:at])
        parts = []
        for entry in document["inputs"]:
            size = entry["parameters"]["binary_data_size"]
            parts.append(np.frombuffer(body, np.float32, size // 4, at))
            at += size
        return self._binary(document, self._run(document, parts))

    def _run(self, document: dict[str, Any], parts: list[Any]) -> dict[str, np.ndarray]:
        feed = {
            entry["name"]: np.asarray(part, np.float32).reshape(entry["shape"])
            for entry, part in zip(document["inputs"], parts, strict=True)
        }
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, feed), strict=True))

    def _json(self, document: dict[str, Any], outputs: dict[str, np.ndarray]) -> web.Response:
        listed = [self._described(name, array) | {"data": array.reshape(-1)} for name, array in outputs.items()]
        body = orjson.dumps(self._head(document) | {"outputs": listed}, option=orjson.OPT_SERIALIZE_NUMPY)
        return web.Response(body=body, content_type="application/json")

    def _binary(self, document: dict[str, Any], outputs: dict[str, np.ndarray]) -> web.Response:
        listed = [
            self._described(name, array) | {"parameters": {"binary_data_size": array.nbytes}}
            for name, array in outputs.items()
        ]
        json = orjson.dumps(self._head(document) | {"outputs": listed})
        body = b"".join((json, *(array.tobytes() for array in outputs.values())))
        headers = {HEADER: str(len(json)), "Content-Type": "application/octet-stream"}
        return web.Response(body=body, headers=headers)

    def _head(self, document: dict[str, Any]) -> dict[str, Any]:
        return {"id": document.get("id", ""), "model_name": self._name, "model_version": "1"}

    @staticmethod
    def _described(name: str, array: np.ndarray) -> dict[str, Any]:
        return {"name": name, "datatype": "FP32", "shape": array.shape}


async def serve(folder: Path) -> None:
    """Listen on a free port until the process is ended."""
    runner = web.AppRunner(application(folder), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    asyncio.run(serve(parser.parse_args().folder))
