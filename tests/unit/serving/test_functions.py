"""What the functions process serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from scurry.job.jars import MissingJob
from scurry.serving.functions import served
from scurry.settings import FunctionsSettings


def test_router_and_registry_keep_to_the_settings(tmp_path: Path) -> None:
    """How long requests wait, and which user functions there are."""
    module = tmp_path / "module.yaml"
    module.write_text("spec:\n  functions: example/*\n")
    router, registry, _ = served(FunctionsSettings(max_queue_s=2.5, max_hold_s=0.5, module=str(module)))
    bounds = router.bounds
    assert (bounds.queue_ms, bounds.hold_ms, bounds.functions) == (2_500, 500, ("example/*",))
    assert registry.functions == ("example/*",)


def test_our_own_module_binds_no_user_function() -> None:
    """Nothing of runtime function can be registered then."""
    router, registry, _ = served(FunctionsSettings())
    assert (router.bounds.functions, registry.functions) == ((), ())


def test_a_module_that_is_not_there() -> None:
    """One sentence instead of a process that refuses everything."""
    with pytest.raises(MissingJob, match=r"no file /no/such\.yaml"):
        served(FunctionsSettings(module="/no/such.yaml"))
