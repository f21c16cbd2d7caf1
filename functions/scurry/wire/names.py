"""Names that cross a process or language border, in one place.

`tests/unit/wire/test_names.py` holds this file against `module.yaml` and the Java constants.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

ROUTER: Final = "scurry/router"
REGISTRY: Final = "scurry/registry"
INFERENCE: Final = "scurry/inference"
GRAPH: Final = "scurry/graph"
ANSWERS: Final = "scurry/answers"
"""The job's own function, by which the ingress answers what it does not let in."""
EGRESS: Final = "scurry/replies"
INGRESS: Final = "scurry/requests"

INGRESS_KIND: Final = "scurry.redis.v1/ingress"
EGRESS_KIND: Final = "scurry.redis.v1/egress"
TRANSPORT: Final = "scurry.transports.v1/workers"

TYPE_PREFIX: Final = "scurry.v1/"
"""Typed values are protobuf messages of the package scurry.v1, named scurry.v1/<Message>."""

ROUTER_STATE: Final = "router"
REGISTRY_STATE: Final = "record"
GRAPH_STATE: Final = "run"
INFERENCE_STATE: Final = "inference"

NOBODY: Final = "!"
"""Router key of entries that name no model."""

CALLS_PATH: Final = "/calls"
"""HTTP path of coalesced calls; the plain one-call protocol of StateFun answers on `/`."""

MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a model, a version or an alias may be called."""

CLAIM_CHECK_BYTES: Final = 8 * 1024
"""Tensors and bodies above this many bytes are parked in Redis; only their key travels."""

LANES: Final = 2
"""Lanes a version starts with: one computes while the other fills."""
MOST_LANES: Final = 16
"""Lanes of one priority. Those from here on are of lower ones: lane 16·c + k goes where lane k goes."""
MOST_LEVELS: Final = 16
"""Priorities of a version's requests, bulk apart."""

_OWN: Final = re.compile(r"in:[^:]+|out:[0-9a-f]+:[^:]+", re.DOTALL)


def _segment(name: str) -> str:
    """A tensor's name within a key: colons would let another id spell the same key, `=` is for its digest."""
    return name.replace("%", "%25").replace(":", "%3A").replace("=", "%3D")


@dataclass(frozen=True, slots=True)
class Keys:
    """Redis keys of one namespace (DESIGN: `scurry`, or `{scurry}` on Redis Cluster)."""

    namespace: str = "scurry"

    def requests(self, model: str, partitions: int = 1) -> str:
        """Stream for the requests and registry messages of a model."""
        if partitions == 1:
            return f"{self.namespace}:requests"
        return f"{self.namespace}:requests:{zlib.crc32(model.encode()) % partitions}"

    @property
    def partitions(self) -> str:
        """String key with the number of partitions, written once."""
        return f"{self.namespace}:partitions"

    @property
    def shared_payloads(self) -> str:
        """String key: the folder in shared memory where callers on the workers' machine leave payloads, and a token."""
        return f"{self.namespace}:shared-payloads"

    @property
    def registry_in(self) -> str:
        """Stream of registry messages for themselves, so that Redis can tell administrators from users."""
        return f"{self.namespace}:registry-in"

    @property
    def bulk(self) -> str:
        """Stream of requests that nobody waits for."""
        return f"{self.namespace}:bulk"

    def replies(self, client: str) -> str:
        """Reply stream of one client."""
        return f"{self.namespace}:replies:{client}"

    @property
    def notices(self) -> str:
        """Reply stream that gateways share: something came of the ids in it. No client's name has this character."""
        return self.replies("!results")

    def result(self, request_id: str) -> str:
        """Hash with the reply to one request."""
        return f"{self.namespace}:result:{request_id}"

    def asked(self, request_id: str) -> str:
        """What a gateway remembers of a request whose result is fetched later: its life is that of the result."""
        return f"{self.namespace}:asked:{request_id}"

    @property
    def idempotency(self) -> str:
        """String key: the secret from which gateways make the ids of requests with a key of the caller's."""
        return f"{self.namespace}:idempotency"

    def done(self, request_id: str) -> str:
        """Marker behind first-result-wins."""
        return f"{self.namespace}:done:{request_id}"

    def payload_in(self, request_id: str, name: str, digest: str = "") -> str:
        """Parked input tensor; with a digest of its bytes where the id may come again with others."""
        return f"{self.namespace}:payload:{request_id}:in:{_segment(name)}{digest and '='}{digest}"

    def payload_out(self, request_id: str, random: str, name: str) -> str:
        """Parked output tensor; `random` is hexadecimal."""
        return f"{self.namespace}:payload:{request_id}:out:{random}:{_segment(name)}"

    def owns(self, request_id: str, key: str) -> bool:
        """Whether a request with this id may have this key followed or deleted: its own parked inputs and outputs.

        What follows the id has no further colons and no other form, so that no other id can spell the same key.
        """
        prefix = f"{self.namespace}:payload:{request_id}:"
        return key.startswith(prefix) and _OWN.fullmatch(key, len(prefix)) is not None

    @property
    def models(self) -> str:
        """Hash: the registry's view, model name → JSON record."""
        return f"{self.namespace}:models"

    @property
    def registry(self) -> str:
        """Stream: audit of registry messages."""
        return f"{self.namespace}:registry"

    @property
    def job(self) -> str:
        """Hash: `restarts` of the job, `started` (epoch ms of the last), `warning` about Redis."""
        return f"{self.namespace}:job"

    @property
    def answered(self) -> str:
        """Hash: replies written for the entries of each stream, and of each `stream@model`."""
        return f"{self.namespace}:answered"

    @property
    def failures(self) -> str:
        """Stream: why entries of Cluster Serving streams were answered with NaN."""
        return f"{self.namespace}:failures"

    @property
    def dead(self) -> str:
        """Stream: dead letters."""
        return f"{self.namespace}:dead"


CLUSTER_SERVING: Final = "cluster-serving_"
"""How the keys begin that a Cluster Serving client looks for its answers under. No other key of ours begins so."""
SERVING_STREAM: Final = "serving_stream"
"""What such a client writes to unless it is told another stream."""
ENSEMBLE_RUNTIME: Final = "ensemble"
"""Of models that are made of others."""
NO_FILE: Final = f"{ENSEMBLE_RUNTIME}:"
"""The uri of one that was registered with all that makes it."""
