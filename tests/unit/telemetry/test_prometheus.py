"""Figures as Prometheus reads them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scurry.telemetry.prometheus import OTHER, Bounded, Figure, Histogram, page


def test_each_figure_has_its_meaning_and_kind():
    """Whole numbers stay whole, however large."""
    one = Figure("scurry_bytes", "gauge", "Bytes of all", 2**40)
    two = Figure("scurry_seconds_total", "counter", "Time", 0.25)
    assert page([one, two]) == (
        "# HELP scurry_bytes Bytes of all\n# TYPE scurry_bytes gauge\nscurry_bytes 1099511627776\n"
        "# HELP scurry_seconds_total Time\n# TYPE scurry_seconds_total counter\nscurry_seconds_total 0.25\n"
    )


def test_lines_of_one_name_stand_together_and_the_same_labels_add_up():
    """As the format wants it, in whatever order they come."""
    a, b = (("m", "a"),), (("m", "b"),)
    figures = [Figure("n", "counter", "N", value, labels) for value, labels in ((1, a), (2, b), (4, a))]
    figures.insert(1, Figure("other", "gauge", "O", 7))
    assert page(figures).splitlines()[2:4] == ['n{m="a"} 5', 'n{m="b"} 2']


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "ü {},="])
def test_labels_come_back_as_they_were(value):
    """Prometheus' own parser reads them."""
    (family,) = text_string_to_metric_families(page([Figure("n", "gauge", "N", 1, (("label", value),))]))
    assert family.samples[0].labels == {"label": value}


def test_buckets_add_up():
    """A value on a bound is within it; the last bucket has all, as count does."""
    made = Histogram((0.5, 1.0))
    for value in (0.1, 0.5, 0.7, 9.0):
        made.note(value)
    (family,) = text_string_to_metric_families(page(made.figures("t_seconds", "T", (("k", "v"),))))
    found = {(each.name, each.labels.get("le")): each.value for each in family.samples}
    assert found == {
        ("t_seconds_bucket", "0.5"): 2, ("t_seconds_bucket", "1"): 3, ("t_seconds_bucket", "+Inf"): 4,
        ("t_seconds_sum", None): 10.3, ("t_seconds_count", None): 4,
    }  # fmt: skip
    assert repr(made) == "<Histogram of 4 values>"


def test_only_so_many_models_have_a_name():
    """Those that came first keep theirs."""
    named = Bounded(2)
    assert [named.label(model) for model in "abca"] == ["a", "b", OTHER, "a"]
    assert repr(named) == "<Bounded 2 of 2 models>"
