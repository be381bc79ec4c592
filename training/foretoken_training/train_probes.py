"""Trains probes behind written answers, by the target's own law. Run again to go on.

    python -m foretoken_training.train_probes --model $MODEL --recipe recipes/ppd.json --out work/ppd

Probe `i` of anchor `j` learns the law of the token behind position `j + i`: its teacher is that position's final-norm state, which
lies with the chat.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .dataset import Chat, Dataset, greedy_answers
from .distill import sparse_divergence, sparse_law
from .probe_accuracy import answer_anchors, probe_accuracy
from .probe_pass import probe_states
from .probes import Probes, PromptTokens, trained_probes
from .real_rows import RealRowsOnDisk
from .smollm import SmolLM
from .training_run import CHECKPOINT, TrainingRun, run_inputs, run_parser
from .transfer_start import fit_transfer

CHECKPOINT_SECONDS = 60


class ProbeTraining(TrainingRun):
    """`groups` random anchors of an answer per chat and update."""

    part = "probes"

    def __init__(self, model: SmolLM, dataset: Dataset, recipe: dict, folder: Path):
        steps = len(recipe["stepWeights"])
        long_enough = [chat for chat in dataset.training if len(answer_anchors(chat, steps)) > 0]
        super().__init__(model, replace(dataset, training=long_enough), recipe, folder)

    def start(self) -> Probes:
        """The probes before the first update; another run may have left them."""
        start = self.recipe["start"]
        self.store = self.open_store()
        if "run" in start:
            return trained_probes(torch.load(self.folder.parent / start["run"] / CHECKPOINT)[self.part], self.recipe.get("depths"))
        return self.untrained(start)

    def open_store(self) -> RealRowsOnDisk:
        return RealRowsOnDisk(self.model)

    def untrained(self, start: dict) -> Probes:
        if "depths" in self.recipe:
            chats = self.dataset.training[: start["chats"]]
            return fit_transfer(self.store, chats, self.dataset.prefix, self.recipe["depths"])
        mean = self.model.embedding[self.vocabulary].mean(0)  # guesses better than any one token's, untrained
        return PromptTokens(mean.expand(self.steps, -1))

    @property
    def probes(self) -> Probes:
        return self.module

    @property
    def steps(self) -> int:
        """Probes of a group."""
        return len(self.recipe["stepWeights"])

    def anchors(self, chat: Chat) -> Tensor:
        """Other ones in every epoch."""
        all_anchors = answer_anchors(chat, self.steps)
        random = torch.Generator().manual_seed(self.recipe["seed"] + 1_000_003 * self.updates + chat.number)
        return all_anchors[torch.randperm(len(all_anchors), generator=random)[: self.recipe["groups"]]]

    def weights(self, chat: Chat, anchors: Tensor) -> Tensor:
        """What the divergence of a probe counts, `[G, n]`."""
        return torch.tensor(self.recipe["stepWeights"]).expand(len(anchors), -1)

    def divergence(self, chat: Chat, anchors: Tensor) -> Tensor:
        """KL to the target's law `[G, n]` on the reduced vocabulary."""
        real = self.store.of(chat)
        states = probe_states(self.model, real, anchors, self.probes.entries(real, anchors))
        teachers = chat.states[anchors[:, None] + 1 + torch.arange(self.steps)].float()
        law = sparse_law(teachers.flatten(0, 1), self.rows, self.recipe["topK"])
        return sparse_divergence(F.linear(states.flatten(0, 1), self.rows), *law).view(states.shape[:2])

    def update(self) -> Tensor:
        """One step of the optimiser; returns the mean divergence of each probe `[n]`."""
        chats = self.batch()
        means = torch.zeros(self.steps)
        for chat in chats:
            anchors = self.anchors(chat)
            divergence = self.divergence(chat, anchors) / (len(anchors) * len(chats))
            (divergence * self.weights(chat, anchors)).sum().backward()
            means += divergence.detach().sum(0)
        self.apply_gradients(sum(len(chat.tokens) for chat in chats))
        return means

    def measure(self, stride: int) -> dict:
        greedy = greedy_answers(self.dataset)
        return probe_accuracy(self.model, self.store, self.probes, self.steps, greedy, stride).table()

    def run(self, seconds: float = math.inf) -> None:
        """Trains for at most `seconds`, or to the end of the recipe."""
        began = saved = time.time()
        divergences = []
        while self.progress < 1 and time.time() - began < seconds:
            divergences.append(self.update())
            if self.updates % self.recipe["logEvery"] == 0:
                self.log({"divergence": [round(mean, 4) for mean in torch.stack(divergences).mean(0).tolist()]})
                divergences = []
            if time.time() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.time()
        self.save()


def main() -> None:
    parser = run_parser(__doc__, "ppd")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; run again to go on")
    parser.add_argument("--stride", type=int, default=4, help="anchors measured at the end: every so many")
    arguments = parser.parse_args()
    training = ProbeTraining(*run_inputs(arguments))
    training.run(arguments.seconds)
    training.log({"heldOut": training.measure(arguments.stride)})


if __name__ == "__main__":
    main()
