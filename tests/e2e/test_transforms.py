"""A model with `preprocessing` and `postprocessing`, asked with pictures through the real job."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import tritonclient.http as triton
from onnx import TensorProto, helper
from PIL import Image

from scurry.client.client import Client

if TYPE_CHECKING:
    from tests.conftest import Stack

MEAN, STD = np.float64([0.485, 0.456, 0.406]), np.float64([0.229, 0.224, 0.225])
LABELS = ["red", "green", "blue"]
CONFIG = {
    "preprocessing": [
        {
            "input": "image",
            "decode": "RGB",
            "resize": 40,
            "crop": 32,
            "scale": "1/255",
            "mean": MEAN.tolist(),
            "std": STD.tolist(),
        }
    ],
    "postprocessing": [{"output": "scores", "to": "class", "softmax": True, "top": 2, "labels": "labels.txt"}],
}


def picture(seed: int, kind: str = "JPEG") -> bytes:
    """A picture with one strong colour and noise."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 100, (50 + seed, 70, 3)).astype(np.uint8)
    pixels[..., seed % 3] += 120
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, kind)
    return encoded.getvalue()


def expected(encoded: bytes) -> tuple[np.ndarray, list[str]]:
    """What Pillow and numpy make of it: the mean of each channel is its score."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    ratio = 40 / min(image.size)
    image = image.resize((int(image.width * ratio), int(image.height * ratio)), Image.Resampling.BILINEAR)
    left, top = round((image.width - 32) / 2), round((image.height - 32) / 2)
    pixels = np.asarray(image.crop((left, top, left + 32, top + 32)))
    scores = ((pixels / 255 - MEAN) / STD).mean(axis=(0, 1))
    shares = np.exp(scores) / np.exp(scores).sum()
    order = np.argsort(-shares)[:2]
    return shares[order], [LABELS[at] for at in order]


@pytest.fixture(scope="module")
def colors(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack, once the model `colors` is ready."""
    folder = tmp_path_factory.mktemp("colors")
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx"
    )
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    config = folder.parent / "colors.json"
    config.write_text(json.dumps(CONFIG))
    stack.register("colors", folder, "1", "--config", str(config))
    return stack


def ask(stack: Stack, elements: list[Any]) -> Any:
    """Ask with JSON over HTTP; returns the answer, or the error's."""
    tensor = {"name": "image", "datatype": "BYTES", "shape": [len(elements)], "data": elements}
    body = json.dumps({"inputs": [tensor]}).encode()
    request = urllib.request.Request(f"{stack.http_url}/v2/models/colors/infer", body)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as failure:
        return json.load(failure)


def test_callers_see_the_pipeline(colors: Stack) -> None:
    """In the record and in the gateway's metadata: bytes in, values, places and labels out."""
    record = json.loads(colors.run("models", "show", "colors", "--json").stdout)
    with urllib.request.urlopen(f"{colors.http_url}/v2/models/colors", timeout=60) as answer:
        told = json.load(answer)
    for signature in (record["versions"][0]["signature"], told):
        assert [(one["name"], one["datatype"], one["shape"]) for one in signature["inputs"]] == [
            ("image", "BYTES", [-1])
        ]
        assert [(one["name"], one["datatype"], one["shape"]) for one in signature["outputs"]] == [
            ("class_values", "FP32", [-1, 2]),
            ("class_indices", "INT64", [-1, 2]),
            ("class_labels", "BYTES", [-1, 2]),
        ]
    assert record["versions"][0]["max_batch_size"] == 32


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_on_disk_is_answered_as_a_local_computation_does(colors: Stack, tmp_path: Path, kind: str) -> None:
    """`scurry predict NAME --image FILE`, in each format."""
    encoded = picture(3, kind)
    (tmp_path / "picture").write_bytes(encoded)
    answer = json.loads(colors.run("predict", "colors", "--image", str(tmp_path / "picture"), "--json").stdout)
    shares, labels = expected(encoded)
    np.testing.assert_allclose(answer["class_values"][0], shares, rtol=1e-4)
    assert answer["class_labels"] == [labels]


