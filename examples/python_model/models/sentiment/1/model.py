"""A model of one's own: how friendly a text is, by the words that it holds."""

from __future__ import annotations

import json

import numpy as np

import scurry


class Sentiment(scurry.Model):
    """Adds up what each known word is worth. The parameter `threshold` of a request moves the line between labels."""

    inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    outputs = [
        {"name": "score", "datatype": "FP32", "shape": [-1]},
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
    ]

    def load(self, files, config):
        """Whatever lies beside this file is the model's; `config` is `parameters` in config.json."""
        self.words = json.loads((files / "words.json").read_text())
        self.most = config.get("longest_text", 10_000)

    async def predict(self, inputs, parameters):
        """One score and label for each text."""
        scores = np.array([self.score(text) for text in inputs["text"]], np.float32)
        line = parameters.get("threshold", 0.0)
        return {"score": scores, "label": np.where(scores > line, "friendly", "unfriendly").astype(object)}

    def score(self, text: bytes) -> float:
        """The sum over its words."""
        if len(text) > self.most:
            raise scurry.InvalidRequest("too_large", f"A text may have {self.most} bytes, not {len(text)}.")
        return float(sum(self.words.get(word.strip(".,!?"), 0) for word in text.decode().lower().split()))
