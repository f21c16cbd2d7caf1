"""The OpenAPI document is true: every path that a door answers is in it, and no other."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from tests.unit.gateway.conftest import FakeClient

from scurry.gateway import contract
from scurry.gateway.doors import cluster_paths, paths, results, scopes, statistics, tf_paths
from scurry.gateway.doors import contract as contract_door
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.doors.contract import Contract
from scurry.gateway.doors.entrance import Entrance
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.results import ResultsHttp
from scurry.gateway.doors.statistics import StatisticsHttp
from scurry.gateway.doors.tf_serving import TensorFlowServing
from scurry.serving.doors import Doors
from scurry.serving.guards import Guards
from scurry.settings import GatewaySettings

DOCUMENT: dict[str, Any] = orjson.loads(contract.openapi())
Answered = set[tuple[str, str]]


def open_inference() -> Answered:
    """Every method and path of the Open Inference Protocol's door, from its tables."""
    found = {(method, "/" + "/".join(path)) for path, (_, methods) in paths._FIXED.items() for method in methods}
    for rest, (_, methods) in paths._OF_REPOSITORY.items():
        found |= {(method, "/".join(("/v2/repository/models/{model}", *rest))) for method in methods}
    for rest, (_, methods) in paths._OF_WHOLE_MODEL.items():
        found |= {(method, "/".join(("/v2/models/{model}", *rest))) for method in methods}
    for act, methods in paths._OF_MEMORY.items():
        for kind in ("system", "cuda"):
            for region in ("", "/region/{region}"):
                if (act, region) != ("register", ""):  # it is told that it needs a name
                    found |= {(method, f"/v2/{kind}sharedmemory{region}/{act}") for method in methods}
    for rest, (_, methods) in paths._OF_MODEL.items():
        for version in ("", "/versions/{version}"):
            path = "/".join(("/v2/models/{model}" + version, *rest))
            found |= {(method, path) for method in methods}
    return found


def tensorflow_serving() -> Answered:
    """Every method and path of TensorFlow Serving's door."""
    found = {(method, path) for method in paths.READING for path in ("/", "/v1/models")}
    for version in ("", "/versions/{version}", "/labels/{label}"):
        model = "/v1/models/{model}" + version
        found |= {(method, model + rest) for method in paths.READING for rest in ("", "/metadata")}
        found |= {("POST", f"{model}:{verb}") for verb in tf_paths.ASKING}
    return found


def own_contract() -> Answered:
    """What the contract's door answers."""
    found = {(method, path) for method in paths.READING for path in contract_door.PREFIXES}
    return found | {(method, contract_door.PROTOS + "/{proto}") for method in paths.READING}


def cluster_serving() -> Answered:
    """Every method and path of Cluster Serving's door."""
    found = {(method, path) for method in paths.READING for path in ("/models", "/metrics")}
    found |= {("POST", path) for path in ("/predict", "/model-secure")}
    for model in ("/models/{model}", "/models/{model}/versions/{version}"):
        found |= {(method, model) for method in paths.READING} | {("POST", f"{model}/predict")}
    return found


def later() -> Answered:
    """What the door to results answers."""
    found = {(method, path) for method in paths.READING for path in ("/v2/results", "/v2/results/{result}")}
    return found | {("DELETE", "/v2/results/{result}")}


def live() -> Answered:
    """What the door to live statistics answers."""
    return {(method, "/v2/statistics/{model}") for method in paths.READING}


DOORS = {
    ClusterServing: cluster_serving,
    OpenInferenceHttp: open_inference,
    TensorFlowServing: tensorflow_serving,
    Contract: own_contract,
    ResultsHttp: later,
    StatisticsHttp: live,
}
"""What each door answers: a door that is not here is not in the document either."""


async def test_every_door_is_known_here() -> None:
    """Those that the gateway opens are those whose paths are held against the document."""
    client: Any = FakeClient()
    settings = GatewaySettings()
    entrance = Doors(client, settings, Guards.of(settings)).http()
    assert isinstance(entrance, Entrance)
    assert {type(entrance._otherwise), *(type(door) for _, door in entrance._doors)} == set(DOORS)


