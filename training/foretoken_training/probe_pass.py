"""A pass of probe rows behind a text that is not run again.

A group of probes stands behind one real row `j`, its anchor. Probe `i` of 1 … n is at position `j + i`; it joins the stream at some layer with
a given value, and sees the real rows up to `j`, the probes of its own group before it, and itself. No real row sees a probe, so
real rows are those of the plain text, and gradients pass through probes only.

Letters: G groups, n probes of a group, K key-value heads, r query heads to each, T real rows, d head size, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .real_rows import RealRows
from .smollm import SmolLM, rms_norm, rotary, rotate


@dataclass(frozen=True)
class Entry:
    """The next probe of every group: `values` `[G, D]` join the stream when `depth` of the layers are passed."""

    depth: int
    values: Tensor


def probe_states(model: SmolLM, real: RealRows, anchors: Tensor, entries: list[Entry]) -> Tensor:
    """Final-norm states `[G, n, D]` of the probes behind the real rows `anchors` `[G]`.

    Args:
        entries: one for each probe of a group, in order; a later probe joins no sooner than an earlier one, or the earlier could
            not be seen by it in every layer it passes.
    """
    x = probe_stream(model, real, anchors, entries, model.shape.layers)
    return rms_norm(x, model.final_norm, model.shape.norm_epsilon)


def probe_stream(model: SmolLM, real: RealRows, anchors: Tensor, entries: list[Entry], until: int) -> Tensor:
    """The residual stream `[G, n, D]` of the probes that have joined when `until` of the layers are passed."""
    depths = [entry.depth for entry in entries]
    assert depths == sorted(depths), f"Probes join at depths {depths}; these may not fall."
    x = torch.empty(len(anchors), 0, model.shape.width)
    for depth in range(until + 1):
        joining = [entry.values[:, None] for entry in entries if entry.depth == depth]
        x = torch.cat([x, *joining], dim=1)
        if x.shape[1] > 0 and depth < until:
            x = probe_layer(model, depth, x, real, anchors)
    return x


def probe_layer(model: SmolLM, index: int, x: Tensor, real: RealRows, anchors: Tensor) -> Tensor:
    """One decoder layer on the probes `[G, n, D]` of a group that have joined."""
    shape, layer = model.shape, model.layers[index]
    normed = rms_norm(x, layer.attention_norm, shape.norm_epsilon)
    x = x + F.linear(probe_attention(model, index, normed, real, anchors), layer.attention_output)
    gate, up = F.linear(rms_norm(x, layer.feed_forward_norm, shape.norm_epsilon), layer.gate_up).chunk(2, -1)
    return x + F.linear(F.silu(gate) * up, layer.down)


def probe_attention(model: SmolLM, index: int, normed: Tensor, real: RealRows, anchors: Tensor) -> Tensor:
    shape = model.shape
    groups, probes, _ = normed.shape
    rows = real.keys.shape[2]
    positions = anchors[:, None] + 1 + torch.arange(probes)
    cos, sin = (part[:, :, None] for part in rotary(positions, shape.head_size, shape.rope_theta))
    heads = F.linear(normed, model.layers[index].query_key_value).view(groups, probes, -1, shape.head_size)
    query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads], dim=2)
    query, key = rotate(query, cos, sin) * shape.head_size**-0.5, rotate(key, cos, sin)
    query = query.unflatten(2, (shape.key_value_heads, -1)).permute(2, 0, 1, 3, 4)  # [K, G, n, r, d]
    to_real = query.flatten(1, 3) @ real.keys[index].transpose(-1, -2)
    to_real = to_real.view(*query.shape[:-1], rows)
    to_real = to_real.masked_fill((torch.arange(rows) > anchors[:, None])[None, :, None, None], -torch.inf)
    to_own = torch.einsum("kgnrd,gmkd->kgnrm", query, key)
    later = torch.arange(probes) > torch.arange(probes)[:, None]
    to_own = to_own.masked_fill(later[:, None], -torch.inf)
    to_real, to_own = torch.cat([to_real, to_own], dim=-1).softmax(-1).split([rows, probes], dim=-1)
    attended = (to_real.flatten(1, 3) @ real.values[index]).view(query.shape)
    attended = attended + torch.einsum("kgnrm,gmkd->kgnrd", to_own, value)
    return attended.permute(1, 2, 0, 3, 4).reshape(groups, probes, shape.width)
