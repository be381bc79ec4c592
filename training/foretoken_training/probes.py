"""What probes are made of: trained embeddings, or linear maps of the anchor's state inside the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .probe_pass import Entry
from .real_rows import RealRows


class PromptTokens(nn.Module):
    """A trained input embedding for each probe, `[n, D]`: PPD's prompt tokens with one embedding each, and LUD's paddings."""

    def __init__(self, embeddings: Tensor):
        super().__init__()
        self.embeddings = nn.Parameter(embeddings.clone())

    def entries(self, real: RealRows, anchors: Tensor) -> list[Entry]:
        return [Entry(0, embedding.expand(len(anchors), -1)) for embedding in self.embeddings]


class HiddenTransfer(nn.Module):
    """Probe `i` joins behind layer `t_i` with the value `W_i h + b_i`, `h` the anchor's residual stream there.

    With every `t_i` the last layer no attention is left, and this is Medusa's heads with a linear map each.
    """

    def __init__(self, depths: list[int], weights: Tensor, biases: Tensor):
        """weights `[n, D, D]`, biases `[n, D]`."""
        super().__init__()
        self.depths = depths
        self.weights, self.biases = nn.Parameter(weights.clone()), nn.Parameter(biases.clone())

    def entries(self, real: RealRows, anchors: Tensor) -> list[Entry]:
        parts = zip(self.depths, self.weights, self.biases)
        return [Entry(depth, F.linear(real.residuals[depth][anchors], weight, bias)) for depth, weight, bias in parts]


Probes = PromptTokens | HiddenTransfer


def trained_probes(parts: dict[str, Tensor], depths: list[int] | None) -> Probes:
    """The probes of a training run, finished or not, from what its checkpoint keeps of them; maps join at `depths`."""
    return PromptTokens(parts["embeddings"]) if depths is None else HiddenTransfer(depths, parts["weights"], parts["biases"])
