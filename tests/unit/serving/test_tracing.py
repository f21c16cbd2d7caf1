"""Whether a process traces."""

from __future__ import annotations

import pytest

from scurry.rules import InvalidSettings
from scurry.serving import tracing


def test_nothing_is_made_unless_it_is_wanted():
    """Neither share nor place: no traces."""
    assert tracing.tracing_of("gateway", 0.0, {}) is None


def test_a_place_is_enough():
    """Then callers decide."""
    made = tracing.tracing_of("gateway", 0.0, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert made is not None
    assert made.share == 0
    made.close()


def test_without_opentelemetry_a_share_is_refused(monkeypatch, caplog):
    """With the cure; a place alone, which others may have set, is a warning."""

    def missing(*_):
        raise ImportError

    monkeypatch.setattr(tracing, "Tracing", missing)
    with pytest.raises(InvalidSettings, match=r"scurry\[tracing\]"):
        tracing.tracing_of("gateway", 0.5, {})
    assert tracing.tracing_of("gateway", 0.0, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"}) is None
    assert "scurry[tracing]" in caplog.text
