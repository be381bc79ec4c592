"""How long the chains are that a feature head drafts and greedy verification accepts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .dataset import Chat, Dataset
from .draft_head import DraftHead
from .smollm import SmolLM


@dataclass(frozen=True)
class ChainAccuracy:
    """Counts over all roots of the measured answers."""

    roots: int
    reached: list[int]
    """Roots whose first `k` drafted tokens were all right, `k = 1 …`."""
    passes: int
    """Target passes that decode the answers with chains of this length."""
    tokens: int

    def table(self) -> dict:
        before = [self.roots, *self.reached]
        return {
            "roots": self.roots,
            "acceptedAtStep": [round(now / max(then, 1), 4) for then, now in zip(before, self.reached)],
            "chainReaches": [round(now / self.roots, 4) for now in self.reached],
            "tokensPerPass": round(self.tokens / self.passes, 4),
        }


@torch.inference_mode()
def chain_accuracy(head: DraftHead, rows: Tensor, vocabulary: Tensor, embedding: Tensor, chats: list[Chat], steps: int) -> ChainAccuracy:
    """Drafts a chain of `steps` at every position of the answers and compares it with the text.

    A drafted token is only compared when all before it were right, and then the text is what the draft had as input: so the
    unrolled pass over the text is drafting itself. Texts of temperature 0 give greedy acceptance.

    Args:
        rows: the target's head rows of `vocabulary`, `[V', D]`.
        vocabulary: token ids, `[V']`.
    """
    roots, reached, passes, tokens = 0, [0] * steps, 0, 0
    for chat in chats:
        outputs = head.unroll(embedding[chat.tokens], chat.states.float(), steps)
        length, start = len(chat.tokens), chat.answer_start
        accepted = torch.zeros(length, dtype=torch.long)  # of the chain behind root j
        alive = torch.ones(length, dtype=torch.bool)
        for step, states in enumerate(outputs):
            guesses = vocabulary[(states @ rows.T).argmax(-1)]
            right = torch.zeros(length, dtype=torch.bool)
            right[: length - 1 - step] = guesses[step:-1] == chat.tokens[1 + step :]
            alive &= right
            accepted += alive
            reached[step] += int(alive[start:-1].sum())
        roots += length - 1 - start
        position = start
        while position < length - 1:
            taken = min(int(accepted[position]) + 1, length - 1 - position)
            position, passes, tokens = position + taken, passes + 1, tokens + taken
    return ChainAccuracy(roots, reached, passes, tokens)


def chain_tables(model: SmolLM, head: DraftHead, vocabulary: Tensor, dataset: Dataset, steps: int) -> dict:
    """The tables of held-out answers, by the temperature that they were written at."""
    kinds = {"greedy": lambda t: t == 0, "temperature 0.6": lambda t: 0 < t < 1, "temperature 1": lambda t: t == 1}
    chats_of = lambda is_of: [chat for chat in dataset.held_out if is_of(chat.temperature)]
    rows = model.head[vocabulary]
    return {
        kind: chain_accuracy(head, rows, vocabulary, model.embedding, chats_of(is_of), steps).table() for kind, is_of in kinds.items()
    }
