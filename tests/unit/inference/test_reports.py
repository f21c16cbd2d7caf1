"""How long a lane kept the worker busy."""

from scurry.inference import reports
from scurry.inference.reports import Reports


def test_what_was_not_reported_is_added_up():
    """A report covers every call since the last; lanes do not mix."""
    kept = Reports()
    kept.add("m@1/0", 0.25, 3)
    kept.add("m@1/0", 0.5, 1)
    kept.add("m@1/1", 1.0, 1)
    assert repr(kept) == "<Reports of 2 lanes>"
    assert [kept.take("m@1/0"), kept.take("m@1/0"), kept.take("m@1/1")] == [(750_000, 4), (0, 0), (1_000_000, 1)]


def test_lanes_are_bounded(monkeypatch):
    """A worker that has served very many forgets rather than grows."""
    monkeypatch.setattr(reports, "LANES", 10)
    kept = Reports()
    for at in range(35):
        kept.add(f"m@1/{at}", 1.0, 1)
    assert repr(kept) == "<Reports of 5 lanes>"
