from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_REQUEST: _ClassVar[Encoding]
    ENCODING_INPUTS: _ClassVar[Encoding]
    ENCODING_ARROW: _ClassVar[Encoding]
    ENCODING_INSTANCES: _ClassVar[Encoding]

class RolloutState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUNNING: _ClassVar[RolloutState]
    FINISHED: _ClassVar[RolloutState]
    ROLLED_BACK: _ClassVar[RolloutState]
    ENDED: _ClassVar[RolloutState]

class Telling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUIET: _ClassVar[Telling]
    SCHEDULED: _ClassVar[Telling]
    ASKED: _ClassVar[Telling]

class VersionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGISTERED: _ClassVar[VersionState]
    LOADING: _ClassVar[VersionState]
    READY: _ClassVar[VersionState]
    DRAINING: _ClassVar[VersionState]
    RETIRED: _ClassVar[VersionState]
    FAILED: _ClassVar[VersionState]
ENCODING_REQUEST: Encoding
ENCODING_INPUTS: Encoding
ENCODING_ARROW: Encoding
ENCODING_INSTANCES: Encoding
RUNNING: RolloutState
FINISHED: RolloutState
ROLLED_BACK: RolloutState
ENDED: RolloutState
QUIET: Telling
SCHEDULED: Telling
ASKED: Telling
REGISTERED: VersionState
LOADING: VersionState
READY: VersionState
DRAINING: VersionState
RETIRED: VersionState
FAILED: VersionState

class Request(_message.Message):
    __slots__ = ("id", "entry", "model", "version", "encoding", "body", "payload", "reply", "deadline", "key", "priority", "tenant", "traceparent", "keep", "bulk", "attempt", "epoch", "defect", "fields", "blame", "digest", "run", "step", "sequence_id", "sequence_start", "sequence_end", "sequence_missed", "ticket", "replayed", "stream", "uri", "batched")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    BULK_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    DEFECT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    BLAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_START_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_END_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_MISSED_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    BATCHED_FIELD_NUMBER: _ClassVar[int]
    id: str
    entry: str
    model: str
    version: str
    encoding: Encoding
    body: bytes
    payload: str
    reply: str
    deadline: int
    key: str
    priority: int
    tenant: str
    traceparent: str
    keep: int
    bulk: bool
    attempt: int
    epoch: int
    defect: str
    fields: _containers.ScalarMap[str, bytes]
    blame: int
    digest: bytes
    run: str
    step: int
    sequence_id: str
    sequence_start: bool
    sequence_end: bool
    sequence_missed: _containers.RepeatedScalarFieldContainer[str]
    ticket: int
    replayed: bool
    stream: str
    uri: bytes
    batched: bool
    def __init__(self, id: _Optional[str] = ..., entry: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[str] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., body: _Optional[bytes] = ..., payload: _Optional[str] = ..., reply: _Optional[str] = ..., deadline: _Optional[int] = ..., key: _Optional[str] = ..., priority: _Optional[int] = ..., tenant: _Optional[str] = ..., traceparent: _Optional[str] = ..., keep: _Optional[int] = ..., bulk: _Optional[bool] = ..., attempt: _Optional[int] = ..., epoch: _Optional[int] = ..., defect: _Optional[str] = ..., fields: _Optional[_Mapping[str, bytes]] = ..., blame: _Optional[int] = ..., digest: _Optional[bytes] = ..., run: _Optional[str] = ..., step: _Optional[int] = ..., sequence_id: _Optional[str] = ..., sequence_start: _Optional[bool] = ..., sequence_end: _Optional[bool] = ..., sequence_missed: _Optional[_Iterable[str]] = ..., ticket: _Optional[int] = ..., replayed: _Optional[bool] = ..., stream: _Optional[str] = ..., uri: _Optional[bytes] = ..., batched: _Optional[bool] = ...) -> None: ...

class ModelSpec(_message.Message):
    __slots__ = ("uri", "runtime", "config", "generation", "max_batch_size", "identity", "fingerprint", "pinned", "pool")
    URI_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    uri: str
    runtime: str
    config: str
    generation: int
    max_batch_size: int
    identity: str
    fingerprint: str
    pinned: bool
    pool: str
    def __init__(self, uri: _Optional[str] = ..., runtime: _Optional[str] = ..., config: _Optional[str] = ..., generation: _Optional[int] = ..., max_batch_size: _Optional[int] = ..., identity: _Optional[str] = ..., fingerprint: _Optional[str] = ..., pinned: _Optional[bool] = ..., pool: _Optional[str] = ...) -> None: ...

class Requests(_message.Message):
    __slots__ = ("requests", "spec", "sequence", "report", "version", "epoch", "solo", "held_since", "replayed", "plain", "first_deadline", "missed", "shadow", "expected")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SOLO_FIELD_NUMBER: _ClassVar[int]
    HELD_SINCE_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[Request]
    spec: ModelSpec
    sequence: int
    report: bool
    version: str
    epoch: int
    solo: bool
    held_since: int
    replayed: bool
    plain: bool
    first_deadline: int
    missed: bool
    shadow: str
    expected: _containers.RepeatedCompositeFieldContainer[Expected]
    def __init__(self, requests: _Optional[_Iterable[_Union[Request, _Mapping]]] = ..., spec: _Optional[_Union[ModelSpec, _Mapping]] = ..., sequence: _Optional[int] = ..., report: _Optional[bool] = ..., version: _Optional[str] = ..., epoch: _Optional[int] = ..., solo: _Optional[bool] = ..., held_since: _Optional[int] = ..., replayed: _Optional[bool] = ..., plain: _Optional[bool] = ..., first_deadline: _Optional[int] = ..., missed: _Optional[bool] = ..., shadow: _Optional[str] = ..., expected: _Optional[_Iterable[_Union[Expected, _Mapping]]] = ...) -> None: ...

