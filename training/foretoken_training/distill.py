"""Learning the target's own distribution on a reduced vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor


def sparse_law(states: Tensor, head: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """The `top` likeliest entries of each row's law: indices into `head`'s rows `[T, top]` and their probabilities, made to sum to one."""
    values, indices = (states @ head.T).topk(top, dim=-1)
    return indices, values.softmax(-1)


def sparse_divergence(logits: Tensor, indices: Tensor, probabilities: Tensor) -> Tensor:
    """KL(target || student) per row `[T]`, the target sparse, in nats."""
    entropy = -torch.special.xlogy(probabilities, probabilities).sum(-1)
    expected = (probabilities * logits.gather(-1, indices)).sum(-1)
    return logits.logsumexp(-1) - expected - entropy


def relative_error(states: Tensor, wanted: Tensor) -> Tensor:
    """Squared error per row `[T]` as a share of the wanted row's square."""
    return (states - wanted).square().sum(-1) / wanted.square().sum(-1)
