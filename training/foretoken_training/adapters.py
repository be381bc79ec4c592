"""Low-rank changes of a frozen model's matrices, and a decoder layer under them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .smollm import Layer, ModelShape, SmolLM, rms_norm, rotate
from .training_run import CHECKPOINT

MATRICES = ("query_key_value", "attention_output", "gate_up", "down")


class Adapters(nn.Module):
    """`scale * up @ down` for every matrix of every layer from `first` on; nothing at the start, as `up` is zero."""

    def __init__(self, model: SmolLM, rank: int, scale: float, first: int = 0):
        super().__init__()
        self.scale, self.first = scale, first
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for index, layer in enumerate(model.layers[first:], start=first):
            for name in MATRICES:
                outputs, inputs = getattr(layer, name).shape
                self.down[f"{index}-{name}"] = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
                self.up[f"{index}-{name}"] = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor, layer: int, name: str) -> Tensor:
        key = f"{layer}-{name}"
        return F.linear(F.linear(x, self.down[key]), self.up[key]) * self.scale

    @torch.no_grad()
    def merge_into(self, model: SmolLM) -> SmolLM:
        """A model whose matrices hold the adapters, at no cost of its own."""
        merged = lambda index, name: getattr(model.layers[index], name) + self.scale * (
            self.up[f"{index}-{name}"] @ self.down[f"{index}-{name}"]
        )
        layers = [
            Layer(
                attention_norm=layer.attention_norm,
                feed_forward_norm=layer.feed_forward_norm,
                **{name: merged(index, name) for name in MATRICES},
            )
            for index, layer in enumerate(model.layers[self.first :], start=self.first)
        ]
        return SmolLM(model.shape, model.embedding, model.layers[: self.first] + layers, model.final_norm, model.head)


def load_adapters(model: SmolLM, recipe: dict, run: Path) -> Adapters:
    """The adapters of a training run, finished or not."""
    adapters = Adapters(model, recipe["rank"], recipe["scale"], recipe.get("firstLayer", 0))
    adapters.load_state_dict(torch.load(run / CHECKPOINT)["adapters"])
    return adapters


def decoder_layer(
    model: SmolLM, index: int, x: Tensor, cos: Tensor, sin: Tensor, adapters: Adapters | None = None, visible: Tensor | None = None
) -> Tensor:
    """A layer on the rows `[T, D]` of one text. A row sees those before it, or `visible` `[T, T]` says which."""
    layer = model.layers[index]
    linear = lambda value, name: F.linear(value, getattr(layer, name)) + (0 if adapters is None else adapters(value, index, name))
    x = x + attention(model.shape, rms_norm(x, layer.attention_norm, model.shape.norm_epsilon), cos, sin, linear, visible)
    gate, up = linear(rms_norm(x, layer.feed_forward_norm, model.shape.norm_epsilon), "gate_up").chunk(2, -1)
    return x + linear(F.silu(gate) * up, "down")


def attention(shape: ModelShape, normed: Tensor, cos: Tensor, sin: Tensor, linear, visible: Tensor | None) -> Tensor:
    heads = linear(normed, "query_key_value").view(len(normed), -1, shape.head_size).transpose(0, 1)
    query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads])
    query, key = rotate(query, cos, sin)[None], rotate(key, cos, sin)[None]
    attended = F.scaled_dot_product_attention(query, key, value[None], visible, is_causal=visible is None, enable_gqa=True)[0]
    return linear(attended.transpose(0, 1).reshape(len(normed), shape.width), "attention_output")