def test_json_with_base64_and_binary_bytes_give_the_same(colors: Stack) -> None:
    """Through the gateway: base64 texts in JSON, the pictures themselves from an unmodified tritonclient."""
    pictures = [picture(seed) for seed in range(4)]
    answer = ask(colors, [base64.b64encode(one).decode() for one in pictures])
    assert ask(colors, [{"b64": base64.b64encode(one).decode()} for one in pictures]) == answer
    by_json = {one["name"]: one["data"] for one in answer["outputs"]}
    given = triton.InferInput("image", [len(pictures)], "BYTES")
    given.set_data_from_numpy(np.array(pictures, dtype=object))
    with triton.InferenceServerClient(colors.http_url.removeprefix("http://")) as client:
        binary = client.infer("colors", [given])
    for at, one in enumerate(pictures):
        shares, labels = expected(one)
        np.testing.assert_allclose(by_json["class_values"][2 * at : 2 * at + 2], shares, rtol=1e-4)
        np.testing.assert_allclose(binary.as_numpy("class_values")[at], shares, rtol=1e-4)
        assert by_json["class_labels"][2 * at : 2 * at + 2] == labels
        assert [label.decode() for label in binary.as_numpy("class_labels")[at]] == labels


def test_what_is_no_picture_is_that_requests_error(colors: Stack) -> None:
    """With its code and the input's name; others are answered."""
    answer = ask(colors, [base64.b64encode(picture(1)[:1500]).decode()])
    assert answer["code"] == "input_value", answer
    assert "Input 'image' is a broken JPEG picture: image file is truncated" in answer["error"]
    assert "outputs" in ask(colors, [base64.b64encode(picture(1)).decode()])


def test_one_broken_picture_among_many_fails_alone(colors: Stack) -> None:
    """200 callers at once share model calls; each gets his own answer, the broken one his own error."""
    pictures = [picture(seed % 30) for seed in range(200)]
    pictures[77] = pictures[77][:1500]

    async def ask_all() -> list[Any]:
        async with Client(colors.redis_url) as client:
            asks = [client.infer("colors", {"image": np.array([one], dtype=object)}) for one in pictures]
            return await asyncio.gather(*asks, return_exceptions=True)

    answers = asyncio.run(ask_all())
    assert [at for at, one in enumerate(answers) if isinstance(one, Exception)] == [77]
    assert answers[77].code == "input_value"
    for at in {*range(200)} - {77}:
        shares, labels = expected(pictures[at])
        np.testing.assert_allclose(answers[at]["class_values"][0], shares, rtol=1e-4)
        assert answers[at]["class_labels"].tolist() == [[label.encode() for label in labels]]


def test_a_folder_is_pushed_through_the_queue_and_taken_up_again(colors: Stack, tmp_path: Path) -> None:
    """Answered as a local computation does; what has an answer, in the file or in Redis, is not asked again."""
    folder, out = tmp_path / "pictures", tmp_path / "results.jsonl"
    folder.mkdir()
    for seed in range(60):
        (folder / f"{seed:02}.jpg").write_bytes(picture(seed % 30) + bytes(seed))
    (folder / "broken.jpg").write_bytes(picture(1)[:1500])
    words = ["predict", "colors", "--folder", str(folder), "--out", str(out), "--json"]
    told = json.loads(colors.run(*words, check=False).stdout)
    assert (told["files"], told["answered"], told["failed"], told["known"]) == (61, 60, 1, 0)
    lines = {line["file"]: line for line in map(json.loads, out.read_text().splitlines())}
    assert lines["broken.jpg"]["error"] == "input_value"
    for seed in range(60):
        shares, labels = expected(picture(seed % 30))
        np.testing.assert_allclose(lines[f"{seed:02}.jpg"]["outputs"]["class_values"][0], shares, rtol=1e-4)
        assert lines[f"{seed:02}.jpg"]["outputs"]["class_labels"] == [labels]
    out.write_text("".join(out.read_text().splitlines(keepends=True)[:20])[:-10])
    (folder / "broken.jpg").unlink()
    done = colors.run(*words)
    told = json.loads(done.stdout)
    assert (told["known"], told["answered"], done.returncode) == (60, 0, 0)
    whole = [line for line in out.read_text().splitlines() if line.endswith("}}")]
    assert {json.loads(line)["file"] for line in whole} >= {f"{seed:02}.jpg" for seed in range(60)}


def test_a_config_that_does_not_fit_is_refused_when_the_model_is_registered(colors: Stack, tmp_path: Path) -> None:
    """With a sentence that names the place."""
    uri = json.loads(colors.run("models", "show", "colors", "--json").stdout)["versions"][0]["uri"]
    (tmp_path / "wrong.json").write_text(json.dumps({"preprocessing": [{"decode": "RGB", "crop": 32, "meen": 0.5}]}))
    done = colors.run(
        "models", "register", "wrong", "--uri", uri, "--config", str(tmp_path / "wrong.json"), check=False
    )
    assert done.returncode == 1
    assert "preprocessing[0] in the config has no 'meen'; was 'mean' meant?" in done.stderr
