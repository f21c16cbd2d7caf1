"""A load that never comes back costs a worker a thread, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from tests.integration.test_worker import Worker, call, models, spec  # noqa: F401 - models is a fixture

from scurry.wire.messages_pb2 import Load, Loaded, LoadFailed

PROGRAM = """
import sys, time
from scurry.runtimes.onnx import OnnxRuntime
from scurry.serving.worker import run
from scurry.settings import WorkerSettings
load = OnnxRuntime._load
OnnxRuntime._load = lambda model: time.sleep(1000) if "patient" in str(model.file.path) else load(model)
run(WorkerSettings(port=0, redis_url=sys.argv[1], memory_mb=512, models_root=sys.argv[2], max_load_s=2.0))
"""


def told(worker: Worker, model: str, message: type) -> list:
    """What the registry hears of a load."""
    answer = worker.ask(call(model, Load(model=model, version="1", spec=spec()), lane="load/0"))
    kind = f"scurry.v1/{message.__name__}"
    return [
        message.FromString(each.argument.value)
        for each in answer.outgoing_messages
        if each.argument.typename == kind
    ]  # fmt: skip


def test_a_load_that_hangs_is_a_failed_load(redis_server, models) -> None:  # noqa: F811
    """Other models are loaded meanwhile; told to leave, the worker does not wait for the thread."""
    command = [sys.executable, "-c", PROGRAM, redis_server.url, str(models)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    line = next(each for each in process.stderr if "ready on" in each)
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    worker = Worker(process, line.split("ready on ")[1].strip().strip('"'), "")
    try:
        failed: list = []
        end = time.monotonic() + 30
        while not failed and time.monotonic() < end:
            failed = told(worker, "patient", LoadFailed)
            assert told(worker, "double", Loaded)
        assert failed[0].error == "load_failed"
        assert "not open after 2 s and is given up" in failed[0].message
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)
    drain.join(10)
    process.stderr.close()
