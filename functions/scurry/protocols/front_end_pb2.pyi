from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Empty(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StringReply(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ("name", "count", "mean_rate", "min", "max", "mean", "median", "std_dev", "percentile_75th", "percentile_95th", "percentile_98th", "percentile_99th", "percentile_999th")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_RATE_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    STD_DEV_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_75TH_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_95TH_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_98TH_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_99TH_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_999TH_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    mean_rate: float
    min: int
    max: int
    mean: float
    median: float
    std_dev: float
    percentile_75th: float
    percentile_95th: float
    percentile_98th: float
    percentile_99th: float
    percentile_999th: float
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., mean_rate: _Optional[float] = ..., min: _Optional[int] = ..., max: _Optional[int] = ..., mean: _Optional[float] = ..., median: _Optional[float] = ..., std_dev: _Optional[float] = ..., percentile_75th: _Optional[float] = ..., percentile_95th: _Optional[float] = ..., percentile_98th: _Optional[float] = ..., percentile_99th: _Optional[float] = ..., percentile_999th: _Optional[float] = ...) -> None: ...

class MetricsReply(_message.Message):
    __slots__ = ("metrics",)
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    def __init__(self, metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ...) -> None: ...

class GetModelsWithNameReq(_message.Message):
    __slots__ = ("model_name",)
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    def __init__(self, model_name: _Optional[str] = ...) -> None: ...

class GetModelsWithNameAndVersionReq(_message.Message):
    __slots__ = ("model_name", "model_version")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ...) -> None: ...

class ClusterServingMetaData(_message.Message):
    __slots__ = ("model_name", "model_version", "redis_input_queue", "redis_output_queue", "features")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    REDIS_INPUT_QUEUE_FIELD_NUMBER: _ClassVar[int]
    REDIS_OUTPUT_QUEUE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    redis_input_queue: str
    redis_output_queue: str
    features: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., redis_input_queue: _Optional[str] = ..., redis_output_queue: _Optional[str] = ..., features: _Optional[str] = ...) -> None: ...

class ModelsReply(_message.Message):
    __slots__ = ("cluster_serving_meta_datas",)
    CLUSTER_SERVING_META_DATAS_FIELD_NUMBER: _ClassVar[int]
    cluster_serving_meta_datas: _containers.RepeatedCompositeFieldContainer[ClusterServingMetaData]
    def __init__(self, cluster_serving_meta_datas: _Optional[_Iterable[_Union[ClusterServingMetaData, _Mapping]]] = ...) -> None: ...

class PredictReq(_message.Message):
    __slots__ = ("model_name", "model_version", "input")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    input: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., input: _Optional[str] = ...) -> None: ...

class PredictReply(_message.Message):
    __slots__ = ("response",)
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    response: str
    def __init__(self, response: _Optional[str] = ...) -> None: ...
