"""How sure a padding must be: the threshold from which what is accepted is what the target would have said."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .dataset import Chat
from .probe_accuracy import answer_anchors
from .probe_pass import probe_states
from .probes import PromptTokens
from .real_rows import RealRowsOnDisk
from .smollm import SmolLM, rms_norm

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
AGREEMENT = 0.98


@torch.inference_mode()
def confidences(model: SmolLM, store: RealRowsOnDisk, probes: PromptTokens, chats: list[Chat], stride: int) -> tuple[Tensor, Tensor]:
    """For each anchor of the answers and each padding, `[A, n]`: the least probability of a likeliest token from the anchor's own to the
    padding's, 0 from where a token repeats the one before, and whether the padding's is the greedy token of the target that wrote the answer; `model` may be that target, adapted."""
    count = len(probes.embeddings)
    least, right = [], []
    for chat in chats:
        anchors = answer_anchors(chat, count)[::stride]
        real = store.of(chat)
        likeliest = F.linear(chat.states.float(), model.head).argmax(-1)
        states = rms_norm(real.residuals[model.shape.layers][anchors], model.final_norm, model.shape.norm_epsilon)
        own = F.linear(states, model.head).softmax(-1).max(-1, keepdim=True)
        laws = F.linear(probe_states(model, real, anchors, probes.entries(real, anchors)), model.head).softmax(-1)
        sure, guesses = laws.max(-1)
        chosen = torch.cat([own.indices, guesses], dim=1)
        sure = sure.masked_fill(chosen[:, 1:] == chosen[:, :-1], 0)
        least.append(torch.cat([own.values, sure], dim=1).cummin(dim=1).values[:, 1:])
        right.append(guesses == likeliest[anchors[:, None] + 1 + torch.arange(count)])
    return torch.cat(least), torch.cat(right)


def threshold_table(least: Tensor, right: Tensor) -> list[dict]:
    """What each threshold accepts: tokens a pass, were every position as often the last one, and how many of those behind the first are
    the target's."""
    rows = []
    for threshold in THRESHOLDS:
        accepted = least >= threshold
        agreement = right[accepted].float().mean().item() if accepted.any() else 1.0
        tokens = 1 + accepted.sum(1).float().mean().item()
        rows.append({"threshold": threshold, "tokensPerPass": round(tokens, 4), "agreement": round(agreement, 4)})
    return rows


def calibrated(table: list[dict]) -> float:
    """The lowest threshold that agrees often enough, or the highest there is."""
    return next((row["threshold"] for row in table if row["agreement"] >= AGREEMENT), THRESHOLDS[-1])
