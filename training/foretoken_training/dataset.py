"""Written chats as training text: without duplicates, with a hash, split into training and held-out chats."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

HELD_OUT_SHARE = 0.06


@dataclass(frozen=True)
class Chat:
    """Tokens `[T]`, the target's final-norm states `[T, D]` (float16), and where the answer starts."""

    number: int
    tokens: Tensor
    states: Tensor
    answer_start: int
    temperature: float


@dataclass(frozen=True)
class Dataset:
    training: list[Chat]
    held_out: list[Chat]
    prefix: int
    """Leading tokens that all chats share, the system prompt; nothing is learned or measured there."""
    hash: str
    """SHA-256 over the token ids of all chats, in order of their numbers."""

    @property
    def tokens(self) -> int:
        return sum(len(chat.tokens) for chat in self.training)


def read_shard(path: Path) -> list[Chat]:
    shard = load_file(path)
    lengths = shard["lengths"].tolist()
    parts = zip(
        shard["numbers"].tolist(),
        shard["tokens"].split(lengths),
        shard["states"].split(lengths),
        shard["answerStarts"].tolist(),
        shard["temperatures"].tolist(),
    )
    return [Chat(number, tokens.long(), states, start, temperature) for number, tokens, states, start, temperature in parts]


def load_dataset(folder: Path, shards: int | None = None) -> Dataset:
    """The first `shards` shards of a folder, or all. A chat whose user message was seen before is dropped; the split depends on the message alone."""
    chats = sorted((chat for path in sorted(folder.glob("chats-*.safetensors"))[:shards] for chat in read_shard(path)), key=lambda c: c.number)
    seen: set[str] = set()
    training, held_out = [], []
    digest = hashlib.sha256()
    for chat in chats:
        message = hashlib.sha256(chat.tokens[: chat.answer_start].numpy().astype("<i4").tobytes()).hexdigest()
        if message in seen:
            continue
        seen.add(message)
        digest.update(chat.tokens.numpy().astype("<i4").tobytes())
        (held_out if int(message[:8], 16) < HELD_OUT_SHARE * 2**32 else training).append(chat)
    first, second = (chat.tokens.numpy() for chat in chats[:2])
    shortest = min(map(len, (first, second)))
    prefix = int(np.argmin(first[:shortest] == second[:shortest]))
    return Dataset(training, held_out, prefix, digest.hexdigest())


@torch.no_grad()
def reduced_vocabulary(chats: list[Chat], head: Tensor, size: int, prefix: int = 0, stride: int = 16) -> Tensor:
    """The `size` token ids that the target expects most often, ascending.

    Expected counts come from the target's own law at every `stride`-th position behind `prefix`: they know tokens that were never drawn,
    and on held-out answers cover two points more than counts of the drawn ones.
    """
    expected = torch.zeros(head.shape[0])
    for states in torch.cat([chat.states[prefix::stride] for chat in chats]).float().split(512):
        expected += (states @ head.T).softmax(-1).sum(0)
    return expected.topk(size).indices.sort().values


def greedy_answers(dataset: Dataset) -> list[Chat]:
    """Held-out chats in whose answers the next token is the target's likeliest."""
    return [chat for chat in dataset.held_out if chat.temperature == 0]
