"""A feature head: one decoder layer that continues the target's final-norm states.

Row `j` holds token `x_j` and the state of position `j - 1`, and gives a state of position `j`, hence a guess of `x_{j+1}`:

    x_0   x_1   x_2   x_3          tokens
     0    h_0   h_1   h_2          the target's final-norm states, one position late
     |     |     |     |
    input projection [2D -> D], one layer with causal attention, final norm
     |     |     |     |
    g_0   g_1   g_2   g_3          states; head rows of the reduced vocabulary guess x_1 x_2 x_3 x_4

While drafting, rows behind the root have no `h`: they take the head's own state of the row before. Training unrolls this:
step 1 runs on the target's states; step k on the states of step k - 1, for every position of the text at once. A row of step k
sees what a drafted row would see: the rows of step 1 up to its root, then one row each of steps 2 … k.

    step 3, position 9 sees   step 1: 0 … 7   step 2: 8   step 3: 9
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .smollm import Layer, ModelShape, rms_norm, rotary, rotate

LAYER_PARTS = ("attention_norm", "query_key_value", "attention_output", "feed_forward_norm", "gate_up", "down")


class DraftHead(nn.Module):
    """Weights of the head, and its unrolled forward pass."""

    def __init__(self, shape: ModelShape, layer: Layer, final_norm: Tensor, input_projection: Tensor):
        super().__init__()
        self.shape = shape
        self.input_projection = nn.Parameter(input_projection.clone())
        for name in LAYER_PARTS:
            setattr(self, name, nn.Parameter(getattr(layer, name).clone()))
        self.final_norm = nn.Parameter(final_norm.clone())
        self.dropout = 0.0
        """Share of inputs and of activations that training leaves out."""

    @classmethod
    def from_parts(cls, shape: ModelShape, parts: dict[str, Tensor]) -> DraftHead:
        """A head of given weights, by the names of its parameters."""
        layer = Layer(**{name: parts[name] for name in LAYER_PARTS})
        return cls(shape, layer, parts["final_norm"], parts["input_projection"])

    def unroll(self, embeddings: Tensor, states: Tensor, steps: int) -> list[Tensor]:
        """States `[T, D]` after each of `steps` steps.

        Args:
            embeddings: the target's embeddings of `x_0 … x_{T-1}`, `[T, D]`.
            states: the target's final-norm states of the same positions, `[T, D]`; the last is not used.

        Row `j` of step `k` is a guess made `k` tokens behind a root at position `j - k + 1`; its first `k - 1` rows have no such
        root and mean nothing.
        """
        shape = self.shape
        length = embeddings.shape[0]
        drop = lambda x: F.dropout(x, self.dropout, self.training)
        cos, sin = rotary(torch.arange(length), shape.head_size, shape.rope_theta)
        offsets = torch.arange(length)
        distance = offsets[:, None] - offsets  # [T, T], how far a row looks back
        features = late(states)
        outputs: list[Tensor] = []
        drafted: list[tuple[Tensor, Tensor]] = []
        for step in range(1, steps + 1):
            x = F.linear(drop(torch.cat([embeddings, features], dim=-1)), self.input_projection)
            normed = rms_norm(x, self.attention_norm, shape.norm_epsilon)
            heads = F.linear(normed, self.query_key_value).view(length, -1, shape.head_size).transpose(0, 1)
            query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads])
            query, key = rotate(query, cos, sin), rotate(key, cos, sin)
            key, value = (part.repeat_interleave(shape.heads // shape.key_value_heads, 0) for part in (key, value))
            if step == 1:
                true_key, true_value = key, value
            else:
                drafted.append((key, value))
            hidden = distance < step - 1
            scores = (query @ true_key.transpose(-1, -2)).masked_fill(hidden, -torch.inf)
            # Row j of this step has drafted rows of step s at position j - (step - s).
            chain = [(late(k, step - s), late(v, step - s)) for s, (k, v) in enumerate(drafted, start=2)]
            own = [(query * k).sum(-1, keepdim=True) for k, _ in chain]
            weights = (torch.cat([scores, *own], dim=-1) * shape.head_size**-0.5).softmax(-1)
            attended = weights[..., :length] @ true_value
            for index, (_, v) in enumerate(chain):
                attended = attended + weights[..., length + index, None] * v
            x = x + F.linear(drop(attended.transpose(0, 1).reshape(length, shape.width)), self.attention_output)
            gate, up = F.linear(rms_norm(x, self.feed_forward_norm, shape.norm_epsilon), self.gate_up).chunk(2, -1)
            x = x + F.linear(drop(F.silu(gate) * up), self.down)
            outputs.append(rms_norm(x, self.final_norm, shape.norm_epsilon))
            features = late(outputs[-1])
        return outputs


def late(rows: Tensor, by: int = 1) -> Tensor:
    """Rows `[..., T, D]` moved `by` positions later, zeros first."""
    if by == 0:
        return rows
    return F.pad(rows[..., :-by, :], (0, 0, by, 0))
