"""What callers send, and how a model's input is made of it."""

from scurry.transforms.specs import Preparation, Spec


def test_a_preparation_has_rows_and_is_quick_unless_told():
    """Most are."""
    made = Preparation(Spec("x", "FP32", (-1, 2)), (), list, ())
    assert (made.stacked, made.costly) == (True, False)