class Expected(_message.Message):
    __slots__ = ("outputs", "busy_micros")
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    BUSY_MICROS_FIELD_NUMBER: _ClassVar[int]
    outputs: bytes
    busy_micros: int
    def __init__(self, outputs: _Optional[bytes] = ..., busy_micros: _Optional[int] = ...) -> None: ...

class Copies(_message.Message):
    __slots__ = ("requests", "version", "expected")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[Request]
    version: str
    expected: _containers.RepeatedCompositeFieldContainer[Expected]
    def __init__(self, requests: _Optional[_Iterable[_Union[Request, _Mapping]]] = ..., version: _Optional[str] = ..., expected: _Optional[_Iterable[_Union[Expected, _Mapping]]] = ...) -> None: ...

class Released(_message.Message):
    __slots__ = ("id", "keys")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    id: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("version", "lane", "sequence", "epoch", "busy_micros", "requests", "suspicious", "answered")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BUSY_MICROS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    version: str
    lane: int
    sequence: int
    epoch: int
    busy_micros: int
    requests: int
    suspicious: bool
    answered: _containers.RepeatedCompositeFieldContainer[Answered]
    def __init__(self, version: _Optional[str] = ..., lane: _Optional[int] = ..., sequence: _Optional[int] = ..., epoch: _Optional[int] = ..., busy_micros: _Optional[int] = ..., requests: _Optional[int] = ..., suspicious: _Optional[bool] = ..., answered: _Optional[_Iterable[_Union[Answered, _Mapping]]] = ...) -> None: ...

class Answered(_message.Message):
    __slots__ = ("ok", "errors", "busy_micros", "waited", "sizes", "shadow", "input_micros", "compute_micros", "output_micros", "failed_millis", "last_millis", "cache_hits", "cache_misses")
    class ErrorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class FailedMillisEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    OK_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    BUSY_MICROS_FIELD_NUMBER: _ClassVar[int]
    WAITED_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    INPUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_MICROS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    FAILED_MILLIS_FIELD_NUMBER: _ClassVar[int]
    LAST_MILLIS_FIELD_NUMBER: _ClassVar[int]
    CACHE_HITS_FIELD_NUMBER: _ClassVar[int]
    CACHE_MISSES_FIELD_NUMBER: _ClassVar[int]
    ok: int
    errors: _containers.ScalarMap[str, int]
    busy_micros: int
    waited: _containers.RepeatedScalarFieldContainer[int]
    sizes: _containers.RepeatedScalarFieldContainer[int]
    shadow: Comparisons
    input_micros: int
    compute_micros: int
    output_micros: int
    failed_millis: _containers.ScalarMap[str, int]
    last_millis: int
    cache_hits: int
    cache_misses: int
    def __init__(self, ok: _Optional[int] = ..., errors: _Optional[_Mapping[str, int]] = ..., busy_micros: _Optional[int] = ..., waited: _Optional[_Iterable[int]] = ..., sizes: _Optional[_Iterable[int]] = ..., shadow: _Optional[_Union[Comparisons, _Mapping]] = ..., input_micros: _Optional[int] = ..., compute_micros: _Optional[int] = ..., output_micros: _Optional[int] = ..., failed_millis: _Optional[_Mapping[str, int]] = ..., last_millis: _Optional[int] = ..., cache_hits: _Optional[int] = ..., cache_misses: _Optional[int] = ...) -> None: ...

class Comparisons(_message.Message):
    __slots__ = ("compared", "equal", "max_abs_diff", "errors", "dropped", "primary_micros", "shadow_micros")
    class ErrorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    MAX_ABS_DIFF_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_MICROS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_MICROS_FIELD_NUMBER: _ClassVar[int]
    compared: int
    equal: int
    max_abs_diff: float
    errors: _containers.ScalarMap[str, int]
    dropped: int
    primary_micros: int
    shadow_micros: int
    def __init__(self, compared: _Optional[int] = ..., equal: _Optional[int] = ..., max_abs_diff: _Optional[float] = ..., errors: _Optional[_Mapping[str, int]] = ..., dropped: _Optional[int] = ..., primary_micros: _Optional[int] = ..., shadow_micros: _Optional[int] = ...) -> None: ...

