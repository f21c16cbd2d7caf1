"""What files of Cluster Serving ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scurry.cli.cluster_config import Served, read
from scurry.wire.errors import InvalidRequest

SERVABLES = """
modelMetaDataList:
- !<ClusterServingMetaData>
   modelName: "one"
   modelVersion:"1.0"
   redisHost: "localhost"
   redisPort: "6379"
   redisInputQueue: "mine"
   redisOutputQueue: "cluster-serving_mine:"
- !<InflerenceModelMetaData>
   modelName: "two"
   modelVersion: "3"
   modelPath: "net.xml"
   modelType: "OpenVINO"
   weightPath: "net.bin"
   modelConCurrentNum: 2
   features: ["a", "b"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file lies."""
    return tmp_path / "config.yaml"


def test_a_flat_file_says_model_stream_and_redis(file: Path) -> None:
    """In any case of letters; what has no effect here, or is unknown, is told."""
    (file.parent / "model").mkdir()
    file.write_text(
        "modelPath: model\njobname: digits\nredisUrl: h:7\nredisSecureEnabled: true\nthreadPerModel: 4\n"
        "modelParallelism: 3\ninputAlreadyBatched: true\nflinkRestUrl: h:8081\npostProcessing: topN(1)\nodd: 1\n"
        "imageResize: \n"
    )
    found = read(str(file))
    config = {"instance_group": [{"count": 3}], "threads": 4}
    uri = str((file.parent / "model").resolve())
    assert found.served == [Served("digits", uri=uri, config=config, stream="digits", batched=True)]
    assert found.redis_url == "rediss://h:7"
    told = "\n".join(found.notes)
    assert len(found.notes) == 3
    kept = ("postProcessing is left out", "odd is not known", "flinkRestUrl has no effect")
    assert all(each in told for each in kept)


def test_the_nested_names_of_0_9_are_the_later_ones(file: Path) -> None:
    """And a picture's sizes are width and height, as the original took them."""
    lines = ("model:", "  path: m", "  name:", "data:", "  src: localhost:6379", "  image_shape: 3,224,448", "params:")
    file.write_text("\n".join([*lines, "  core_number: 2"]))
    (one,) = read(str(file)).served
    assert (one.model, one.stream) == ("serving_stream", "serving_stream")
    picture = {"decode": "BGR", "resize": [448, 224], "layout": "NCHW"}
    assert one.config == {"instance_group": [{"count": 2}], "preprocessing": [picture]}


def test_cores_are_threads_for_openvino_and_pictures_lie_last_for_tensorflow(file: Path) -> None:
    """As the original decides by the files."""
    for name in ("v.xml", "t.pb"):
        folder = file.parent / name[0]
        folder.mkdir()
        (folder / name).touch()
    file.write_text("modelPath: v\ncoreNumberPerMachine: 4\nmodelParallelism: 2\n")
    assert read(str(file)).served[0].config == {"instance_group": [{"count": 2}], "threads": 4}
    file.write_text("modelPath: t\nimageResize: '10,20'\n")
    assert read(str(file)).served[0].config["preprocessing"][0]["layout"] == "NHWC"


def test_servables_are_read_with_both_tags_and_the_misspelt_one(file: Path) -> None:
    """Also as the guide prints them, with a space too few."""
    file.write_text(SERVABLES)
    one, two = read(str(file)).served
    assert one == Served("one", "1.0", stream="mine")
    assert (two.model, two.version, two.runtime) == ("two", "3", "openvino")
    assert (two.uri, two.config) == (str(file.parent.resolve() / "net.xml"), {"instance_group": [{"count": 2}]})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is not YAML"),
        ("- 1", "must hold names and values"),
        ("jobName: a", "modelPath is missing"),
        ("modelPath: m\njobName: a b", "cannot be the name of a model"),
        ("modelPath: m\nthreadPerModel: many", "threadPerModel must be a whole number"),
        ("modelPath: m\nimageResize: big", "imageResize must be two numbers"),
        ("modelPath: m\nmodelEncrypted: true", "decrypt the model first"),
        ("modelMetaDataList: 3", "must be a list"),
        ("modelMetaDataList: [{modelName: a}]", "entry 0 of modelMetaDataList must be a"),
        ("modelMetaDataList: [!<InferenceModelMetaData> {modelName: a, modelType: BigDL}]", "'BigDL' is not served"),
        ("modelMetaDataList: [!<ClusterServingMetaData> {modelName: 'a b'}]", "cannot be model and version"),
        ("a: !!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_what_cannot_be_is_refused_by_name(file: Path, text: str, sentence: str) -> None:
    """With the file's name; nothing in it runs code."""
    file.write_text(text)
    with pytest.raises(InvalidRequest, match=sentence):
        read(str(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is told as such."""
    with pytest.raises(InvalidRequest, match="cannot be read: No such file"):
        read(str(tmp_path / "none.yaml"))
