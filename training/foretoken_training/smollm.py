"""SmolLM2 (any llama of the family with tied or own head) in float32, from a GGUF file.

Letters: B batch, T new rows, S cached and new rows, L layers, D width, V vocabulary, d head size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class ModelShape:
    """What the graph writer of the runtime calls the model's config."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    key_value_heads: int
    vocabulary: int
    rope_theta: float
    norm_epsilon: float

    @property
    def head_size(self) -> int:
        return self.width // self.heads


@dataclass
class Layer:
    """One decoder layer; matrices are `[outputs, inputs]`, rotary pairs are halves of a head."""

    attention_norm: Tensor
    query_key_value: Tensor
    attention_output: Tensor
    feed_forward_norm: Tensor
    gate_up: Tensor
    down: Tensor


def rms_norm(x: Tensor, scale: Tensor, epsilon: float) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), scale, epsilon)


def rotary(positions: Tensor, head_size: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines `[..., d]` of integer `positions`."""
    frequencies = theta ** (-torch.arange(0, head_size, 2, dtype=torch.float32) / head_size)
    angles = positions[..., None].float() * frequencies
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class KeyValueCache:
    """Keys and values `[L, B, key_value_heads, capacity, d]`; each row of the batch has its own length."""

    def __init__(self, shape: ModelShape, batch: int, capacity: int):
        size = (shape.layers, batch, shape.key_value_heads, capacity, shape.head_size)
        self.keys = torch.zeros(size)
        self.values = torch.zeros(size)


class SmolLM:
    """The frozen target."""

    def __init__(self, shape: ModelShape, embedding: Tensor, layers: list[Layer], final_norm: Tensor, head: Tensor):
        self.shape = shape
        self.embedding = embedding
        self.layers = layers
        self.final_norm = final_norm
        self.head = head

    @torch.inference_mode()
    def states(self, tokens: Tensor, positions: Tensor, cache: KeyValueCache, residuals: list[Tensor] | None = None) -> Tensor:
        """Runs `tokens` `[B, T]` at consecutive `positions` `[B, T]`, writes the cache, returns final-norm states `[B, T, D]`.

        Appends the residual stream before each layer and after the last one to `residuals`.
        """
        shape = self.shape
        batch, rows = tokens.shape
        group = shape.heads // shape.key_value_heads
        cos, sin = (part[:, None] for part in rotary(positions, shape.head_size, shape.rope_theta))
        seen = int(positions.max()) + 1
        hidden = torch.arange(seen) > positions[..., None]  # [B, T, S]
        bias = torch.zeros(batch, 1, rows, seen).masked_fill_(hidden[:, None], -torch.inf)
        bias = bias.repeat(1, 1, group, 1)  # a key-value head serves `group` query heads, stacked as rows
        batch_index = torch.arange(batch)[:, None]
        x = self.embedding[tokens]
        for index, layer in enumerate(self.layers):
            if residuals is not None:
                residuals.append(x)
            normed = rms_norm(x, layer.attention_norm, shape.norm_epsilon)
            heads = F.linear(normed, layer.query_key_value)
            heads = heads.view(batch, rows, -1, shape.head_size).transpose(1, 2)
            query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads], dim=1)
            query, key = rotate(query, cos, sin), rotate(key, cos, sin)
            cache.keys[index][batch_index, :, positions] = key.transpose(1, 2)
            cache.values[index][batch_index, :, positions] = value.transpose(1, 2)
            keys, values = cache.keys[index][:, :, :seen], cache.values[index][:, :, :seen]
            query = query.reshape(batch, shape.key_value_heads, group * rows, shape.head_size)
            scores = (query * shape.head_size**-0.5) @ keys.transpose(-1, -2) + bias
            attended = (scores.softmax(-1) @ values).view(batch, shape.heads, rows, shape.head_size)
            x = x + F.linear(attended.transpose(1, 2).reshape(batch, rows, shape.width), layer.attention_output)
            gate, up = F.linear(rms_norm(x, layer.feed_forward_norm, shape.norm_epsilon), layer.gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, layer.down)
        if residuals is not None:
            residuals.append(x)
        return rms_norm(x, self.final_norm, shape.norm_epsilon)


def load_smollm(path: str | Path) -> SmolLM:
    """Reads and dequantises a llama GGUF.

    GGUF stores rotary pairs interleaved; they are put back as halves, as the paper's and the runtime's formulas have them.
    """
    reader = gguf.GGUFReader(path)
    field = lambda name: reader.fields[f"llama.{name}"].contents()
    tensors = {t.name: t for t in reader.tensors}

    def read(name: str) -> np.ndarray:
        tensor = tensors[name]
        return np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)

    embedding = read("token_embd.weight")
    shape = ModelShape(
        layers=field("block_count"),
        width=field("embedding_length"),
        feed_forward=field("feed_forward_length"),
        heads=field("attention.head_count"),
        key_value_heads=field("attention.head_count_kv"),
        vocabulary=embedding.shape[0],
        rope_theta=field("rope.freq_base"),
        norm_epsilon=field("attention.layer_norm_rms_epsilon"),
    )

    def halves(rows: np.ndarray) -> np.ndarray:
        pairs = rows.reshape(-1, shape.head_size // 2, 2, rows.shape[-1])
        return pairs.swapaxes(1, 2).reshape(rows.shape)

    def layer(index: int) -> Layer:
        part = lambda name: read(f"blk.{index}.{name}.weight")
        joined = lambda *parts: torch.from_numpy(np.concatenate(parts))
        return Layer(
            attention_norm=torch.from_numpy(part("attn_norm")),
            query_key_value=joined(halves(part("attn_q")), halves(part("attn_k")), part("attn_v")),
            attention_output=torch.from_numpy(part("attn_output")),
            feed_forward_norm=torch.from_numpy(part("ffn_norm")),
            gate_up=joined(part("ffn_gate"), part("ffn_up")),
            down=torch.from_numpy(part("ffn_down")),
        )

    head = read("output.weight") if "output.weight" in tensors else embedding
    return SmolLM(
        shape=shape,
        embedding=torch.from_numpy(embedding),
        layers=[layer(index) for index in range(shape.layers)],
        final_norm=torch.from_numpy(read("output_norm.weight")),
        head=torch.from_numpy(head),
    )
