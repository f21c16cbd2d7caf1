"""Figures as Prometheus reads them."""

from scurry.telemetry.prometheus import Figure, page


def test_each_figure_has_its_meaning_and_kind():
    """Whole numbers stay whole, however large."""
    one = Figure("scurry_bytes", "gauge", "Bytes of all", 2**40)
    two = Figure("scurry_seconds_total", "counter", "Time", 0.25)
    assert page([one, two]) == (
        "# HELP scurry_bytes Bytes of all\n# TYPE scurry_bytes gauge\nscurry_bytes 1099511627776\n"
        "# HELP scurry_seconds_total Time\n# TYPE scurry_seconds_total counter\nscurry_seconds_total 0.25\n"
    )
