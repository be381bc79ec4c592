"""SmolLM2 under a schedule, with low-rank adapters: a layer works on the prefix of the text that runs it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .smollm import Layer, ModelShape, SmolLM, rms_norm, rotary, rotate
from .training_run import CHECKPOINT

MATRICES = ("query_key_value", "attention_output", "gate_up", "down")


class Adapters(nn.Module):
    """`scale * up @ down` for every matrix of every layer; nothing at the start, as `up` is zero."""

    def __init__(self, model: SmolLM, rank: int, scale: float):
        super().__init__()
        self.scale = scale
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for index, layer in enumerate(model.layers):
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
            for index, layer in enumerate(model.layers)
        ]
        return SmolLM(model.shape, model.embedding, layers, model.final_norm, model.head)


def load_adapters(model: SmolLM, recipe: dict, run: Path) -> Adapters:
    """The adapters of a training run, finished or not."""
    adapters = Adapters(model, recipe["rank"], recipe["scale"])
    adapters.load_state_dict(torch.load(run / CHECKPOINT)["adapters"])
    return adapters


def scheduled_states(model: SmolLM, tokens: Tensor, columns: list[int], adapters: Adapters | None = None) -> Tensor:
    """Final-norm states `[T, D]` of one text `[T]`, whose first `columns[l]` positions run layer `l`; the others pass it by."""
    cos, sin = rotary(torch.arange(len(tokens)), model.shape.head_size, model.shape.rope_theta)
    x = model.embedding[tokens]
    for index, (layer, rows) in enumerate(zip(model.layers, columns)):
        linear = lambda value, name: (
            F.linear(value, getattr(layer, name)) + (0 if adapters is None else adapters(value, index, name))
        )
        run = x[:rows] + attention(model.shape, layer, x[:rows], cos[:rows], sin[:rows], linear)
        gate, up = linear(rms_norm(run, layer.feed_forward_norm, model.shape.norm_epsilon), "gate_up").chunk(2, -1)
        x = torch.cat([run + linear(F.silu(gate) * up, "down"), x[rows:]])
    return rms_norm(x, model.final_norm, model.shape.norm_epsilon)


def attention(shape: ModelShape, layer: Layer, x: Tensor, cos: Tensor, sin: Tensor, linear) -> Tensor:
    heads = linear(rms_norm(x, layer.attention_norm, shape.norm_epsilon), "query_key_value")
    heads = heads.view(len(x), -1, shape.head_size).transpose(0, 1)
    query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads])
    attended = F.scaled_dot_product_attention(
        rotate(query, cos, sin)[None], rotate(key, cos, sin)[None], value[None], is_causal=True, enable_gqa=True
    )[0]
    return linear(attended.transpose(0, 1).reshape(len(x), shape.width), "attention_output")
