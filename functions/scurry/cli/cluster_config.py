"""What config.yaml and servables files of Cluster Serving ask for.

Names are taken in any case, as the original does; the nested names of release 0.9 stand for the later ones. What has no
meaning here is told and left out. Pure but for reading files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scurry.cli.yaml_files import tagged
from scurry.wire.errors import InvalidRequest
from scurry.wire.names import MODEL_NAME, SERVING_STREAM

NESTED: Final[Mapping[str, str]] = {
    "model.path": "modelPath", "model.name": "jobName", "data.src": "redisUrl", "data.filter": "postProcessing",
    "data.image_shape": "imageResize", "params.core_number": "coreNumberPerMachine",
    "params.model_number": "modelParallelism", "flink.rest": "flinkRestUrl", "redis.maxmem": "redisMaxmemory",
    "redis.timeout": "redisTimeout", "secure.secure_enabled": "redisSecureEnabled",
    "secure.secure_trust_store_path": "redisSecureTrustStorePath",
    "secure.secure_struct_store_password": "redisSecureTrustStorePassword",
}  # fmt: skip
"""Names of 0.9, and what they became."""
IDLE: Final = frozenset({
    "performance_mode", "flinkRestUrl", "redisMaxmemory", "redisTimeout", "redisSecureTrustStorePath",
    "redisSecureTrustStorePassword", "secureEnabled", "secureTrustStorePath", "secureStructStorePassword",
})  # fmt: skip
"""What the original read and Scurry has no use for."""
KNOWN: Final = frozenset(NESTED.values()) | IDLE | {
    "inputAlreadyBatched", "threadPerModel", "modelEncrypted", "recordEncrypted",
}  # fmt: skip
RUNTIMES: Final[Mapping[str, str]] = {
    "openvino": "openvino", "tf.frozenmodel": "openvino", "caffe": "opencv", "pytorch": "torch",
}  # fmt: skip
"""`modelType` of a servable; BigDL's own format is nobody's here."""
CLUSTER, INFERENCE = "ClusterServingMetaData", ("InferenceModelMetaData", "InflerenceModelMetaData")


@dataclass(frozen=True, slots=True)
class Served:
    """A model to be registered, if it has a uri, and the stream that it answers, if there is one."""

    model: str
    version: str = "1"
    uri: str = ""
    runtime: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    stream: str = ""
    batched: bool = False


@dataclass(slots=True)
class ClusterConfig:
    """What a file says."""

    served: list[Served] = field(default_factory=list)
    redis_url: str = ""
    notes: list[str] = field(default_factory=list)


def read(file: str) -> ClusterConfig:
    """Both kinds of files. Raises `InvalidRequest` for what is neither, or asks for what cannot be."""
    document = tagged(file, (CLUSTER, *INFERENCE), lambda text: re.sub(r'(?m)^(\s*\w+):(?=")', r"\1: ", text))
    if not isinstance(document, dict):
        raise InvalidRequest("bad_request", f"{file} must hold names and values, as config.yaml does.")
    servables = next((value for name, value in document.items() if str(name).lower() == "modelmetadatalist"), None)
    return _config(file, document) if servables is None else _servables(file, servables)


def _config(file: str, document: Mapping[str, Any]) -> ClusterConfig:
    found = ClusterConfig()
    given = dict(_flat(document, found.notes, file))
    for name in ("modelEncrypted", "recordEncrypted"):
        if given.get(name):
            raise InvalidRequest("bad_request", f"{file}: {name} is not possible here: decrypt the model first.")
    path = str(given.get("modelPath") or "")
    if not path:
        raise InvalidRequest("bad_request", f"{file}: modelPath is missing.")
    name = str(given.get("jobName") or SERVING_STREAM)
    if not MODEL_NAME.fullmatch(name):
        raise InvalidRequest("bad_request", f"{file}: jobName {name[:64]!r} cannot be the name of a model.")
    if given.get("redisUrl"):
        scheme = "rediss" if given.get("redisSecureEnabled") else "redis"
        found.redis_url = f"{scheme}://{given['redisUrl']}"
    if given.get("postProcessing"):
        found.notes.append(f"{file}: postProcessing is left out: clients over Redis could not read what it made.")
    uri = path if "://" in path else str((Path(file).parent / path).resolve())
    batched = bool(given.get("inputAlreadyBatched"))
    found.served.append(Served(name, uri=uri, config=_options(file, given, uri), stream=name, batched=batched))
    return found


def _flat(document: Mapping[str, Any], notes: list[str], file: str) -> Iterator[tuple[str, Any]]:
    """Values under the names of today; empty ones are none."""
    names = {name.lower(): name for name in KNOWN} | dict(NESTED)
    for outer, value in document.items():
        inner = value if isinstance(value, dict) else {"": value}
        for name, each in inner.items():
            said = f"{outer}.{name}" if name else str(outer)
            known = names.get(said.lower())
            if known is None:
                notes.append(f"{file}: {said} is not known, and left out.")
            elif known in IDLE:
                notes += [f"{file}: {said} has no effect here."] if each not in (None, "", False) else ()
            elif each not in (None, ""):
                yield known, each


def _options(file: str, given: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """The model's configuration in Triton's names."""
    options: dict[str, Any] = {}
    cores = _whole(file, "coreNumberPerMachine", given, -1)
    is_openvino = next(Path(uri).glob("*.xml"), None) is not None
    copies = _whole(file, "modelParallelism", given, 1) if cores <= 0 or is_openvino else cores
    threads = cores if cores > 0 and is_openvino else _whole(file, "threadPerModel", given, 1)
    if copies > 1:
        options["instance_group"] = [{"count": min(copies, 16)}]
    if threads > 1:
        options["threads"] = threads
    if given.get("imageResize"):
        sizes = [int(each) for each in re.findall(r"\d+", str(given["imageResize"]))][-2:]
        if len(sizes) != 2:
            raise InvalidRequest("bad_request", f"{file}: imageResize must be two numbers, such as 224,224.")
        layout = "NHWC" if next(Path(uri).glob("*.pb"), None) else "NCHW"
        options["preprocessing"] = [{"decode": "BGR", "resize": sizes[::-1], "layout": layout}]
    return options


def _whole(file: str, name: str, given: Mapping[str, Any], default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError):
        raise InvalidRequest("bad_request", f"{file}: {name} must be a whole number, not {given[name]!r}.") from None


def _servables(file: str, listed: object) -> ClusterConfig:
    found = ClusterConfig()
    if not isinstance(listed, list):
        raise InvalidRequest("bad_request", f"{file}: modelMetaDataList must be a list.")
    for at, one in enumerate(listed):
        tag, values = one if isinstance(one, tuple) else ("", one)
        if not tag or not isinstance(values, dict):
            tags = " or ".join((CLUSTER, INFERENCE[0]))
            raise InvalidRequest("bad_request", f"{file}: entry {at} of modelMetaDataList must be a !<{tags}>.")
        given = {str(name).lower(): value for name, value in values.items() if value is not None}
        model, version = str(given.get("modelname", "")), str(given.get("modelversion", "1"))
        if not MODEL_NAME.fullmatch(model) or not MODEL_NAME.fullmatch(version):
            sentence = f"{file}: entry {at}: {model!r} {version!r} cannot be model and version."
            raise InvalidRequest("bad_request", sentence)
        if tag == CLUSTER:
            found.served.append(Served(model, version, stream=str(given.get("redisinputqueue") or SERVING_STREAM)))
        else:
            found.served.append(_inference(file, at, model, version, given))
    return found


def _inference(file: str, at: int, model: str, version: str, given: Mapping[str, Any]) -> Served:
    kind, path = str(given.get("modeltype", "")), str(given.get("modelpath", ""))
    if kind and kind.lower() not in RUNTIMES:
        known = "OpenVINO, tf.frozenModel, Caffe, PyTorch"
        raise InvalidRequest("bad_request", f"{file}: entry {at}: modelType {kind!r} is not served here; {known} are.")
    uri = path if "://" in path else str((Path(file).parent / path).resolve())
    copies = _whole(file, "modelconcurrentnum", given, 1)
    config = {"instance_group": [{"count": min(copies, 16)}]} if copies > 1 else {}
    return Served(model, version, uri, RUNTIMES.get(kind.lower(), ""), config)
