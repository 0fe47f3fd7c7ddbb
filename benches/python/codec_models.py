"""Codecs of token vectors in numpy: those the engine has, and those it could have. What `codec.py` measures.

A codec takes unit vectors with their centroids and gives what search would see of them, `decoded`, so that a score is the
dot product of a query token and a decoded vector. The tables are in the order of the engine: bucket numbers by cut-offs.

Names: `x` a token, `c` its centroid, `w` a decoded residual of unit variance a component, `m` what the tokens of a passage share.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Tokens(NamedTuple):
    """Unit vectors (n, dim), the centroid of each (n, dim), and how many tokens each passage has; all float32."""

    x: Array
    c: Array
    lengths: Array


class Table(NamedTuple):
    """Cut-offs and weights of residual components."""

    cutoffs: Array
    weights: Array

    def __call__(self, values: Array) -> Array:
        return self.weights[np.searchsorted(self.cutoffs, values, side="left")]


def dot(a: Array, b: Array) -> Array:
    return (a * b).sum(axis=1, keepdims=True)


def unit(x: Array) -> Array:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def quantiles(sample: Array, nbits: int) -> Table:
    """ColBERTv2's table."""
    ordered, buckets = np.sort(sample, axis=None), 1 << nbits
    at = lambda q: np.interp(q * (len(ordered) - 1), np.arange(len(ordered)), ordered)  # noqa: E731
    cutoffs, weights = at(np.arange(1, buckets) / buckets), at((np.arange(buckets) + 0.5) / buckets)
    return Table(cutoffs.astype(np.float32), weights.astype(np.float32))


