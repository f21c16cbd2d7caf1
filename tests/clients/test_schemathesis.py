"""schemathesis finds nothing between the running gateway and its OpenAPI, nor the protocol's own.

What is left out is written down here, each with its reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
from tests.clients.environments import client_file, client_program
from tests.conftest import Stack
from tests.e2e.test_gateway_clients import save_adder

MODEL = "schema-add"
SECONDS = 30
LEFT_OUT = f"""
# Names of path parameters, so that there is a model to be asked.
[parameters]
"path.model" = "{MODEL}"
"path.version" = "1"
"path.label" = "best"
"path.model_name" = "{MODEL}"
"path.model_version" = "1"
"path.MODEL_NAME" = "{MODEL}"
"path.MODEL_VERSION" = "1"

# No schema can say that a tensor's elements are as many as its shape says, and that a model has such an input: what is
# valid by the schema alone is mostly refused, as it must be. `:explain` and `/model-secure` are
# refused whatever is sent.
[[operations]]
include-path-regex = "[:/](predict|classify|regress|explain)$|/infer$|/model-secure$"
checks.positive_data_acceptance.enabled = false

# Likewise: which verbs there are and what each may hold is the registry's to say, which settings there are the
# server's, which regions of memory the machine's.
[[operations]]
include-path-regex = "/v2/repository/models/|/trace/setting$|/v2/logging$|/v2/(system|cuda)sharedmemory/"
checks.positive_data_acceptance.enabled = false

# Query parameters that nobody knows are left alone, as everywhere on the web; several results are told to those who
# accept events, which schemathesis does not say.
[[operations]]
include-path-regex = "/v2/repository/models$"
checks.negative_data_rejection.enabled = false

[[operations]]
include-path-regex = "/v2/results$"
checks.positive_data_acceptance.enabled = false

# To unregister a region that there is not is no error to Triton's clients, whatever it is called.
[[operations]]
include-path-regex = "sharedmemory/region/.*/unregister$"
checks.negative_data_rejection.enabled = false
"""
ADDED = re.compile("/(infer_stream|generate|generate_stream)$")
NOT_TRIED = "/v2/repository/models/.*/(un)?load$"
"""These would take the model away that everything else asks; tests/clients/test_triton_http.py calls them."""


@pytest.fixture(scope="module")
def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The gateway's address, once there is a model with a label."""
    path = save_adder(tmp_path_factory.mktemp("schema") / "add.onnx", 1)
    stack.register(MODEL, path)
    stack.run("models", "alias", MODEL, "best", "1")
    return stack.http_url


def found_by_schemathesis(folder: Path, url: str, schema: str) -> str:
    """What it reports of a document against the gateway; a failure fails the test."""
    (folder / "schemathesis.toml").write_text(LEFT_OUT)
    command = [
        client_program("schema", "st"), "--config-file", "schemathesis.toml", "run", schema, "--url", url,
        "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--continue-on-failure",
        "--exclude-path-regex", NOT_TRIED,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_the_served_document_is_true(url: str, tmp_path: Path) -> None:
    """Every operation of it is tried: examples, each border of each schema, then whatever comes to its mind."""
    report = found_by_schemathesis(tmp_path, url, f"{url}/openapi.json")
    selected, total = re.findall(r"(\d+) selected / (\d+) total", report)[0]
    with urllib.request.urlopen(f"{url}/openapi.json", timeout=30) as served:
        left_out = [path for path in json.load(served)["paths"] if re.fullmatch(NOT_TRIED, path)]
    assert int(selected) + len(left_out) == int(total)
    assert int(total) > 30
    assert int(re.findall(r"(\d+) generated", report)[0]) > 300


def test_the_protocols_document_as_mlserver_has_it_is_true(url: str, tmp_path: Path) -> None:
    """The one in its package, but for what it adds: text that is generated, streams of it, and JSON of type `bytes`."""
    packages = Path(client_program("mlserver")).parents[1].glob("lib/python*/site-packages")
    given = json.loads(next(packages).joinpath("mlserver/rest/openapi/dataplane.json").read_text())
    given["paths"] = {path: told for path, told in given["paths"].items() if not ADDED.search(path)}
    given["components"]["schemas"]["TensorData"] = {"type": "array"}
    (tmp_path / "protocol.json").write_text(json.dumps(given))
    report = found_by_schemathesis(tmp_path, url, "protocol.json")
    assert re.findall(r"(\d+) selected / (\d+) total", report) == [("9", "9")]


def test_the_protocols_own_document_is_true(url: str, tmp_path: Path) -> None:
    """As the protocol's project publishes it, but for the `$` before its path parameters, which no server has."""
    source = "specification/protocol/open_inference_rest.yaml of kserve/open-inference-protocol"
    given = client_file("open_inference_rest.yaml", source).read_text()
    (tmp_path / "protocol.yaml").write_text(given.replace("${", "{"))
    report = found_by_schemathesis(tmp_path, url, "protocol.yaml")
    assert re.findall(r"(\d+) selected / (\d+) total", report) == [("6", "6")]
