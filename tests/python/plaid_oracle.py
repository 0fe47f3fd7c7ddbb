"""colbert-ai's search, written anew from its description: what the engine is held to.

With clamping it gives, position by position, what colbert-ai 0.2.22 gives on a CPU: 200 queries on 1,932 passages at 1, 2 and 4 bits,
with the parameters of k = 10 and of k = 100.
"""

from __future__ import annotations

import numpy as np


class PlaidOracle:
    """An index as colbert-ai has it, searched in float32 (Santhanam et al. 2022, sections 4.2 to 4.5).

    Parameters
    ----------
    centroids : ndarray
        Of shape (K, dim), as they were stored.
    weights : ndarray
        Of the buckets, of shape (2 ** nbits,).
    codes, buckets : ndarray
        Centroid of every token, and bucket of each of its components: shapes (tokens,) and (tokens, dim).
    lengths : sequence of int
        Tokens of each passage.
    clamp : bool
        Whether negative maxima count as 0 in the last stage, as on a CPU; the GPU code and Weft take the true maximum.
    """

    def __init__(self, centroids, weights, codes, buckets, lengths, *, clamp=False):
        self.centroids = centroids.astype(np.float32)
        vectors = self.centroids[codes] + weights.astype(np.float32)[buckets]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        ends = np.cumsum(lengths)[:-1]
        self.codes, self.vectors = np.split(codes, ends), np.split(vectors, ends)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        self.members = [np.unique(owner[codes == c]) for c in range(len(self.centroids))]
        self.clamp = clamp
        self.gap = np.inf
        """The least distance of two scores that decided something in the last search: rounding may turn it."""

    def search(self, query, k, *, nprobe, threshold, ndocs):
        """Numbers and scores of the best ``k`` passages."""
        scores = self.centroids @ query.T
        best = scores.max(axis=1)
        self.gap = np.abs(best - threshold).min()
        pids = self._candidates(scores, nprobe)
        pids = self._cut(pids, [self._approximate(scores, p, best >= threshold) for p in pids], ndocs)
        pids = self._cut(pids, [self._approximate(scores, p) for p in pids], ndocs // 4)
        exact = np.array([self._exact(query, p) for p in pids], np.float32)
        order = np.lexsort((pids, -exact))
        self._decides(-np.diff(exact[order][: k + 1]))
        return pids[order[:k]], exact[order[:k]]

    def _decides(self, gaps):
        # Equal scores are no matter of rounding: they come of equal terms.
        self.gap = min(self.gap, gaps[gaps > 0].min(initial=np.inf))

    def _candidates(self, scores, nprobe):
        ranked = -np.sort(-scores, axis=0)
        if nprobe < len(ranked):
            self._decides(ranked[nprobe - 1] - ranked[nprobe])
        cells = np.unique(np.argsort(-scores, axis=0, kind="stable")[:nprobe])
        return np.unique(np.concatenate([self.members[c] for c in cells]))

    def _approximate(self, scores, pid, keep=None):
        """The centroid interaction; without any centroid that is kept, what colbert-ai starts from."""
        codes = self.codes[pid] if keep is None else self.codes[pid][keep[self.codes[pid]]]
        return scores[codes].max(axis=0, initial=-9999.0).sum(dtype=np.float32)

    def _cut(self, pids, scores, count):
        """Keep the best; of equals the larger number."""
        scores = np.array(scores, np.float32)
        order = np.lexsort((-pids, -scores))
        self._decides(-np.diff(scores[order][max(count - 1, 0) : count + 1]))
        return pids[order[:count]]

    def _exact(self, query, pid):
        maxima = (query @ self.vectors[pid].T).max(axis=1)
        return (np.maximum(maxima, 0) if self.clamp else maxima).sum(dtype=np.float32)
