"""Logs: one line of key=value pairs for each event."""

import io
import json
import logging

import pytest

from scurry.telemetry import logs


@pytest.fixture
def log():
    """A configured logger and what it wrote."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure_logging("worker", "info", stream)
    yield stream
    root.handlers[:], root.level = before, level


def test_a_record_is_one_line_of_pairs(log):
    """Text with blanks is quoted, plain words are not."""
    logging.getLogger("scurry.shelf").info("model %s loaded", "m", extra={"model": "m", "bytes": 12})
    line = log.getvalue()
    assert 'level=info process=worker logger=scurry.shelf msg="model m loaded" model=m bytes=12' in line
    assert line.count("\n") == 1


def test_a_traceback_stays_on_the_line(log):
    """An exception is one pair, so that no reader has to join lines."""
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("it broke")
    assert log.getvalue().count("\n") == 1
    assert "ValueError: two" in log.getvalue()


def test_records_below_the_level_are_dropped(log):
    """Level info says nothing about debug."""
    logging.getLogger("x").debug("hidden")
    assert log.getvalue() == ""


def test_an_unknown_level_is_refused():
    """The sentence names the levels there are."""
    with pytest.raises(ValueError, match="known are debug, info"):
        logs.configure_logging("worker", "loud")


def test_timestamps_are_utc_with_milliseconds():
    """RFC 3339 in UTC."""
    assert logs.timestamp(1.5) == "1970-01-01T00:00:01.500Z"


def test_json_has_the_same_pairs(log):
    """Numbers stay numbers; a traceback is one string."""
    logs.configure_logging("worker", "info", log, form="json")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("x").exception("it broke", extra=logs.about("r-1", "m", of=3))
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["msg"], told["request"], told["model"], told["of"]) == ("it broke", "r-1", "m", 3)
    assert told["process"] == "worker"
    assert "ValueError: two\nlines" in told["error"]
