"""What is asked."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from tests.chaos.mix import Mix, Numbers, Subject, contents
from tests.chaos.replies import Decoder

SUBJECTS = (Subject("a", ("", "1")), Subject("b", weight=1), Subject("wide", width=4096))


def mix(seed: int = 1) -> Mix:
    """A mix of three models."""
    return Mix(SUBJECTS, Numbers("r"), "scurry:replies:r", random.Random(seed))


def test_a_seed_asks_the_same_again() -> None:
    """Entry by entry, but for the time of deadlines."""
    one, two = mix(), mix()
    for _ in range(200):
        for (_, fields), (_, others) in zip(one.draw(), two.draw(), strict=True):
            assert fields | {"deadline": ""} == others | {"deadline": ""}


def test_all_that_can_be_asked_is_asked() -> None:
    """Names, forms, keys, deadlines, retries, sizes."""
    subject = mix()
    drawn = [subject.draw() for _ in range(2000)]
    fields = [each for pairs in drawn for _, each in pairs]
    assert Counter(len(pairs) for pairs in drawn).keys() == {1, 2}
    assert {str(each["model"]) for each in fields} == {"a", "b", "wide"}
    assert {name for each in fields for name in each} >= {"inputs", "request", "version", "key", "deadline", "keep"}
    assert all(each["keep"] != "0" for pairs in drawn if len(pairs) > 1 for _, each in pairs)


def test_an_id_is_used_for_another_input_once_its_time_has_come() -> None:
    """And for the first again; every first one has its two others."""
    subject = mix()
    drawn = [pair for _ in range(2000) for pair in subject.draw()]
    firsts = {question.number: fields for question, fields in drawn if question.more}
    assert len(firsts) > 5
    assert subject.due(0.0) == []
    others = subject.due(float("inf"))
    assert [question.number for question, _ in others] == [number for number in firsts for _ in range(2)]
    for (other, fields), (again, same) in zip(others[::2], others[1::2], strict=True):
        assert same == firsts[again.number]
        assert fields["id"] == same["id"]
        assert other.digest != again.digest
    assert subject.due(float("inf")) == []


def test_ids_come_back_as_numbers() -> None:
    """Others do not."""
    numbers = Numbers("r")
    assert [numbers.take(), numbers.take()] == [1, 2]
    assert numbers.number(numbers.id(7)) == 7
    assert [numbers.number(text) for text in ("c-r-", "c-x-7", "7", "c-r--7", "c-r-7x")] == [None] * 5


def test_no_two_versions_compute_alike() -> None:
    """An answer names its version, whichever input."""
    made = contents(3)
    assert len({(content.a, content.b) for content in made.values()}) == len(made)
    x = np.array([[999.0, 0.0, 1.0, 2.0]], np.float32)
    assert len({content.answer(x)[0].tobytes() for content in made.values()}) == len(made)


def test_the_decoder_reads_both_forms() -> None:
    """JSON and protobuf, answers and errors."""
    from scurry.wire.infer_pb2 import InferReply, Tensor

    decoder = Decoder("redis://127.0.0.1:1", Numbers("r"))
    data = np.array([[1, 2]], "<f4")
    tensors = [Tensor(name=name, datatype="FP32", shape=[1, 2], data=data.tobytes()) for name in "ys"]
    told = {b"id": b"c-r-5", b"status": b"ok", b"version": b"2"}
    seen = decoder.seen(told | {b"reply": InferReply(outputs=tensors).SerializeToString()}, 1.0)
    output = '{"name": "%s", "shape": [1, 2], "data": [1, 2]}'
    other = decoder.seen(told | {b"reply": f'{{"outputs": [{output % "y"}, {output % "s"}]}}'.encode()}, 1.0)
    for each in (seen, other):
        assert (each.number, each.version, each.error) == (5, "2", "")
        assert np.array_equal(each.y, data)  # type: ignore[arg-type]
        assert np.array_equal(each.s, data)  # type: ignore[arg-type]
    failed = decoder.seen({b"id": b"x", b"status": b"error", b"error": b"internal", b"message": b"m"}, 1.0)
    assert (failed.number, failed.error, failed.message) == (-1, "internal", "m")