class Counts(_message.Message):
    __slots__ = ("requests", "ok", "errors", "refused", "latency", "latency_millis", "batches", "busy_micros", "input_micros", "compute_micros", "output_micros", "failed_millis", "last_millis", "cache_hits", "cache_misses")
    class ErrorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class FailedMillisEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    OK_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    LATENCY_MILLIS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    BUSY_MICROS_FIELD_NUMBER: _ClassVar[int]
    INPUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_MICROS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    FAILED_MILLIS_FIELD_NUMBER: _ClassVar[int]
    LAST_MILLIS_FIELD_NUMBER: _ClassVar[int]
    CACHE_HITS_FIELD_NUMBER: _ClassVar[int]
    CACHE_MISSES_FIELD_NUMBER: _ClassVar[int]
    requests: int
    ok: int
    errors: _containers.ScalarMap[str, int]
    refused: int
    latency: _containers.RepeatedScalarFieldContainer[int]
    latency_millis: int
    batches: _containers.RepeatedScalarFieldContainer[int]
    busy_micros: int
    input_micros: int
    compute_micros: int
    output_micros: int
    failed_millis: _containers.ScalarMap[str, int]
    last_millis: int
    cache_hits: int
    cache_misses: int
    def __init__(self, requests: _Optional[int] = ..., ok: _Optional[int] = ..., errors: _Optional[_Mapping[str, int]] = ..., refused: _Optional[int] = ..., latency: _Optional[_Iterable[int]] = ..., latency_millis: _Optional[int] = ..., batches: _Optional[_Iterable[int]] = ..., busy_micros: _Optional[int] = ..., input_micros: _Optional[int] = ..., compute_micros: _Optional[int] = ..., output_micros: _Optional[int] = ..., failed_millis: _Optional[_Mapping[str, int]] = ..., last_millis: _Optional[int] = ..., cache_hits: _Optional[int] = ..., cache_misses: _Optional[int] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("primary", "shadow")
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    primary: Counts
    shadow: Comparisons
    def __init__(self, primary: _Optional[_Union[Counts, _Mapping]] = ..., shadow: _Optional[_Union[Comparisons, _Mapping]] = ...) -> None: ...

class InferenceState(_message.Message):
    __slots__ = ("answered", "sequence")
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    answered: _containers.RepeatedCompositeFieldContainer[Answered]
    sequence: SequenceState
    def __init__(self, answered: _Optional[_Iterable[_Union[Answered, _Mapping]]] = ..., sequence: _Optional[_Union[SequenceState, _Mapping]] = ...) -> None: ...

class Counted(_message.Message):
    __slots__ = ("versions", "unrouted")
    class UnroutedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    UNROUTED_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[VersionCounted]
    unrouted: _containers.ScalarMap[str, int]
    def __init__(self, versions: _Optional[_Iterable[_Union[VersionCounted, _Mapping]]] = ..., unrouted: _Optional[_Mapping[str, int]] = ...) -> None: ...

class VersionCounted(_message.Message):
    __slots__ = ("version", "statistics")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    version: str
    statistics: Statistics
    def __init__(self, version: _Optional[str] = ..., statistics: _Optional[_Union[Statistics, _Mapping]] = ...) -> None: ...

class Tell(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Bounced(_message.Message):
    __slots__ = ("message", "typename", "address", "cause", "executing", "alone")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TYPENAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EXECUTING_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    message: bytes
    typename: str
    address: str
    cause: str
    executing: bool
    alone: bool
    def __init__(self, message: _Optional[bytes] = ..., typename: _Optional[str] = ..., address: _Optional[str] = ..., cause: _Optional[str] = ..., executing: _Optional[bool] = ..., alone: _Optional[bool] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("id", "entry", "reply", "keep", "model", "version", "encoding", "body", "payload", "error", "message", "parked", "consumed", "bulk", "record", "digest", "run", "step", "stream", "uri")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    CONSUMED_FIELD_NUMBER: _ClassVar[int]
    BULK_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    id: str
    entry: str
    reply: str
    keep: int
    model: str
    version: str
    encoding: Encoding
    body: bytes
    payload: str
    error: str
    message: str
    parked: _containers.RepeatedScalarFieldContainer[str]
    consumed: _containers.RepeatedScalarFieldContainer[str]
    bulk: bool
    record: str
    digest: bytes
    run: str
    step: int
    stream: str
    uri: bytes
    def __init__(self, id: _Optional[str] = ..., entry: _Optional[str] = ..., reply: _Optional[str] = ..., keep: _Optional[int] = ..., model: _Optional[str] = ..., version: _Optional[str] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., body: _Optional[bytes] = ..., payload: _Optional[str] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., parked: _Optional[_Iterable[str]] = ..., consumed: _Optional[_Iterable[str]] = ..., bulk: _Optional[bool] = ..., record: _Optional[str] = ..., digest: _Optional[bytes] = ..., run: _Optional[str] = ..., step: _Optional[int] = ..., stream: _Optional[str] = ..., uri: _Optional[bytes] = ...) -> None: ...

class Graph(_message.Message):
    __slots__ = ("steps", "outputs")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[GraphStep]
    outputs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, steps: _Optional[_Iterable[_Union[GraphStep, _Mapping]]] = ..., outputs: _Optional[_Iterable[str]] = ...) -> None: ...

class GraphStep(_message.Message):
    __slots__ = ("model", "version", "inputs", "outputs")
    class InputsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class OutputsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    inputs: _containers.ScalarMap[str, str]
    outputs: _containers.ScalarMap[str, str]
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., inputs: _Optional[_Mapping[str, str]] = ..., outputs: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GraphStart(_message.Message):
    __slots__ = ("request", "version", "graph", "inputs", "parked")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    request: Request
    version: str
    graph: Graph
    inputs: bytes
    parked: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request: _Optional[_Union[Request, _Mapping]] = ..., version: _Optional[str] = ..., graph: _Optional[_Union[Graph, _Mapping]] = ..., inputs: _Optional[bytes] = ..., parked: _Optional[_Iterable[str]] = ...) -> None: ...

class GraphRun(_message.Message):
    __slots__ = ("start", "tensors", "sent", "done", "parked")
    class TensorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    START_FIELD_NUMBER: _ClassVar[int]
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    start: GraphStart
    tensors: _containers.ScalarMap[str, bytes]
    sent: _containers.RepeatedScalarFieldContainer[int]
    done: _containers.RepeatedScalarFieldContainer[int]
    parked: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, start: _Optional[_Union[GraphStart, _Mapping]] = ..., tensors: _Optional[_Mapping[str, bytes]] = ..., sent: _Optional[_Iterable[int]] = ..., done: _Optional[_Iterable[int]] = ..., parked: _Optional[_Iterable[str]] = ...) -> None: ...

