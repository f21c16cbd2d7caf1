"""Nearest neighbours among the embeddings: by a graph, and by looking at every one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt
from examples.vectors.records import Floats

Places = npt.NDArray[np.int64]

NEAREST = 10
LINKS = 16
"""Neighbours of each embedding in the graph."""
WIDTHS = (8, 16, 32, 64)
"""How widely the graph is searched: wider finds more, and takes longer."""


@dataclass(frozen=True)
class Search:
    """One way of searching: what it found, and how many searches a second."""

    how: str
    found: Places
    per_second: float

    def recall(self, truth: Places) -> float:
        """The share of the true neighbours that were found."""
        hits = (self.found[:, :, None] == truth[:, None, :]).any(2)
        return float(hits.mean())


def searches(embeddings: Floats, asked: Floats) -> list[Search]:
    """Every embedding first, which is the truth, then the graph, ever wider."""
    faiss.omp_set_num_threads(1)
    every, graph = faiss.IndexFlatL2(embeddings.shape[1]), faiss.IndexHNSWFlat(embeddings.shape[1], LINKS)
    for index in (every, graph):
        index.add(embeddings)
    found = [_search("every one", every, asked)]
    for width in WIDTHS:
        graph.hnsw.efSearch = width
        found.append(_search(f"graph, {width} wide", graph, asked))
    return found


def _search(how: str, index: faiss.Index, asked: Floats) -> Search:
    start = time.perf_counter()
    _, places = index.search(asked, NEAREST)
    return Search(how, places, len(asked) / (time.perf_counter() - start))