def test_every_path_is_in_the_document_and_no_other() -> None:
    """HEAD goes with GET, and is not written down."""
    answered = {pair for door in DOORS.values() for pair in door()}
    written = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert {pair for pair in written if pair[0] != "PARAMETERS"} == {pair for pair in answered if pair[0] != "HEAD"}


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_path_leads_to_its_door(path: str) -> None:
    """The door reads it as the path that it is meant to be."""
    target = re.sub(r"\{(\w+)\}", "1", path)
    for method in DOCUMENT["paths"][path].keys() - {"parameters"}:
        if path.startswith((*contract_door.PREFIXES, results.PREFIX, statistics.PREFIX)):
            continue
        if path.startswith(cluster_paths.PREFIXES):
            assert cluster_paths.cluster_operation_of(method.upper(), target).name
        elif path.startswith("/v2"):
            assert paths.operation_of(method.upper(), target).name
        else:
            assert tf_paths.tf_operation_of(method.upper(), target).name


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_path_has_a_scope_of_its_own(path: str) -> None:
    """So that whoever holds a key for asking may ask at every door, and what is the administrator's was meant to be."""
    target = re.sub(r"\{(\w+)\}", "1", path)
    for method in DOCUMENT["paths"][path].keys() - {"parameters"}:
        assert scopes.row_of(method.upper(), target) is not None, method


def references(value: object) -> list[str]:
    """Every `$ref` in it."""
    if isinstance(value, dict):
        here = [value["$ref"]] if "$ref" in value else []
        return here + [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere() -> None:
    """And every component is used."""
    found = {tuple(reference.split("/")[2:]) for reference in references(DOCUMENT)}
    have = {(kind, name) for kind, each in DOCUMENT["components"].items() for name in each}
    assert found == have


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name: str) -> None:
    """By the dialect that OpenAPI 3.1 has."""
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


SENT: dict[str, list[dict[str, Any]]] = {
    "PredictRequest": [{"instances": [[1, 2]]}, {"inputs": {"x": [[1, 2]], "t": {"b64": "AA=="}}}],
    "ExamplesRequest": [{"examples": [{"x": [1, "a"]}, {"x": 1}], "context": {"y": True}}],
    "InferRequest": [{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [[1, None]]}], "id": "7"}],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in SENT.items() for body in bodies])
def test_what_is_sent_is_by_the_schema(name: str, body: dict[str, Any]) -> None:
    """And with a field more it is not."""
    validator = Draft202012Validator(DOCUMENT | {"$ref": f"#/components/schemas/{name}"})
    assert list(validator.iter_errors(body)) == []
    assert list(validator.iter_errors(body | {"more": 1})) != []


def test_every_operation_has_an_identity_and_says_what_it_is() -> None:
    """No two have the same."""
    operations = [each for item in DOCUMENT["paths"].values() for key, each in item.items() if key != "parameters"]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert all(each["summary"] and {"4XX", "5XX"} <= each["responses"].keys() for each in operations)


def test_parameters_are_those_of_the_path() -> None:
    """Filled in from its own words."""
    item = DOCUMENT["paths"]["/v1/models/{model}/labels/{label}:predict"]
    assert [each["$ref"].rsplit("/", 1)[1] for each in item["parameters"]] == ["model", "label"]


def test_two_parts_may_not_have_the_same_path() -> None:
    """The second would be lost."""
    part: contract.Fragment = {"paths": {"/x": {"get": {"answer": "X"}}}}
    with pytest.raises(ValueError, match="'/x'"):
        contract.document(iter([part, part]))


def test_proto_files_are_found() -> None:
    """All that are named, as they are in the checkout."""
    assert tuple(contract.protos()) == contract.PROTOS
    assert b"message InferRequest" in contract.protos()["scurry/wire/infer.proto"]
