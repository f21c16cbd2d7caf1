"""Messages with arrays over a pair of sockets."""

from __future__ import annotations

import socket
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scurry.inference.isolated import channel as module
from scurry.inference.isolated.channel import ANEW, HEAD, SHARED, SHARED_BYTES, Channel, Unreadable
from scurry.wire.tensors import BF16, DTYPES


@pytest.fixture
def ends():
    """Both ends."""
    pair = socket.socketpair()
    made = [Channel(end) for end in pair]
    yield made
    for end in made:
        end.close()


def carried(ends, sent, header=None):
    """What arrives of what is sent."""
    sender = threading.Thread(target=ends[0].send, args=(header or {}, sent))
    sender.start()
    found = ends[1].receive(10)
    sender.join()
    return found


def filled(dtype):
    """Small arrays of a data type, of any bytes for those that hypothesis does not know."""
    known = np.dtype(np.uint16) if dtype == BF16 else dtype
    made = arrays.arrays(known, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
    return made.map(lambda array: array.view(dtype))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(DTYPES.values())).flatmap(filled), max_size=4), st.booleans())
def test_whatever_goes_in_comes_out(sent, large):
    """Every data type, scalars and empty arrays; in the message or in memory, and each may be written to."""
    pair = socket.socketpair()
    ends = [Channel(end) for end in pair]
    if large:
        sent = [*sent, np.arange(SHARED_BYTES, dtype=np.float64)]
    header, found = carried(ends, sent, {"op": "run", "parameters": {"a": 1.5}})
    assert header == {"op": "run", "parameters": {"a": 1.5}}
    assert [(each.dtype, each.shape, each.tobytes()) for each in found] == [
        (each.dtype, each.shape, each.tobytes()) for each in sent
    ]
    assert all(each.flags.writeable for each in found if each.size)
    for end in ends:
        end.close()


def test_texts_and_arrays_that_do_not_lie_in_order(ends):
    """Strings are bytes on the other side; a transposed array is itself."""
    words = np.array([["a", "é"], [b"\0", ""]], object)
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    _, (texts, numbers) = carried(ends, [words, turned])
    assert texts.tolist() == [[b"a", "é".encode()], [b"\0", b""]]
    assert numbers.tolist() == turned.tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_who_keeps_an_array_keeps_what_he_got(turns):
    """Requests and answers of any size, some kept on either side, some written to: none changes another."""
    sizes, pair = (100, SHARED_BYTES, 3 << 20, 40 << 20), socket.socketpair()
    ends, kept = [Channel(end) for end in pair], []
    for turn, (size, keep_request, keep_answer) in enumerate(turns):
        for way, keep in ((0, keep_request), (1, keep_answer)):
            value = 2 * turn + way
            _, (found,) = carried(ends if way == 0 else ends[::-1], [np.full(sizes[size], value % 256, np.uint8)])
            assert (found == value % 256).all()
            if keep:
                kept.append((found[:: len(found) // 7], value % 256))
            else:
                found[:] = 255
    assert all((part == value).all() for part, value in kept)
    for end in ends:
        end.close()


def test_memory_is_used_again(ends):
    """As long as nobody refers to what lay in it."""
    large, memories = np.ones(SHARED_BYTES, np.float32), []
    for _ in range(3):
        carried(ends, [large])
        memories.append(id(ends[0]._outgoing._memory))
        carried(ends[::-1], [large])
    assert len(set(memories)) == 1
    _, kept = carried(ends, [large])
    carried(ends[::-1], [large])
    carried(ends, [large])
    assert id(ends[0]._outgoing._memory) != memories[0]
    assert kept[0][0] == 1


def test_without_files_in_memory_all_goes_through_the_socket(ends, monkeypatch):
    """As on systems that have none."""
    monkeypatch.setattr(module, "MEMORY", False)
    large = np.arange(SHARED_BYTES, dtype=np.int64)
    _, (found,) = carried(ends, [large])
    assert (found == large).all()


def test_the_other_end_may_be_gone_or_silent(ends):
    """Each is told from the other."""
    for limit in (0.01, 0):
        with pytest.raises(TimeoutError):
            ends[1].receive(limit)
    ends[0].close()
    with pytest.raises(EOFError):
        ends[1].receive(10)
    with pytest.raises(OSError):
        ends[1].send({}, [np.zeros(1 << 20, np.int8)], 10)


@pytest.mark.parametrize("cut", [1, HEAD.size, HEAD.size + 1, -1])
def test_a_message_that_began_is_waited_for(ends, cut):
    """Whoever looks again is not shown the rest of it as the next one: on busy cores it may come in pieces."""
    ours, theirs = socket.socketpair()
    sender = Channel(ours)
    sender.send({"op": "run"}, [np.arange(9.0)])
    sender.close()
    whole = theirs.recv(1 << 16)
    theirs.close()
    ends[0]._socket.sendall(whole[:cut])
    late = threading.Timer(0.1, ends[0]._socket.sendall, (whole[cut:],))
    late.start()
    header, arrays = ends[1].receive(0.01)
    late.join()
    assert (header, [each.tolist() for each in arrays]) == ({"op": "run"}, [list(range(9))])


def test_a_message_that_does_not_end_is_none(ends, monkeypatch):
    """What comes after it could not be read."""
    monkeypatch.setattr(module, "STALL_SECONDS", 0.01)
    ends[0]._socket.sendall(HEAD.pack(10, 0, False)[:4])
    with pytest.raises(Unreadable, match="it does not end"):
        ends[1].receive(10)
    ends[0]._socket.sendall(HEAD.pack(10, 0, False)[:4])
    ends[0].close()
    with pytest.raises(EOFError):
        ends[1].receive(10)


@pytest.mark.parametrize(
    "garbage",
    [
        b"Traceback (most recent call last):",
        HEAD.pack(2, 0, False) + b"[]",
        HEAD.pack(2, 0, False) + b"{}",
        HEAD.pack(1 << 31, 0, False),
        HEAD.pack(2, 1 << 40, False) + b"{}",
        HEAD.pack(2, 1 << 20, SHARED) + b"{}",
        HEAD.pack(2, 1 << 20, SHARED | ANEW) + b"{}",
        HEAD.pack(33, 4, False) + b'{"tensors":[["FP32",[2],4],[1,2]]}'[:33] + b"1234",
    ],
)
def test_what_is_no_message_is_said_to_be_none(ends, garbage):
    """What a process that is falling apart writes costs no memory and no patience."""
    ends[0]._socket.sendall(garbage)
    with pytest.raises(Unreadable):
        ends[1].receive(10)


def test_it_has_a_name(ends):
    """By its descriptor."""
    assert repr(ends[0]).startswith("<Channel ")