def lloyd_max(sample: Array, nbits: int) -> Table:
    """The table of least squared error."""
    ordered = np.sort(sample, axis=None).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    weights = ordered[((np.arange(1 << nbits) + 0.5) / (1 << nbits) * len(ordered)).astype(int)]
    for _ in range(100):
        cuts = np.searchsorted(ordered, (weights[1:] + weights[:-1]) / 2)
        edges = np.concatenate([[0], cuts, [len(ordered)]])
        weights = (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(np.diff(edges), 1)
    return Table(((weights[1:] + weights[:-1]) / 2).astype(np.float32), weights.astype(np.float32))


def rotation(dim: int, seed: int = 0) -> Array:
    """A random orthogonal matrix."""
    gaussian = np.random.default_rng(seed).standard_normal((dim, dim))
    return np.linalg.qr(gaussian)[0].astype(np.float32)


# The trellis: dimension t is the weight of a window of `log2(len(weights))` bits into the bits of a 64-bit word; the next
# window lies nbits further, and the word is a ring. Every window shares bits with its neighbours, and Viterbi's algorithm
# finds the best word (trellis coded quantisation, Marcellin and Fischer 1990; bit-shift trellis, Tseng et al., QTIP, 2024).


def best_path(steps: Array, weights: Array, nbits: int, ring: Array | None) -> tuple[Array, Array]:
    """Windows of least squared error for `steps` (length, words), and the states before each; `ring` is the state at both ends, if known."""
    states, branches, words = len(weights) >> nbits, 1 << nbits, steps.shape[1]
    cost = np.zeros((states, words), np.float32)
    if ring is not None:
        cost += np.float32(1e9)
        cost[ring, np.arange(words)] = 0
    back = np.empty((len(steps), states, words), np.uint8)
    square, slope = (weights * weights)[:, None], (-2 * weights)[:, None]
    for t, values in enumerate(steps):
        errors = slope * values
        errors += square
        errors.reshape(states, branches, words)[...] += cost[:, None, :]
        arriving = errors.reshape(branches, states, words)
        cost = arriving[0].copy()
        back[t] = 0
        for branch in range(1, branches):
            back[t][arriving[branch] < cost] = branch
            np.minimum(cost, arriving[branch], out=cost)
    state = cost.argmin(axis=0) if ring is None else ring
    windows, before = np.empty((len(steps), words), np.uint8), np.empty((len(steps), words), np.int64)
    for t in range(len(steps) - 1, -1, -1):
        window = back[t][state, np.arange(words)].astype(np.int64) * states + state
        state = window >> nbits
        windows[t], before[t] = window, state
    return windows, before


def trellis(values: Array, weights: Array, nbits: int) -> Array:
    """Windows of rows of unit variance, each cut into words of 64 bits."""
    words = values.reshape(-1, 64 // nbits)
    windows, half = np.empty(words.shape, np.uint8), words.shape[1] // 2
    for first in range(0, len(words), 2048):
        steps = np.ascontiguousarray(words[first : first + 2048].T)
        # Half a turn ahead, the state at the seam is known as well as any other; then the ring is closed there.
        _, before = best_path(np.roll(steps, half, axis=0), weights, nbits, None)
        windows[first : first + 2048] = best_path(steps, weights, nbits, before[half])[0].T
    return windows.reshape(values.shape)


def train_trellis(window_bits: int, nbits: int) -> tuple[Array, float]:
    """Weights for normal components, and their squared error on others: Lloyd's iteration over best paths, best of three starts."""
    best = (np.empty(0, np.float32), np.inf)
    for seed in range(3):
        random = np.random.default_rng(seed)
        weights = random.standard_normal(1 << window_bits).astype(np.float32)
        for _ in range(25):
            values = random.standard_normal((3000, 64 // nbits)).astype(np.float32)
            windows = trellis(values, weights, nbits).ravel()
            sums = np.bincount(windows, values.ravel(), len(weights))
            counts = np.bincount(windows, minlength=len(weights))
            weights = np.where(counts > 0, sums / np.maximum(counts, 1), weights).astype(np.float32)
        values = np.random.default_rng(99).standard_normal((6000, 64 // nbits)).astype(np.float32)
        error = float(((values - weights[trellis(values, weights, nbits)]) ** 2).mean())
        if error < best[1]:
            best = (weights, error)
    return best


class Residuals:
    """Codes residuals of unit variance a component: by a Lloyd-Max table of a sample, or by a trellis."""

    def __init__(self, nbits: int, weights: Array | None = None):
        self.nbits, self.weights = nbits, weights

    def __call__(self, values: Array) -> Array:
        if self.weights is None:
            return lloyd_max(values[::10], self.nbits)(values)
        # Weights are bytes in the kernel: an int8 and one scale.
        step = np.abs(self.weights).max() / 127
        return (np.round(self.weights / step) * step)[trellis(values, self.weights, self.nbits)]


def shape(values: Array) -> Array:
    """Rows divided by their root mean square."""
    return values / (np.sqrt(dot(values, values) / values.shape[1]) + 1e-9)


def residual(x: Array, c: Array) -> Array:
    """What is left of a token once the multiple of its centroid is taken away that leaves least."""
    return x - dot(x, c) / dot(c, c) * c


def plain(tokens: Tokens, table: Table) -> Array:
    """`normalise(c + weight)`: the engine's codecs."""
    return unit(tokens.c + table(tokens.x - tokens.c))


def rerounded(tokens: Tokens, table: Table) -> Array:
    """`plain` in the same format, with the buckets chosen for the cosine: of eight scales the best, then two coordinate descents."""
    x, c = tokens.x, tokens.c
    best = c + table(x - c)
    for scale in (0.7, 0.8, 0.9, 1.1, 1.2, 1.35, 1.5):
        other = c + table(np.float32(scale) * x - c)
        better = (
            dot(x, other) / np.sqrt(dot(other, other)) > dot(x, best) / np.sqrt(dot(best, best))
        ).ravel()
        best[better] = other[better]
    along, square = (x * best).sum(axis=1), (best * best).sum(axis=1)
    for d in [*range(x.shape[1])] * 2:
        for weight in table.weights:
            value = c[:, d] + weight
            dots, squares = along + x[:, d] * (value - best[:, d]), square + value**2 - best[:, d] ** 2
            better = dots / np.sqrt(squares) > along / np.sqrt(square) + 1e-7
            best[better, d], along[better], square[better] = value[better], dots[better], squares[better]
    return unit(best)


def scaled(tokens: Tokens, nbits: int, turn: Array) -> Array:
    """`normalise(c + scale * w)`, the residual rotated and scaled token by token."""
    rest = (tokens.x - tokens.c) @ turn
    w = Residuals(nbits)(shape(rest))
    return unit(tokens.c + (dot(rest, w) / dot(w, w) * w) @ turn.T)


def fit(x: Array, c: Array, w: Array, m: Array | float) -> tuple[Array, Array]:
    """Factors a and b with least `|x - a c - m - b w|`, then both stretched until `a c + m + b w` is of unit length."""
    rest = x - m
    cc, cw, ww, xc, xw = dot(c, c), dot(c, w), dot(w, w), dot(rest, c), dot(rest, w)
    a, b = (xc * ww - xw * cw) / (cc * ww - cw * cw), (xw * cc - xc * cw) / (cc * ww - cw * cw)
    h = a * c + b * w
    hh, hm, mm = dot(h, h), (h * m).sum(axis=1, keepdims=True), np.square(m).sum(axis=-1, keepdims=True)
    # No stretch of a residual that is not there reaches unit length when m is long; then the fit stays as it is.
    stretch = (np.sqrt(np.maximum(hm * hm + hh * (1 - mm), 0)) - hm) / np.maximum(hh, 1e-12)
    stretch = np.where(stretch > 0.1, stretch, 1.0)
    return a * stretch, b * stretch


def pairs(a: Array, b: Array, dim: int) -> tuple[Array, Array]:
    """One byte for both factors: the nearest of 256 pairs, by k-means, both in units of their effect on the vector."""
    points, random = (
        np.concatenate([a, b * np.sqrt(dim)], axis=1).astype(np.float32),
        np.random.default_rng(0),
    )
    sample = points[random.choice(len(points), min(len(points), 30_000), replace=False)]
    book = sample[random.choice(len(sample), 256, replace=False)]
    nearest = lambda some: (some @ book.T - 0.5 * (book * book).sum(axis=1)).argmax(axis=1)  # noqa: E731
    for _ in range(12):
        near = nearest(sample)
        counts = np.bincount(near, minlength=256)[:, None]
        sums = np.stack([np.bincount(near, sample[:, i], 256) for i in (0, 1)], axis=1)
        book = np.where(counts > 0, sums / np.maximum(counts, 1), book).astype(np.float32)
    chosen = np.concatenate([nearest(points[i : i + 50_000]) for i in range(0, len(points), 50_000)])
    return book[chosen, :1], book[chosen, 1:] / np.float32(np.sqrt(dim))


def shared(tokens: Tokens, code: Residuals, turn: Array) -> Array:
    """The mean residual of each passage, coded like a token with a scale; given token by token."""
    passage = np.repeat(np.arange(len(tokens.lengths)), tokens.lengths)
    starts = np.cumsum(tokens.lengths) - tokens.lengths
    mean = np.add.reduceat(residual(tokens.x, tokens.c), starts, axis=0) / tokens.lengths[:, None]
    mean = mean @ turn
    w = code(shape(mean))
    return ((dot(mean, w) / dot(w, w) * w) @ turn.T)[passage]


def gain_shape(tokens: Tokens, code: Residuals, turn: Array, m: Array | None = None) -> Array:
    """`a c + m + b w`: a, b in one byte of the token, m of the passage."""
    x, c = tokens.x, tokens.c
    rest = residual(x if m is None else x - m, c) @ turn
    w = code(shape(rest)) @ turn.T
    a, b = pairs(*fit(x, c, w, 0.0 if m is None else m), x.shape[1])
    return a * c + b * w + (0 if m is None else m)


def running(tokens: Tokens, code: Residuals, turn: Array, gain: float = 0.9, rate: float = 0.08) -> Array:
    """`gain_shape` whose m is 0.9 times a running mean of the residuals decoded so far: no bytes, but tokens depend on those before."""
    x, c, lengths = tokens
    starts, out = np.cumsum(lengths) - lengths, np.empty_like(x)
    mean = np.zeros((len(lengths), x.shape[1]), np.float32)
    for t in range(int(lengths.max())):
        live = np.flatnonzero(lengths > t)
        rows, m = starts[live] + t, gain * mean[live]
        w = code(shape(residual(x[rows] - m, c[rows]) @ turn)) @ turn.T
        a, b = fit(x[rows], c[rows], w, m)
        out[rows] = a * c[rows] + m + b * w
        mean[live] += max(rate, 1 / (t + 2)) * (m + b * w - mean[live])
    return out
