"""The oldest unanswered command's age decides."""

from scurry.redis.pulse import Pulse


def test_an_overdue_answer_is_the_end():
    """Counted from when the command was sent, or from the last sign of life behind it."""
    pulse = Pulse(0.0)
    assert not pulse.is_gone(10.0, 6.0, 16.0)
    assert pulse.is_gone(10.0, 6.0, 16.1)
    pulse.heard(15.0)
    assert not pulse.is_gone(10.0, 6.0, 21.0)
    assert pulse.is_gone(10.0, 6.0, 21.1)


def test_bytes_that_leave_are_a_sign_of_life():
    """Only while more and more of them do."""
    pulse = Pulse(0.0)
    pulse.has_left(100, 5.0)
    pulse.has_left(100, 50.0)
    assert not pulse.is_gone(0.0, 6.0, 11.0)
    assert pulse.is_gone(0.0, 6.0, 11.1)
