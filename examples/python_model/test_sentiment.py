"""The example's own test, as its users would write it: no job, no Redis."""

from pathlib import Path

import numpy as np
import pytest

from scurry import InvalidRequest
from scurry.testing import serve

MODEL = Path(__file__).parent / "models" / "sentiment" / "1"


def texts(*words: str) -> dict[str, np.ndarray]:
    """The model's input."""
    return {"text": np.array([word.encode() for word in words], object)}


def test_friendly_and_unfriendly():
    """Each text has its score and its label; a request may move the line."""
    with serve(MODEL) as model:
        found = model.predict(texts("I love it, thanks!", "An awful day."))
        assert found["score"].tolist() == [3, -2]
        assert found["label"].tolist() == [b"friendly", b"unfriendly"]
        assert model.predict(texts("I love it"), threshold=2.5)["label"].tolist() == [b"unfriendly"]


def test_a_text_may_be_too_long():
    """That is the caller's mistake, and only his."""
    with serve(MODEL) as model:
        short, long = model.predict_together(texts("good"), texts("good " * 1000))
        assert short["score"].tolist() == [1]
        assert isinstance(long, InvalidRequest)
        with pytest.raises(InvalidRequest, match="may have 1000 bytes, not 5000"):
            raise long
