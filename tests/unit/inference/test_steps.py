"""Steps of many sequences in one batch, with a toy that keeps a sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, body, request, row

from scurry.inference.items import claim
from scurry.inference.loaded_model import LoadedModel
from scurry.inference.sequence_state import LiveSequence
from scurry.inference.steps import Track, run_tracks
from scurry.runtimes.port import Port
from scurry.runtimes.sequence_config import read
from scurry.runtimes.sequences import Sequences
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import Array

PORTS = tuple(tuple(Port(name, "FP32", (-1, 2)) for name in side) for side in ("xs", "yt"))
STATE = {"input_name": "s", "output_name": "t", "data_type": "TYPE_FP32", "dims": [2]}


def summing(limit: int = 4) -> LoadedModel:
    """y and t are x + s; 13 in a batch fails it, 14 makes a row disappear."""

    def run(x: Array, s: Array) -> list[Array]:
        if (x == 13).any():
            raise ValueError("no thirteen")
        t = x + s
        return [t, t[:-1] if (x == 14).any() else t]

    toy = Toy(run, *PORTS, limit=limit)
    toy.sequences = Sequences(read({"state": [STATE]}), *PORTS, toy.file.path)
    return LoadedModel(("m", "1"), toy)


class Track2(Track):
    """A track made of values."""

    def __init__(self, loaded: LoadedModel, name: int, values: Sequence[float], *, rows: int = 1) -> None:
        sent = [
            request(100 * name + at, body(x=np.repeat(row(value, value), rows, 0)), sequence_id=str(name))
            for at, value in enumerate(values)
        ]
        sent[0].sequence_start = True
        super().__init__(LiveSequence(None), "i", claim(sent, loaded.layouts), [])

    @property
    def outcome(self) -> list[float | str]:
        """Values or error codes."""
        return [
            item.failure.code if item.failure else float(np.frombuffer(item.outputs[0][1], np.float32)[0])
            for item in self.items
        ]


def run(loaded: LoadedModel, *tracks: Track2) -> int:
    """Compute all; how many model calls it took, those that failed not counted."""
    sequences = loaded.model.sequences
    assert sequences is not None
    return sum(1 for _ in run_tracks(loaded, sequences, tracks))


def test_first_steps_share_a_batch_then_second_ones() -> None:
    """Five sequences of up to three steps, four rows to a call."""
    loaded = summing()
    tracks = [Track2(loaded, 1 + n, [n, 1, 1][: 1 + n % 3]) for n in range(5)]
    assert run(loaded, *tracks) == 2 + 1 + 1
    assert [track.outcome for track in tracks] == [[0], [1, 2], [2, 3, 4], [3], [4, 5]]
    assert loaded.model.seen == [(4, 2), (1, 2), (3, 2), (1, 2)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("bad", [13, 14])
def test_a_bad_step_fails_alone_and_its_sequence_is_as_it_was(bad: int) -> None:
    """What shares its batch is answered; the next step of its sequence goes on from the one before."""
    loaded = summing()
    tracks = [Track2(loaded, 1, [1, 1, 1]), Track2(loaded, 2, [5, bad, 5]), Track2(loaded, 3, [7, 1, 1])]
    run(loaded, *tracks)
    assert [track.outcome for track in tracks] == [[1, 2, 3], [5, "model_failed", 10], [7, 8, 9]]


def test_what_cannot_be_stacked_goes_one_by_one() -> None:
    """A model that is not batched sees each step alone."""
    loaded = summing(limit=0)
    tracks = [Track2(loaded, 1, [1, 1]), Track2(loaded, 2, [2, 2])]
    assert run(loaded, *tracks) == 4
    assert [track.outcome for track in tracks] == [[1, 2], [2, 4]]


def test_a_step_is_one_row() -> None:
    """More would have one state between them."""
    loaded = summing()
    track = Track2(loaded, 1, [1, 1], rows=2)
    run(loaded, track)
    assert track.outcome == ["input_shape", "input_shape"]
    assert track.live.save() == (False, None)


def test_an_unknown_sequence_is_of_another_place() -> None:
    """Its steps are neither computed nor failed."""
    loaded = summing()
    track = Track2(loaded, 1, [1, 1])
    track.items[0].request.sequence_start = False
    assert run(loaded, track) == 0
    assert track.missed == track.items


def test_a_model_that_takes_parameters_gets_those_of_its_steps() -> None:
    """Steps with other ones do not share a call; what names the sequence is no parameter of the model's."""
    loaded, seen = summing(), []
    loaded.model.takes_parameters = loaded.layouts.takes_parameters = True  # type: ignore[misc]
    plain = loaded.model.run

    def run_with(arrays: Sequence[Array], parameters: Mapping[str, object] | None = None) -> list[Array]:
        seen.append((dict(parameters or {}), len(arrays[0])))
        return plain(arrays)

    loaded.model.run = run_with  # type: ignore[method-assign, assignment]
    tracks = []
    for name, scale in ((1, 2), (2, 2), (3, 5), (4, 0)):
        asked = InferRequest.FromString(body(x=row(name, name)))
        asked.parameters["sequence_id"].int_value = name
        asked.parameters["sequence_start"].bool_value = True
        if scale:
            asked.parameters["scale"].int_value = scale
        track = Track2(loaded, name, [name])
        track.items[:] = claim(
            [request(name, asked.SerializeToString(), sequence_id=str(name), sequence_start=True)], loaded.layouts
        )
        tracks.append(track)
    run(loaded, *tracks)
    assert [track.outcome for track in tracks] == [[1], [2], [3], [4]]
    assert seen == [({"scale": 2}, 2), ({"scale": 5}, 1), ({}, 1)]


def test_states_are_not_filled_up() -> None:
    """Nor are the inputs beside them, whatever the config says of other models."""
    toy = summing().model
    toy.options = replace(toy.options, batch_padding=True)
    loaded = LoadedModel(("m", "1"), toy)
    tracks = [Track2(loaded, 1 + n, [n]) for n in range(3)]
    assert run(loaded, *tracks) == 1
    assert [track.outcome for track in tracks] == [[0], [1], [2]]
    assert toy.seen == [(3, 2)]  # type: ignore[attr-defined]
