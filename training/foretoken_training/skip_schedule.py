"""Which layers run for which position: SkipDecode's schedule on a few buckets, as `plugins/skip-decode` has it.

Letters: L layers, T positions, E layers run at a position.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SkipSchedule:
    """`most` falls to `fewest` layers over `length` generated positions, in `buckets` equal steps; the prompt runs all layers."""

    most: int
    fewest: int
    warm_up: int
    length: int
    buckets: int

    def kept(self, bucket: int) -> int:
        """Layers run in a bucket, halves rounded up."""
        if self.buckets == 1:
            return self.fewest
        return math.floor(self.most - (self.most - self.fewest) * bucket / (self.buckets - 1) + 0.5)

    def bucket(self, generated: int) -> int:
        """The bucket of the generated position `generated`, from 0; the last one has no end."""
        return min(self.buckets - 1, generated * self.buckets // self.length)

    def runs(self, layer: int, kept: int, layers: int) -> bool:
        """Whether `layer` is among the `kept` ones: the first `warm_up` and the last ones of all."""
        return layer < self.warm_up or layer >= layers - (kept - self.warm_up)

    def columns(self, prompt: int, total: int, layers: int) -> list[int]:
        """For each layer, how many leading positions of a text run it: they are a prefix, because the sets only shrink."""
        kept = [self.kept(self.bucket(t)) for t in range(total - prompt)]
        return [prompt + sum(self.runs(layer, e, layers) for e in kept) for layer in range(layers)]
