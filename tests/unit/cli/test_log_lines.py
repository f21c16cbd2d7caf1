"""Which lines of a log are wanted."""

from __future__ import annotations

import pytest

from scurry.cli.log_lines import Wanted, ago, fields_of, is_span

PAIRS = 'ts=2026-01-02T03:04:05.000Z level=warning process=worker logger=x msg="it \\"broke\\"" request=r-1 model=m'
JSON = '{"ts": "2026-01-02T03:04:05.000Z", "level": "warning", "msg": "it broke", "request": "r-1", "model": "m"}'


@pytest.mark.parametrize("line", [PAIRS, JSON])
@pytest.mark.parametrize(("wanted", "takes"), [
    (Wanted(request="r-1"), True), (Wanted(request="r-2"), False), (Wanted(model="m", level="warning"), True),
    (Wanted(level="error"), False), (Wanted(level="debug"), True), (Wanted(since="2026-01-02T03:04:05.001Z"), False),
    (Wanted(since="2026-01-01T00:00:00.000Z", model="m"), True), (Wanted(model="n"), False),
])  # fmt: skip
def test_a_line_is_taken_by_all_it_must_say(line, wanted, takes):
    """In either form."""
    assert wanted.takes(line) is takes


def test_lines_of_others_are_taken_by_the_id_alone():
    """The job's log has no pairs."""
    line = "2026-01-02 INFO io.scurry: request r-1 was refused"
    assert fields_of(line) == {}
    assert Wanted(request="r-1").takes(line)
    assert not Wanted(request="r-1", model="m").takes(line)
    assert not Wanted(level="info").takes(line)


def test_what_is_broken_says_nothing():
    """A line cut short by a full disk."""
    assert fields_of('{"ts": "2026') == {}
    assert fields_of(PAIRS)["msg"] == 'it "broke"'


def test_spans_of_time():
    """Since then."""
    assert [is_span(text) for text in ("10m", "1d", "m", "10", "1.5h")] == [True, True, False, False, False]
    assert ago("1m", 120.0) == "1970-01-01T00:01:00.000Z"
