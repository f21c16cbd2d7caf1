"""The names in wire/names.py are those of module.yaml, of the job and of the protos."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scurry.endpoint import frames
from scurry.wire import limits, messages_pb2, names

ROOT = Path(__file__).resolve().parents[3]
JAVA = ROOT / "job" / "src" / "main" / "java" / "io" / "scurry" / "job"
MODULE = [document for document in yaml.safe_load_all((ROOT / "module.yaml").read_text()) if document]


def java_constants(file: str = "Names.java") -> dict[str, str]:
    """Every constant of a Java file: name → what it is set to."""
    return dict(re.findall(r" static final \w+ (\w+) = (.+);", (JAVA / file).read_text()))


@pytest.mark.parametrize(
    "name",
    [
        "ROUTER",
        "REGISTRY",
        "INFERENCE",
        "EGRESS",
        "INGRESS",
        "INGRESS_KIND",
        "EGRESS_KIND",
        "TRANSPORT",
        "NOBODY",
        "ANSWERS",
        "CLUSTER_SERVING",
    ],
)
def test_the_job_says_the_same(name: str) -> None:
    """A name is spelled the same in Java and in Python."""
    assert java_constants()[name].strip('"') == getattr(names, name)


def test_the_job_knows_the_same_types_and_model_names() -> None:
    """Type prefix, pattern of model names and claim-check threshold agree."""
    java = java_constants()
    assert java["TYPE_PREFIX"].strip('"') == names.TYPE_PREFIX
    assert java["MODEL_NAME"].strip('"').replace("\\\\", "\\") == names.MODEL_NAME.pattern
    assert eval(java["CLAIM_CHECK_BYTES"]) == names.CLAIM_CHECK_BYTES
    assert int(java["MOST_LANES"]) == names.MOST_LANES


def test_the_job_keeps_the_same_limits() -> None:
    """A bound that Java holds is the one of wire/limits.py."""
    java = {name: int(value) for name, value in java_constants("Limits.java").items() if value.isdigit()}
    assert java.keys() >= {"ID_BYTES", "REPLY_BYTES", "VERSION_BYTES", "ERROR_BYTES", "PAYLOAD_GRACE_SECONDS"}
    assert java == {name: getattr(limits, name) for name in java}


def test_the_job_writes_the_same_frames() -> None:
    """Kinds of frames have one name and one number."""
    java = java_constants("transport/Frames.java")
    kinds = {name: value for name, value in vars(frames).items() if name.isupper() and isinstance(value, int)}
    ours = {name: value for name, value in kinds.items() if value < 256}
    assert ours == {name: int(java[name]) for name in ours}


def test_the_job_writes_the_same_keys() -> None:
    """Every key that Keys.java makes is made the same by `Keys`."""
    java = (JAVA / "link" / "Keys.java").read_text()
    suffixes = set(re.findall(r'namespace \+ "(:[a-z:]+)"', java))
    keys = names.Keys("N")
    ours = [
        keys.requests("m"),
        keys.requests("m", 3),
        keys.partitions,
        keys.bulk,
        keys.registry_in,
        keys.replies("c"),
        keys.result("i"),
    ]
    ours += [keys.done("i"), keys.payload_in("i", "x"), keys.models, keys.registry, keys.dead, keys.job]
    ours += [keys.failures, keys.answered]
    unknown = {s for s in suffixes if not any(key.removeprefix("N").startswith(s) for key in ours)}
    assert not unknown, f"Keys.java has keys that wire/names.py does not know: {unknown}"


def test_the_module_binds_these_kinds() -> None:
    """module.yaml declares our ingress and egress under their kinds and ids."""
    bound = {document["kind"]: document["spec"] for document in MODULE}
    assert bound[names.INGRESS_KIND]["id"] == names.INGRESS
    assert bound[names.EGRESS_KIND]["id"] == names.EGRESS


def test_the_module_binds_every_function() -> None:
    """Inference has an endpoint of its own; router and registry share the other; both use our transport."""
    endpoints = {d["spec"]["functions"]: d["spec"] for d in MODULE if d["kind"].startswith("io.statefun.endpoints")}
    assert set(endpoints) == {names.INFERENCE, "scurry/*"}
    assert {names.ROUTER.partition("/")[0], names.REGISTRY.partition("/")[0]} == {"scurry"}
    assert {spec["transport"]["type"] for spec in endpoints.values()} == {names.TRANSPORT}


def test_typed_values_are_named_for_their_package() -> None:
    """The prefix is the protos' package."""
    assert f"{messages_pb2.DESCRIPTOR.package}/" == names.TYPE_PREFIX


@pytest.mark.parametrize("name", ["m", "resnet-18", "a.b_c", "0", "x" * 128])
def test_model_names(name: str) -> None:
    """Letters, digits, dot, dash and underscore make a name."""
    assert names.MODEL_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a@1", "a/b", "!", "x" * 129, "é", "a\n"])
def test_what_is_no_model_name(name: str) -> None:
    """What would break a key or an address is refused."""
    assert not names.MODEL_NAME.fullmatch(name)


def test_partition_of_a_model_is_its_crc() -> None:
    """CRC-32 of the UTF-8 name modulo the number of partitions, as the contract says."""
    assert names.Keys().requests("digits", 1) == "scurry:requests"
    assert names.Keys().requests("123456789", 1000) == f"scurry:requests:{0xCBF43926 % 1000}"


@pytest.mark.parametrize("name", ["x", "serving_default_x:0", "a:in:b", "%3A", "x=1f", "é", "a\nb"])
@pytest.mark.parametrize("request_id", ["r", "r:in", "r:out", "r:out:1", "a:b:c", "é", "a\nb"])
def test_a_request_owns_what_is_parked_under_its_id(request_id: str, name: str) -> None:
    """Inputs and outputs are its own, whatever the tensor is called, and nobody else's."""
    keys = names.Keys("{s}")
    inputs = (keys.payload_in(request_id, name), keys.payload_in(request_id, name, "1f"))
    for key in (*inputs, keys.payload_out(request_id, "1f", name)):
        assert keys.owns(request_id, key)
        others = {request_id + ":in", request_id + ":out:1f", request_id[:-1], request_id + "x", "", "{s}", "x"}
        others |= {":".join(key.split(":")[2:n]) for n in range(3, key.count(":") + 1)} - {request_id}
        assert [other for other in others if keys.owns(other, key)] == []


def test_a_digest_is_no_part_of_a_name() -> None:
    """One key for each name and digest."""
    parked = {names.Keys().payload_in("r", name, digest) for name in ("x", "x=1f", "x%3D1f") for digest in ("", "1f")}
    assert len(parked) == 6


@pytest.mark.parametrize(
    "key", ["k", "{s}:result:r", "{s}:payload:r", "{s}:payload:r:", "{s}:payload:r:in:", "s:payload:r:in:x"]
)
def test_a_request_owns_nothing_else(key: str) -> None:
    """Another namespace, another kind of key, or no whole key."""
    assert not names.Keys("{s}").owns("r", key)
