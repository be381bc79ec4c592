"""SmolLM2 under a schedule: a layer works on the prefix of the text that runs it."""

from __future__ import annotations

import torch
from torch import Tensor

from .adapters import Adapters, decoder_layer
from .smollm import SmolLM, rms_norm, rotary


def scheduled_states(model: SmolLM, tokens: Tensor, columns: list[int], adapters: Adapters | None = None) -> Tensor:
    """Final-norm states `[T, D]` of one text `[T]`, whose first `columns[l]` positions run layer `l`; the others pass it by."""
    cos, sin = rotary(torch.arange(len(tokens)), model.shape.head_size, model.shape.rope_theta)
    x = model.embedding[tokens]
    for index, rows in enumerate(columns):
        x = torch.cat([decoder_layer(model, index, x[:rows], cos[:rows], sin[:rows], adapters), x[rows:]])
    return rms_norm(x, model.final_norm, model.shape.norm_epsilon)
