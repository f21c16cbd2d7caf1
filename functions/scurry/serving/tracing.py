"""Whether a process traces, by its settings and OpenTelemetry's."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from scurry.rules import InvalidSettings
from scurry.telemetry.tracing import Tracing, is_on

log = logging.getLogger(__name__)


def tracing_of(process: str, share: float, environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """What makes spans, if they are wanted. Raises `InvalidSettings` when they are and OpenTelemetry is not there."""
    if not is_on(share, environ):
        return None
    try:
        made = Tracing(process, share)
    except ImportError:
        sentence = "Traces need OpenTelemetry (--traces): pip install 'scurry[tracing]'."
        if share > 0:
            raise InvalidSettings(sentence) from None
        log.warning("%s", sentence)
        return None
    log.info("traces are on: %r", made)
    return made