class Replies(_message.Message):
    __slots__ = ("replies",)
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[Reply]
    def __init__(self, replies: _Optional[_Iterable[_Union[Reply, _Mapping]]] = ...) -> None: ...

class TensorSpec(_message.Message):
    __slots__ = ("name", "datatype", "shape", "labels")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., labels: _Optional[_Iterable[str]] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("inputs", "outputs", "batched")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    BATCHED_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[TensorSpec]
    outputs: _containers.RepeatedCompositeFieldContainer[TensorSpec]
    batched: bool
    def __init__(self, inputs: _Optional[_Iterable[_Union[TensorSpec, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[TensorSpec, _Mapping]]] = ..., batched: _Optional[bool] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("model", "id", "entry", "reply", "keep", "register", "unregister", "alias", "split", "promote", "rollback", "load", "unload", "pin", "policy", "routes", "limits", "lanes", "shadow", "rollout", "bind", "json", "digest", "replayed")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    UNREGISTER_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    PROMOTE_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    UNLOAD_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    BIND_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    model: str
    id: str
    entry: str
    reply: str
    keep: int
    register: Register
    unregister: Unregister
    alias: Alias
    split: Split
    promote: Promote
    rollback: Rollback
    load: LoadVersion
    unload: UnloadVersion
    pin: Pin
    policy: Policy
    routes: Switch
    limits: Limits
    lanes: LaneRange
    shadow: Shadow
    rollout: Rollout
    bind: Bind
    json: str
    digest: bytes
    replayed: bool
    def __init__(self, model: _Optional[str] = ..., id: _Optional[str] = ..., entry: _Optional[str] = ..., reply: _Optional[str] = ..., keep: _Optional[int] = ..., register: _Optional[_Union[Register, _Mapping]] = ..., unregister: _Optional[_Union[Unregister, _Mapping]] = ..., alias: _Optional[_Union[Alias, _Mapping]] = ..., split: _Optional[_Union[Split, _Mapping]] = ..., promote: _Optional[_Union[Promote, _Mapping]] = ..., rollback: _Optional[_Union[Rollback, _Mapping]] = ..., load: _Optional[_Union[LoadVersion, _Mapping]] = ..., unload: _Optional[_Union[UnloadVersion, _Mapping]] = ..., pin: _Optional[_Union[Pin, _Mapping]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., routes: _Optional[_Union[Switch, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., lanes: _Optional[_Union[LaneRange, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., bind: _Optional[_Union[Bind, _Mapping]] = ..., json: _Optional[str] = ..., digest: _Optional[bytes] = ..., replayed: _Optional[bool] = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("version", "uri", "runtime", "config", "route")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    version: str
    uri: str
    runtime: str
    config: str
    route: bool
    def __init__(self, version: _Optional[str] = ..., uri: _Optional[str] = ..., runtime: _Optional[str] = ..., config: _Optional[str] = ..., route: _Optional[bool] = ...) -> None: ...

class Unregister(_message.Message):
    __slots__ = ("version", "force")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    version: str
    force: bool
    def __init__(self, version: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("alias", "version")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    alias: str
    version: str
    def __init__(self, alias: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Split(_message.Message):
    __slots__ = ("weights",)
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.ScalarMap[str, int]
    def __init__(self, weights: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Promote(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class Rollback(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Bind(_message.Message):
    __slots__ = ("stream", "batched", "unbind")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    BATCHED_FIELD_NUMBER: _ClassVar[int]
    UNBIND_FIELD_NUMBER: _ClassVar[int]
    stream: str
    batched: bool
    unbind: bool
    def __init__(self, stream: _Optional[str] = ..., batched: _Optional[bool] = ..., unbind: _Optional[bool] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("batched",)
    BATCHED_FIELD_NUMBER: _ClassVar[int]
    batched: bool
    def __init__(self, batched: _Optional[bool] = ...) -> None: ...

class StreamClaim(_message.Message):
    __slots__ = ("update", "stream", "model")
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    update: Update
    stream: str
    model: str
    def __init__(self, update: _Optional[_Union[Update, _Mapping]] = ..., stream: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class StreamClaimed(_message.Message):
    __slots__ = ("update", "stream", "owner")
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    update: Update
    stream: str
    owner: str
    def __init__(self, update: _Optional[_Union[Update, _Mapping]] = ..., stream: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class LoadVersion(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class UnloadVersion(_message.Message):
    __slots__ = ("version", "force")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    version: str
    force: bool
    def __init__(self, version: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class Pin(_message.Message):
    __slots__ = ("version", "pinned")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    version: str
    pinned: bool
    def __init__(self, version: _Optional[str] = ..., pinned: _Optional[bool] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("latest", "all", "specific")
    LATEST_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    SPECIFIC_FIELD_NUMBER: _ClassVar[int]
    latest: int
    all: bool
    specific: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, latest: _Optional[int] = ..., all: _Optional[bool] = ..., specific: _Optional[_Iterable[str]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_queue_size", "default_timeout_microseconds", "max_timeout_microseconds", "tenants")
    class TenantsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: TenantLimit
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[TenantLimit, _Mapping]] = ...) -> None: ...
    MAX_QUEUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_TIMEOUT_MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_TIMEOUT_MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    max_queue_size: int
    default_timeout_microseconds: int
    max_timeout_microseconds: int
    tenants: _containers.MessageMap[str, TenantLimit]
    def __init__(self, max_queue_size: _Optional[int] = ..., default_timeout_microseconds: _Optional[int] = ..., max_timeout_microseconds: _Optional[int] = ..., tenants: _Optional[_Mapping[str, TenantLimit]] = ...) -> None: ...

class TenantLimit(_message.Message):
    __slots__ = ("rate", "burst")
    RATE_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    rate: float
    burst: float
    def __init__(self, rate: _Optional[float] = ..., burst: _Optional[float] = ...) -> None: ...

class LaneRange(_message.Message):
    __slots__ = ("min", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: int
    max: int
    def __init__(self, min: _Optional[int] = ..., max: _Optional[int] = ...) -> None: ...

class Switch(_message.Message):
    __slots__ = ("weights", "aliases", "automatic", "routed")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    ROUTED_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.ScalarMap[str, int]
    aliases: _containers.ScalarMap[str, str]
    automatic: bool
    routed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, weights: _Optional[_Mapping[str, int]] = ..., aliases: _Optional[_Mapping[str, str]] = ..., automatic: _Optional[bool] = ..., routed: _Optional[_Iterable[str]] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("version", "steps", "hold_ms", "min_requests", "max_error_rate", "max_latency_ratio", "max_disagreement", "compare_percent", "abort")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    HOLD_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    MAX_LATENCY_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_DISAGREEMENT_FIELD_NUMBER: _ClassVar[int]
    COMPARE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    ABORT_FIELD_NUMBER: _ClassVar[int]
    version: str
    steps: _containers.RepeatedScalarFieldContainer[float]
    hold_ms: int
    min_requests: int
    max_error_rate: float
    max_latency_ratio: float
    max_disagreement: float
    compare_percent: float
    abort: bool
    def __init__(self, version: _Optional[str] = ..., steps: _Optional[_Iterable[float]] = ..., hold_ms: _Optional[int] = ..., min_requests: _Optional[int] = ..., max_error_rate: _Optional[float] = ..., max_latency_ratio: _Optional[float] = ..., max_disagreement: _Optional[float] = ..., compare_percent: _Optional[float] = ..., abort: _Optional[bool] = ...) -> None: ...

class RolloutRecord(_message.Message):
    __slots__ = ("plan", "state", "message", "step", "number", "generation", "before", "at_step", "others_at_start", "shadow")
    class BeforeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AT_STEP_FIELD_NUMBER: _ClassVar[int]
    OTHERS_AT_START_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    plan: Rollout
    state: RolloutState
    message: str
    step: int
    number: int
    generation: int
    before: _containers.ScalarMap[str, int]
    at_step: Statistics
    others_at_start: Counts
    shadow: Shadow
    def __init__(self, plan: _Optional[_Union[Rollout, _Mapping]] = ..., state: _Optional[_Union[RolloutState, str]] = ..., message: _Optional[str] = ..., step: _Optional[int] = ..., number: _Optional[int] = ..., generation: _Optional[int] = ..., before: _Optional[_Mapping[str, int]] = ..., at_step: _Optional[_Union[Statistics, _Mapping]] = ..., others_at_start: _Optional[_Union[Counts, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ...) -> None: ...

class NextStep(_message.Message):
    __slots__ = ("number", "step")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    number: int
    step: int
    def __init__(self, number: _Optional[int] = ..., step: _Optional[int] = ...) -> None: ...

class Shadow(_message.Message):
    __slots__ = ("version", "percent")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    version: str
    percent: float
    def __init__(self, version: _Optional[str] = ..., percent: _Optional[float] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("model", "version", "lane", "spec", "apart")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    APART_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    lane: int
    spec: ModelSpec
    apart: bool
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., lane: _Optional[int] = ..., spec: _Optional[_Union[ModelSpec, _Mapping]] = ..., apart: _Optional[bool] = ...) -> None: ...

class Unload(_message.Message):
    __slots__ = ("model", "version", "generation", "identity", "unpin")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    UNPIN_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    generation: int
    identity: str
    unpin: bool
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., generation: _Optional[int] = ..., identity: _Optional[str] = ..., unpin: _Optional[bool] = ...) -> None: ...

class Loaded(_message.Message):
    __slots__ = ("version", "lane", "generation", "worker", "signature", "bytes", "max_batch_size", "runtime", "device", "identity", "fingerprint", "warnings", "pool", "isolated", "sequences")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    ISOLATED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    version: str
    lane: int
    generation: int
    worker: str
    signature: Signature
    bytes: int
    max_batch_size: int
    runtime: str
    device: str
    identity: str
    fingerprint: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    pool: str
    isolated: bool
    sequences: bool
    def __init__(self, version: _Optional[str] = ..., lane: _Optional[int] = ..., generation: _Optional[int] = ..., worker: _Optional[str] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., bytes: _Optional[int] = ..., max_batch_size: _Optional[int] = ..., runtime: _Optional[str] = ..., device: _Optional[str] = ..., identity: _Optional[str] = ..., fingerprint: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., pool: _Optional[str] = ..., isolated: _Optional[bool] = ..., sequences: _Optional[bool] = ...) -> None: ...

class LoadFailed(_message.Message):
    __slots__ = ("version", "lane", "generation", "error", "message", "identity")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    version: str
    lane: int
    generation: int
    error: str
    message: str
    identity: str
    def __init__(self, version: _Optional[str] = ..., lane: _Optional[int] = ..., generation: _Optional[int] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., identity: _Optional[str] = ...) -> None: ...

class Loading(_message.Message):
    __slots__ = ("version", "lane", "generation", "identity")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    version: str
    lane: int
    generation: int
    identity: str
    def __init__(self, version: _Optional[str] = ..., lane: _Optional[int] = ..., generation: _Optional[int] = ..., identity: _Optional[str] = ...) -> None: ...

class Remind(_message.Message):
    __slots__ = ("version", "generation", "attempt")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    version: str
    generation: int
    attempt: int
    def __init__(self, version: _Optional[str] = ..., generation: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class Routes(_message.Message):
    __slots__ = ("epoch", "versions", "aliases", "announce", "pending", "failed", "wanted", "unloaded", "max_timeout_microseconds", "tenants", "experiment", "shadow")
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class TenantsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: TenantLimit
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[TenantLimit, _Mapping]] = ...) -> None: ...
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    UNLOADED_FIELD_NUMBER: _ClassVar[int]
    MAX_TIMEOUT_MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    versions: _containers.RepeatedCompositeFieldContainer[VersionRoute]
    aliases: _containers.ScalarMap[str, str]
    announce: Replies
    pending: _containers.RepeatedScalarFieldContainer[str]
    failed: _containers.RepeatedScalarFieldContainer[str]
    wanted: bool
    unloaded: _containers.RepeatedScalarFieldContainer[str]
    max_timeout_microseconds: int
    tenants: _containers.MessageMap[str, TenantLimit]
    experiment: int
    shadow: Shadow
    def __init__(self, epoch: _Optional[int] = ..., versions: _Optional[_Iterable[_Union[VersionRoute, _Mapping]]] = ..., aliases: _Optional[_Mapping[str, str]] = ..., announce: _Optional[_Union[Replies, _Mapping]] = ..., pending: _Optional[_Iterable[str]] = ..., failed: _Optional[_Iterable[str]] = ..., wanted: _Optional[bool] = ..., unloaded: _Optional[_Iterable[str]] = ..., max_timeout_microseconds: _Optional[int] = ..., tenants: _Optional[_Mapping[str, TenantLimit]] = ..., experiment: _Optional[int] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ...) -> None: ...

class VersionRoute(_message.Message):
    __slots__ = ("version", "weight", "draining", "spec", "function", "max_queue_size", "default_timeout_microseconds", "priority_levels", "default_priority_level", "lanes", "most_lanes", "sequences", "tell_every")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_TIMEOUT_MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_LEVELS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PRIORITY_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    MOST_LANES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    TELL_EVERY_FIELD_NUMBER: _ClassVar[int]
    version: str
    weight: int
    draining: bool
    spec: ModelSpec
    function: str
    max_queue_size: int
    default_timeout_microseconds: int
    priority_levels: int
    default_priority_level: int
    lanes: int
    most_lanes: int
    sequences: bool
    tell_every: int
    def __init__(self, version: _Optional[str] = ..., weight: _Optional[int] = ..., draining: _Optional[bool] = ..., spec: _Optional[_Union[ModelSpec, _Mapping]] = ..., function: _Optional[str] = ..., max_queue_size: _Optional[int] = ..., default_timeout_microseconds: _Optional[int] = ..., priority_levels: _Optional[int] = ..., default_priority_level: _Optional[int] = ..., lanes: _Optional[int] = ..., most_lanes: _Optional[int] = ..., sequences: _Optional[bool] = ..., tell_every: _Optional[int] = ...) -> None: ...

class LanesWanted(_message.Message):
    __slots__ = ("version", "generation", "lanes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    version: str
    generation: int
    lanes: int
    def __init__(self, version: _Optional[str] = ..., generation: _Optional[int] = ..., lanes: _Optional[int] = ...) -> None: ...

class LanesLook(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class RoutesWanted(_message.Message):
    __slots__ = ("model", "epoch")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    model: str
    epoch: int
    def __init__(self, model: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class Expire(_message.Message):
    __slots__ = ("requests", "version", "lane")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[Expiry]
    version: str
    lane: int
    def __init__(self, requests: _Optional[_Iterable[_Union[Expiry, _Mapping]]] = ..., version: _Optional[str] = ..., lane: _Optional[int] = ...) -> None: ...

class Expiry(_message.Message):
    __slots__ = ("id", "entry", "model", "encoding", "payload", "reply", "deadline", "keep", "bulk", "digest", "run", "step", "stream", "uri", "sequence")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    BULK_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    entry: str
    model: str
    encoding: Encoding
    payload: str
    reply: str
    deadline: int
    keep: int
    bulk: bool
    digest: bytes
    run: str
    step: int
    stream: str
    uri: bytes
    sequence: int
    def __init__(self, id: _Optional[str] = ..., entry: _Optional[str] = ..., model: _Optional[str] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., payload: _Optional[str] = ..., reply: _Optional[str] = ..., deadline: _Optional[int] = ..., keep: _Optional[int] = ..., bulk: _Optional[bool] = ..., digest: _Optional[bytes] = ..., run: _Optional[str] = ..., step: _Optional[int] = ..., stream: _Optional[str] = ..., uri: _Optional[bytes] = ..., sequence: _Optional[int] = ...) -> None: ...

class Drained(_message.Message):
    __slots__ = ("version", "epoch", "expired", "generation")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    version: str
    epoch: int
    expired: bool
    generation: int
    def __init__(self, version: _Optional[str] = ..., epoch: _Optional[int] = ..., expired: _Optional[bool] = ..., generation: _Optional[int] = ...) -> None: ...

class RouterState(_message.Message):
    __slots__ = ("routes", "versions", "held", "asked", "highest", "telling", "unrouted", "reread_until", "tenants", "tickets", "served", "steps_wait_until")
    class UnroutedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class TenantsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_FIELD_NUMBER: _ClassVar[int]
    TELLING_FIELD_NUMBER: _ClassVar[int]
    UNROUTED_FIELD_NUMBER: _ClassVar[int]
    REREAD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    STEPS_WAIT_UNTIL_FIELD_NUMBER: _ClassVar[int]
    routes: Routes
    versions: _containers.RepeatedCompositeFieldContainer[LaneCounters]
    held: int
    asked: int
    highest: int
    telling: Telling
    unrouted: _containers.ScalarMap[str, int]
    reread_until: int
    tenants: _containers.ScalarMap[str, int]
    tickets: int
    served: int
    steps_wait_until: int
    def __init__(self, routes: _Optional[_Union[Routes, _Mapping]] = ..., versions: _Optional[_Iterable[_Union[LaneCounters, _Mapping]]] = ..., held: _Optional[int] = ..., asked: _Optional[int] = ..., highest: _Optional[int] = ..., telling: _Optional[_Union[Telling, str]] = ..., unrouted: _Optional[_Mapping[str, int]] = ..., reread_until: _Optional[int] = ..., tenants: _Optional[_Mapping[str, int]] = ..., tickets: _Optional[int] = ..., served: _Optional[int] = ..., steps_wait_until: _Optional[int] = ...) -> None: ...

class LaneCounters(_message.Message):
    __slots__ = ("version", "sent", "done", "asked", "requests", "refused", "service_micros", "away", "leaving", "leaving_generation", "apart_until", "lanes_wanted", "peak", "untold", "looking")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    AWAY_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    LEAVING_GENERATION_FIELD_NUMBER: _ClassVar[int]
    APART_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LANES_WANTED_FIELD_NUMBER: _ClassVar[int]
    PEAK_FIELD_NUMBER: _ClassVar[int]
    UNTOLD_FIELD_NUMBER: _ClassVar[int]
    LOOKING_FIELD_NUMBER: _ClassVar[int]
    version: str
    sent: _containers.RepeatedScalarFieldContainer[int]
    done: _containers.RepeatedScalarFieldContainer[int]
    asked: _containers.RepeatedScalarFieldContainer[int]
    requests: int
    refused: int
    service_micros: float
    away: int
    leaving: _containers.RepeatedScalarFieldContainer[int]
    leaving_generation: int
    apart_until: int
    lanes_wanted: int
    peak: int
    untold: Statistics
    looking: bool
    def __init__(self, version: _Optional[str] = ..., sent: _Optional[_Iterable[int]] = ..., done: _Optional[_Iterable[int]] = ..., asked: _Optional[_Iterable[int]] = ..., requests: _Optional[int] = ..., refused: _Optional[int] = ..., service_micros: _Optional[float] = ..., away: _Optional[int] = ..., leaving: _Optional[_Iterable[int]] = ..., leaving_generation: _Optional[int] = ..., apart_until: _Optional[int] = ..., lanes_wanted: _Optional[int] = ..., peak: _Optional[int] = ..., untold: _Optional[_Union[Statistics, _Mapping]] = ..., looking: _Optional[bool] = ...) -> None: ...

class SequenceState(_message.Message):
    __slots__ = ("identity", "last", "tensors", "answered")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    identity: str
    last: int
    tensors: _containers.RepeatedCompositeFieldContainer[StateTensor]
    answered: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, identity: _Optional[str] = ..., last: _Optional[int] = ..., tensors: _Optional[_Iterable[_Union[StateTensor, _Mapping]]] = ..., answered: _Optional[_Iterable[str]] = ...) -> None: ...

class StateTensor(_message.Message):
    __slots__ = ("shape", "data")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("model", "sequence", "epoch", "versions", "aliases", "weights", "previous", "changed", "former", "limits", "lanes", "experiment", "shadow", "rollout", "unrouted", "policy", "events", "undone", "seen", "streams", "owner")
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class PreviousEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class UnroutedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class StreamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Binding
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Binding, _Mapping]] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    FORMER_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    UNROUTED_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    UNDONE_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    model: str
    sequence: int
    epoch: int
    versions: _containers.RepeatedCompositeFieldContainer[VersionRecord]
    aliases: _containers.ScalarMap[str, str]
    weights: _containers.ScalarMap[str, int]
    previous: _containers.ScalarMap[str, int]
    changed: int
    former: _containers.RepeatedCompositeFieldContainer[FormerRoutes]
    limits: Limits
    lanes: LaneRange
    experiment: int
    shadow: Shadow
    rollout: RolloutRecord
    unrouted: _containers.ScalarMap[str, int]
    policy: Policy
    events: int
    undone: _containers.RepeatedScalarFieldContainer[str]
    seen: _containers.RepeatedCompositeFieldContainer[Seen]
    streams: _containers.MessageMap[str, Binding]
    owner: str
    def __init__(self, model: _Optional[str] = ..., sequence: _Optional[int] = ..., epoch: _Optional[int] = ..., versions: _Optional[_Iterable[_Union[VersionRecord, _Mapping]]] = ..., aliases: _Optional[_Mapping[str, str]] = ..., weights: _Optional[_Mapping[str, int]] = ..., previous: _Optional[_Mapping[str, int]] = ..., changed: _Optional[int] = ..., former: _Optional[_Iterable[_Union[FormerRoutes, _Mapping]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., lanes: _Optional[_Union[LaneRange, _Mapping]] = ..., experiment: _Optional[int] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ..., rollout: _Optional[_Union[RolloutRecord, _Mapping]] = ..., unrouted: _Optional[_Mapping[str, int]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., events: _Optional[int] = ..., undone: _Optional[_Iterable[str]] = ..., seen: _Optional[_Iterable[_Union[Seen, _Mapping]]] = ..., streams: _Optional[_Mapping[str, Binding]] = ..., owner: _Optional[str] = ...) -> None: ...

class Seen(_message.Message):
    __slots__ = ("id", "digest")
    ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    digest: bytes
    def __init__(self, id: _Optional[bytes] = ..., digest: _Optional[bytes] = ...) -> None: ...

class FormerRoutes(_message.Message):
    __slots__ = ("weights", "aliases")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.ScalarMap[str, int]
    aliases: _containers.ScalarMap[str, str]
    def __init__(self, weights: _Optional[_Mapping[str, int]] = ..., aliases: _Optional[_Mapping[str, str]] = ...) -> None: ...

class VersionRecord(_message.Message):
    __slots__ = ("version", "spec", "state", "error", "message", "loaded", "signature", "bytes", "device", "waiting", "function", "serving", "losses", "update", "warnings", "former", "isolated", "unrouted", "resting", "laid_down", "pinned", "lanes", "growing", "sequences", "statistics")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    FORMER_FIELD_NUMBER: _ClassVar[int]
    ISOLATED_FIELD_NUMBER: _ClassVar[int]
    UNROUTED_FIELD_NUMBER: _ClassVar[int]
    RESTING_FIELD_NUMBER: _ClassVar[int]
    LAID_DOWN_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    GROWING_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    version: str
    spec: ModelSpec
    state: VersionState
    error: str
    message: str
    loaded: _containers.RepeatedScalarFieldContainer[int]
    signature: Signature
    bytes: int
    device: str
    waiting: _containers.RepeatedCompositeFieldContainer[Update]
    function: str
    serving: ModelSpec
    losses: int
    update: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    former: _containers.RepeatedCompositeFieldContainer[ModelSpec]
    isolated: bool
    unrouted: bool
    resting: bool
    laid_down: bool
    pinned: bool
    lanes: int
    growing: int
    sequences: bool
    statistics: Statistics
    def __init__(self, version: _Optional[str] = ..., spec: _Optional[_Union[ModelSpec, _Mapping]] = ..., state: _Optional[_Union[VersionState, str]] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., loaded: _Optional[_Iterable[int]] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., bytes: _Optional[int] = ..., device: _Optional[str] = ..., waiting: _Optional[_Iterable[_Union[Update, _Mapping]]] = ..., function: _Optional[str] = ..., serving: _Optional[_Union[ModelSpec, _Mapping]] = ..., losses: _Optional[int] = ..., update: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., former: _Optional[_Iterable[_Union[ModelSpec, _Mapping]]] = ..., isolated: _Optional[bool] = ..., unrouted: _Optional[bool] = ..., resting: _Optional[bool] = ..., laid_down: _Optional[bool] = ..., pinned: _Optional[bool] = ..., lanes: _Optional[int] = ..., growing: _Optional[int] = ..., sequences: _Optional[bool] = ..., statistics: _Optional[_Union[Statistics, _Mapping]] = ...) -> None: ...

class View(_message.Message):
    __slots__ = ("model", "record")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    model: str
    record: str
    def __init__(self, model: _Optional[str] = ..., record: _Optional[str] = ...) -> None: ...

class Audit(_message.Message):
    __slots__ = ("model", "sequence", "update", "outcome", "at", "number", "record")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    model: str
    sequence: int
    update: str
    outcome: str
    at: int
    number: int
    record: str
    def __init__(self, model: _Optional[str] = ..., sequence: _Optional[int] = ..., update: _Optional[str] = ..., outcome: _Optional[str] = ..., at: _Optional[int] = ..., number: _Optional[int] = ..., record: _Optional[str] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("request", "cause", "attempts", "fields")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    request: Request
    cause: str
    attempts: int
    fields: _containers.ScalarMap[str, bytes]
    def __init__(self, request: _Optional[_Union[Request, _Mapping]] = ..., cause: _Optional[str] = ..., attempts: _Optional[int] = ..., fields: _Optional[_Mapping[str, bytes]] = ...) -> None: ...
