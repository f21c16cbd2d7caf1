"""Settings of traces and logs."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway import server_settings
from scurry.gateway.server_settings import LOG, TRACE, ServerSettings
from scurry.wire.errors import InvalidRequest


def test_what_is_set_is_told_again() -> None:
    """The rest is as it was; numbers may be numbers, texts or lists of one."""
    settings = ServerSettings()
    assert (settings.trace(), settings.log()) == (TRACE, LOG)
    told = settings.set_trace({"trace_level": ["TENSORS", "TIMESTAMPS"], "trace_rate": "5", "log_frequency": ["7"]})
    assert told == TRACE | {"trace_level": ["TIMESTAMPS", "TENSORS"], "trace_rate": "5", "log_frequency": "7"}
    assert settings.trace() == told
    told = settings.set_log({"log_verbose_level": 2, "log_info": False, "log_format": "ISO8601", "log_file": None})
    assert told == LOG | {"log_verbose_level": 2, "log_info": False, "log_format": "ISO8601"} == settings.log()


def test_a_model_has_the_servers_until_it_has_its_own() -> None:
    """None clears what was set, as an empty list does."""
    settings = ServerSettings()
    settings.set_trace({"trace_rate": 5})
    assert settings.trace("m")["trace_rate"] == "5"
    assert settings.set_trace({"trace_rate": 6}, "m")["trace_rate"] == "6"
    assert settings.trace("other")["trace_rate"] == "5"
    assert settings.set_trace({"trace_rate": None}, "m")["trace_rate"] == "5"
    assert settings.set_trace({"trace_rate": []})["trace_rate"] == "1000"
    assert repr(settings) == "<ServerSettings 0 set, and for 0 models>"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trace_colour": "red"}, "no setting 'trace_colour'; there are trace_level"),
        ({"log_info": True}, "no setting 'log_info'"),
        ({"trace_file": "x"}, "trace file location can not be updated"),
        ({"trace_file": None}, "trace file location can not be updated"),
        ({"trace_level": ["OFF", "TENSORS"]}, "Expect only one trace level 'OFF'"),
        ({"trace_level": ["LOUD"]}, "trace_level must be a list of OFF"),
        ({"trace_rate": "often"}, "Unable to parse 'trace_rate'"),
        ({"trace_rate": True}, "Unable to parse 'trace_rate'"),
        ({"trace_rate": "99999999999"}, "Unable to parse 'trace_rate'"),
        ({"trace_count": -2}, "Unable to parse 'trace_count'"),
    ],
)
def test_a_trace_setting_that_is_none_changes_nothing(changes: dict[str, Any], sentence: str) -> None:
    """Not even what stands beside it."""
    settings = ServerSettings()
    with pytest.raises(InvalidRequest, match=sentence):
        settings.set_trace({"log_frequency": 3} | changes)
    assert settings.trace() == TRACE


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": None}, "no setting 'colour'"),
        ({"log_file": "x"}, "log file location can not be updated"),
        ({"log_info": 1}, "log_info must be true or false"),
        ({"log_verbose_level": -1}, "Unable to parse 'log_verbose_level'"),
        ({"log_format": "prose"}, "log_format must be"),
        ({"trace_rate": 1}, "no setting 'trace_rate'"),
    ],
)
def test_a_log_setting_that_is_none_changes_nothing(changes: dict[str, Any], sentence: str) -> None:
    """Likewise."""
    settings = ServerSettings()
    with pytest.raises(InvalidRequest, match=sentence):
        settings.set_log({"log_warning": False} | changes)
    assert settings.log() == LOG


def test_not_everybody_can_have_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of models are the callers' to make up."""
    monkeypatch.setattr(server_settings, "MOST_MODELS", 1)
    settings = ServerSettings()
    settings.set_trace({"trace_rate": 1}, "a")
    with pytest.raises(InvalidRequest, match="the limit"):
        settings.set_trace({"trace_rate": 1}, "b")
    assert settings.set_trace({"trace_rate": 2}, "a")["trace_rate"] == "2"
