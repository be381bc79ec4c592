"""Where a feature head starts: a layer of the target behind the best linear guess of that layer's input."""

from __future__ import annotations

import torch
from torch import Tensor

from .dataset import Chat
from .draft_head import DraftHead, late
from .smollm import KeyValueCache, SmolLM

RIDGE = 1e-2


@torch.no_grad()
def head_from_layer(model: SmolLM, chats: list[Chat], layer: int) -> DraftHead:
    """Copies `layer` and fits the input projection by ridge regression on `chats`: from the embedding of `x_j` and the state of
    position `j - 1` to the residual before that layer at position `j`."""
    width = model.shape.width
    squares, products = torch.zeros(2 * width, 2 * width), torch.zeros(2 * width, width)
    for chat in chats:
        length = len(chat.tokens)
        cache, residuals = KeyValueCache(model.shape, 1, length), []
        model.states(chat.tokens[None], torch.arange(length)[None], cache, residuals)
        inputs = torch.cat([model.embedding[chat.tokens], late(chat.states.float())], dim=-1)[1:]
        squares += inputs.T @ inputs
        products += inputs.T @ residuals[layer][0, 1:]
    scale = squares.diagonal()
    return DraftHead(model.shape, model.layers[layer], model.final_norm, solve(squares, products, RIDGE * scale).T)


def solve(squares: Tensor, products: Tensor, ridge: Tensor) -> Tensor:
    return torch.linalg.solve((squares + ridge.diag()).double(), products.double()).float()
