"""Trains a feature head on written chats. Run again to go on from the last checkpoint."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch.nn import functional as F

from .accuracy import chain_accuracy
from .dataset import Chat, greedy_answers
from .distill import relative_error, sparse_divergence, sparse_law
from .draft_head import DraftHead
from .draft_start import head_from_layer
from .smollm import SmolLM
from .training_run import CHECKPOINT, TrainingRun, run_inputs, run_parser

CHECKPOINT_SECONDS = 150


def load_head(model: SmolLM, checkpoint: Path) -> DraftHead:
    """The head of a training run."""
    return DraftHead.from_parts(model.shape, torch.load(checkpoint)["head"])


class DraftTraining(TrainingRun):
    """A head, unrolled over more and more steps."""

    part = "head"

    @property
    def head(self) -> DraftHead:
        return self.module

    def start(self) -> DraftHead:
        """The head before the first update: a layer of the target, or where another run ended."""
        start = self.recipe["start"]
        if "layer" in start:
            head = head_from_layer(self.model, self.dataset.training[: start["chats"]], start["layer"])
        else:
            head = load_head(self.model, self.folder.parent / start["run"] / CHECKPOINT)
        head.dropout = self.recipe["dropout"]
        self.laws: dict[int, tuple] = {}
        return head

    @property
    def steps(self) -> int:
        """Unrolled steps now."""
        return next(stage["steps"] for stage in self.recipe["stages"] if self.progress < stage["until"] or stage["until"] == 1)

    def law(self, chat: Chat) -> tuple:
        if chat.number not in self.laws:
            with torch.no_grad():
                indices, probabilities = sparse_law(chat.states.float(), self.rows, self.recipe["topK"])
            self.laws[chat.number] = indices.short(), probabilities.half()
        indices, probabilities = self.laws[chat.number]
        return indices.long(), probabilities.float()

    def loss(self, chat: Chat) -> tuple[torch.Tensor, list[float]]:
        """Sum over steps of divergence plus weighted state error, mean over positions; and the divergence of each step."""
        states = chat.states.float()
        indices, probabilities = self.law(chat)
        total, divergences = torch.zeros(()), []
        # What the head reads while drafting is only near the target's states; noise also keeps it from learning the text by heart.
        size = self.recipe["featureNoise"] if self.head.training else 0
        noise = size * states.square().mean(-1, keepdim=True).sqrt() * (2 * torch.rand(states.shape) - 1)
        for step, output in enumerate(self.head.unroll(self.model.embedding[chat.tokens], states + noise, self.steps)):
            first = self.dataset.prefix + step
            divergence = sparse_divergence(F.linear(output[first:], self.rows), indices[first:], probabilities[first:]).mean()
            error = relative_error(output[first:], states[first:]).mean()
            weight = self.recipe["stepWeights"][step]
            total = total + weight * (divergence + self.recipe["stateWeight"] * error)
            divergences.append(divergence.item())
        return total, divergences

    def update(self) -> dict:
        chats = self.batch()
        torch.manual_seed(self.recipe["seed"] + self.updates)
        positions = sum(len(chat.tokens) for chat in chats)
        divergences = [0.0] * self.steps
        for chat in chats:
            loss, parts = self.loss(chat)
            share = len(chat.tokens) / positions
            (loss * share).backward()
            divergences = [sum_ + share * part for sum_, part in zip(divergences, parts)]
        self.apply_gradients(positions)
        return {"divergence": divergences}

    def measure(self, chats: list[Chat], steps: int = 4) -> dict:
        self.head.eval()
        table = chain_accuracy(self.head, self.rows, self.vocabulary, self.model.embedding, chats, steps).table()
        with torch.no_grad():
            divergences = [self.loss(chat)[1][0] for chat in chats]
        self.head.train()
        return table | {"divergence": round(sum(divergences) / len(divergences), 4)}

    def run(self) -> None:
        greedy = greedy_answers(self.dataset)
        sums, count = [], 0
        saved = time.time()
        if self.updates == 0:
            self.log({"start": self.measure(greedy)})
        while self.progress < 1:
            sums.append(self.update()["divergence"])
            if self.updates % self.recipe["logEvery"] == 0:
                same = [row for row in sums if len(row) == len(sums[-1])]
                means = [round(sum(column) / len(same), 4) for column in zip(*same)]
                self.log({"divergence": means})
                sums = []
            if self.updates % self.recipe["measureEvery"] == 0:
                self.log({"heldOut": self.measure(greedy)})
            if time.time() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.time()
        self.save()
        self.log({"end": self.measure(greedy)})


def main() -> None:
    arguments = run_parser(__doc__, "draft").parse_args()
    DraftTraining(*run_inputs(arguments)).run()


if __name__ == "__main__":
    main()
