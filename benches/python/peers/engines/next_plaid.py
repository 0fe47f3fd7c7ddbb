"""next-plaid, which has no in-process Python: `benches/peers/next-plaid` is its process; here stands what is swept."""

from __future__ import annotations

from engines.engine import Engine, grid


class NextPlaid(Engine):
    builds = {"4 bits": {}, "2 bits": {"nbits": 2}}
    sweep = [{}, *grid(n_ivf_probe=[1, 2, 4, 8, 16, 32], n_full_scores=[256, 1024, 4096])]


ENGINE = NextPlaid
