"""Chimera's draft network: a trigram encoder, one decoder layer over the target's final-norm states, residual heads per step.

A query row stands for a token of a drafted path. Its stream is an encoding of the path's last three tokens; it sees the target's
states of the text in front of the root, the network's own states of the path in front of it, and itself:

    text              root   drafted
    x_0 x_1 x_2       x_3    y_1      y_2
    h_0 h_1 h_2                                 the target's states: keys and values only
                      F_1                       query 1: trigram x_1 x_2 x_3, sees h_0 … h_2
                      F_1    F_2                query 2: trigram x_2 x_3 y_1, sees h_0 … h_2, F_1
                      F_1    F_2      F_3       query 3: trigram x_3 y_1 y_2, sees h_0 … h_2, F_1, F_2

The guess behind query k is `W_head (A_k h_2 + B_k F_k)`: `h_2` is the target's last state in front of the root, for all of the path.
Both matrices are `diagonal + low rank` (published: any; there the product with `W_head` is learned), made as the identity.

Training unrolls this for every root of a text at once, along the text: a drafted token only matters where all before it were
accepted, and then the path is the text.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .draft_head import LAYER_PARTS, late
from .smollm import Layer, ModelShape, rms_norm, rotary, rotate


@dataclass(frozen=True)
class ChimeraStep:
    """What the query rows of one step give. Row `q` stands at position `q`, so its root stands `step - 1` positions before."""

    states: Tensor
    """The network's states `F` `[T, D]`."""
    guesses: Tensor
    """What the target's head rows are multiplied with, `[T, D]`."""


class TrigramEncoder(nn.Module):
    """Two linear layers with SiLU between them: `[E(a); E(b); E(c)]` to a stream `[D]`."""

    def __init__(self, width: int):
        super().__init__()
        self.inner = nn.Linear(3 * width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, trigrams: Tensor) -> Tensor:
        return self.outer(F.silu(self.inner(trigrams)))


class StepHeads(nn.Module):
    """A matrix `[D, D]` for each step: a diagonal plus a product of rank `r`; made as the identity."""

    def __init__(self, steps: int, width: int, rank: int):
        super().__init__()
        self.diagonal = nn.Parameter(torch.ones(steps, width))
        self.inner = nn.Parameter(torch.randn(steps, rank, width) / width**0.5)
        self.outer = nn.Parameter(torch.zeros(steps, width, rank))

    def forward(self, rows: Tensor, step: int) -> Tensor:
        """Rows `[..., D]` through the matrix of a step, from 0."""
        return self.diagonal[step] * rows + F.linear(F.linear(rows, self.inner[step]), self.outer[step])


class ChimeraHead(nn.Module):
    """Weights of the network, and its unrolled forward pass."""

    def __init__(self, shape: ModelShape, layer: Layer, final_norm: Tensor, steps: int, rank: int):
        super().__init__()
        self.shape = shape
        self.steps = steps
        for name in LAYER_PARTS:
            setattr(self, name, nn.Parameter(getattr(layer, name).clone()))
        self.final_norm = nn.Parameter(final_norm.clone())
        self.trigram = TrigramEncoder(shape.width)
        self.residual_heads = StepHeads(steps, shape.width, rank)
        self.state_heads = StepHeads(steps, shape.width, rank)
        self.dropout = 0.0
        """Share of inputs and of activations that training leaves out."""

    def unroll(self, embeddings: Tensor, states: Tensor, steps: int) -> list[Tensor]:
        """The guesses of each step, as `unrolled` gives them."""
        return [step.guesses for step in self.unrolled(embeddings, states, steps)]

    def unrolled(self, embeddings: Tensor, states: Tensor, steps: int) -> list[ChimeraStep]:
        """Runs the query rows of all positions for each of `steps` steps.

        Args:
            embeddings: the target's embeddings of `x_0 … x_{T-1}`, `[T, D]`.
            states: the target's final-norm states of the same positions, `[T, D]`; the last is not used.

        Row `q` of step `k` is `k - 1` tokens behind its root, at position `q - k + 1`; the first `k - 1` rows have no root and mean nothing.
        """
        shape = self.shape
        length = embeddings.shape[0]
        drop = lambda x: F.dropout(x, self.dropout, self.training)
        offsets = torch.arange(length)
        distance = offsets[:, None] - offsets  # [T, T], how far a row looks back
        turn = rotary(offsets, shape.head_size, shape.rope_theta)
        stream = self.trigram(drop(trigrams(embeddings)))
        query, own_key, own_value = self._attended(stream, turn)
        _, context_key, context_value = self._attended(states, turn)
        scale = shape.head_size**-0.5
        context_scores = query @ context_key.transpose(-1, -2) * scale
        path: list[tuple[Tensor, Tensor]] = []
        outputs: list[ChimeraStep] = []
        for step in range(1, steps + 1):
            scores = context_scores.masked_fill(distance < step, -torch.inf)
            # Row q has the path's state of step s at position q - (step - s), and itself.
            chain = [(late(k, step - s), late(v, step - s)) for s, (k, v) in enumerate(path, start=1)]
            chain.append((own_key, own_value))
            seen = [(query * k).sum(-1, keepdim=True) * scale for k, _ in chain]
            weights = torch.cat([scores, *seen], dim=-1).softmax(-1)
            attended = weights[..., :length] @ context_value
            for index, (_, v) in enumerate(chain):
                attended = attended + weights[..., length + index, None] * v
            x = stream + F.linear(drop(attended.transpose(0, 1).reshape(length, shape.width)), self.attention_output)
            gate, up = F.linear(rms_norm(x, self.feed_forward_norm, shape.norm_epsilon), self.gate_up).chunk(2, -1)
            x = x + F.linear(drop(F.silu(gate) * up), self.down)
            output = rms_norm(x, self.final_norm, shape.norm_epsilon)
            guesses = self.residual_heads(late(states, step), step - 1) + self.state_heads(output, step - 1)
            outputs.append(ChimeraStep(output, guesses))
            if step < steps:
                path.append(self._attended(output, turn)[1:])
        return outputs

    def _attended(self, rows: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of rows at all positions, `[heads, T, head size]` each."""
        shape = self.shape
        normed = rms_norm(rows, self.attention_norm, shape.norm_epsilon)
        heads = F.linear(normed, self.query_key_value).view(rows.shape[0], -1, shape.head_size).transpose(0, 1)
        query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads])
        query, key = rotate(query, *turn), rotate(key, *turn)
        key, value = (part.repeat_interleave(shape.heads // shape.key_value_heads, 0) for part in (key, value))
        return query, key, value


def trigrams(embeddings: Tensor) -> Tensor:
    """`[E(x_{j-2}); E(x_{j-1}); E(x_j)]` for each position, `[T, 3D]`. The first two have `[e_0; e_0; e_0]` and `[e_0; e_1; e_1]`."""
    oldest, middle = late(embeddings, 2), late(embeddings, 1)
    head = embeddings[:2]
    oldest = torch.cat([head[:1].expand(len(head), -1), oldest[2:]])
    middle = torch.cat([head, middle[2:]])
    return torch.cat([oldest, middle, embeddings], dim=-1)
