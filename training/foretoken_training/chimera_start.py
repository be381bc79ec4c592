"""Where Chimera's network starts: a layer of the target behind a trigram encoder that guesses this layer's input."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .chimera_head import ChimeraHead, trigrams
from .dataset import Chat
from .draft_start import RIDGE, solve
from .smollm import KeyValueCache, SmolLM


@torch.no_grad()
def chimera_from_layer(model: SmolLM, chats: list[Chat], layer: int, steps: int, rank: int) -> ChimeraHead:
    """Copies `layer` and fits the encoder to the residual before that layer, on `chats`.

    Both fits are ridge regressions. The first gives the inner matrix, from the trigram to the residual, scaled so that its rows meet the
    curved part of SiLU; the second the outer one, from what SiLU makes of it.

    The heads start without the residual: with it, as published, the first guess is the root itself, and learning is slower.
    """
    head = ChimeraHead(model.shape, model.layers[layer], model.final_norm, steps, rank)
    inputs, residuals = [], []
    for chat in chats:
        length = len(chat.tokens)
        before: list[Tensor] = []
        model.states(chat.tokens[None], torch.arange(length)[None], KeyValueCache(model.shape, 1, length), before)
        inputs.append(trigrams(model.embedding[chat.tokens])[1:])  # The first residual is an outlier.
        residuals.append(before[layer][0, 1:])
    rows, wanted = torch.cat(inputs), torch.cat(residuals)
    inner = affine(rows, wanted)
    size = (rows @ inner[:-1]).std(0)
    head.trigram.inner.weight.copy_((inner[:-1] / size).T)
    head.trigram.inner.bias.zero_()
    outer = affine(F.silu(head.trigram.inner(rows)), wanted)
    head.trigram.outer.weight.copy_(outer[:-1].T)
    head.trigram.outer.bias.copy_(outer[-1])
    head.residual_heads.diagonal.zero_()
    return head


def affine(rows: Tensor, wanted: Tensor) -> Tensor:
    """The ridge regression from `rows` `[N, I]` to `wanted` `[N, O]`: matrix and offset, `[I + 1, O]`."""
    rows = F.pad(rows, (0, 1), value=1)
    squares = rows.T @ rows
    return solve(squares, rows.T @ wanted, RIDGE * squares.diagonal())
