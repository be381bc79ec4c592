"""How often what a probe guesses is the target's own greedy token, on held-out answers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .dataset import Chat
from .probe_pass import probe_states
from .probes import Probes
from .real_rows import RealRowsOnDisk
from .smollm import SmolLM

RANKS = 10


@dataclass(frozen=True)
class ProbeAccuracy:
    """Counts over places, an anchor each."""

    places: int
    hits: Tensor
    """`[n, 10]`: how often the guess of rank `k` of probe `i` was right."""

    def by_rank(self) -> list[list[float]]:
        """a_i(k), as tree builders want it."""
        return [[round(hits / max(self.places, 1), 4) for hits in row] for row in self.hits.tolist()]

    def table(self) -> dict:
        top = lambda ranks: [round(sum(row[:ranks]), 4) for row in self.by_rank()]
        return {"places": self.places, "top1": top(1), "top10": top(RANKS)}


def answer_anchors(chat: Chat, probes: int) -> Tensor:
    """Real rows in whose group every probe guesses a token of the answer: from the row that draws its first token on. Short answers have none."""
    first = chat.answer_start - 1
    return torch.arange(first, max(first, len(chat.tokens) - 1 - probes))


@torch.inference_mode()
def probe_accuracy(model: SmolLM, store: RealRowsOnDisk, probes: Probes, count: int, chats: list[Chat], stride: int = 1) -> ProbeAccuracy:
    """Guesses over the whole vocabulary at every `stride`-th anchor of the answers.

    Probe `i` of anchor `j` is compared with the target's likeliest token behind position `j + i`. On answers of temperature 0
    the text up to there is what the target would have written itself.
    """
    places, hits = 0, torch.zeros(count, RANKS, dtype=torch.long)
    for chat in chats:
        anchors = answer_anchors(chat, count)[::stride]
        real = store.of(chat)
        likeliest = F.linear(chat.states.float(), model.head).argmax(-1)
        guesses = F.linear(probe_states(model, real, anchors, probes.entries(real, anchors)), model.head).topk(RANKS).indices
        wanted = likeliest[anchors[:, None] + 1 + torch.arange(count)]
        places, hits = places + len(anchors), hits + (guesses == wanted[..., None]).sum(0)
    return ProbeAccuracy(places, hits)
