"""Fits low-rank adapters to a schedule, so that the model with layers left out says what it says with all. Run again to go on.

The teacher is the model with all layers: its final-norm states were kept when the chats were written, so it is not run again.
"""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from .adapters import Adapters
from .dataset import Chat, greedy_answers
from .distill import relative_error, sparse_divergence, sparse_law
from .skip_accuracy import skip_accuracy
from .skip_model import scheduled_states
from .skip_schedule import SkipSchedule
from .training_run import TrainingRun, run_inputs, run_parser

CHECKPOINT_SECONDS = 120


class SkipTraining(TrainingRun):
    """Adapters under a schedule whose layers leave one by one."""

    part = "adapters"

    def start(self) -> Adapters:
        self.goal = SkipSchedule(**self.recipe["schedule"])
        return Adapters(self.model, self.recipe["rank"], self.recipe["scale"])

    @property
    def adapters(self) -> Adapters:
        return self.module

    @property
    def schedule(self) -> SkipSchedule:
        """Layers leave one by one over the first part of the run."""
        goal, done = self.goal, min(1, self.progress / self.recipe["curriculum"])
        fewest = round(goal.most - (goal.most - goal.fewest) * done)
        return SkipSchedule(goal.most, fewest, goal.warm_up, goal.length, goal.buckets)

    def loss(self, chat: Chat) -> tuple[Tensor, float]:
        """Sum over the answer's rows of divergence plus weighted state error; and the divergence alone."""
        columns = self.schedule.columns(chat.answer_start, len(chat.tokens), self.model.shape.layers)
        rows = slice(chat.answer_start, len(chat.tokens) - 1)
        wanted = chat.states[rows].float()
        states = scheduled_states(self.model, chat.tokens, columns, self.adapters)[rows]
        law = sparse_law(wanted, self.rows, self.recipe["topK"])
        divergence = sparse_divergence(F.linear(states, self.rows), *law).sum()
        return divergence + self.recipe["stateWeight"] * relative_error(states, wanted).sum(), divergence.item()

    def update(self) -> float:
        """One step of the optimiser; returns the mean divergence of a row."""
        chats = self.batch()
        rows = sum(len(chat.tokens) - 1 - chat.answer_start for chat in chats)
        total = 0.0
        for chat in chats:
            loss, divergence = self.loss(chat)
            (loss / rows).backward()
            total += divergence
        self.apply_gradients(sum(len(chat.tokens) for chat in chats))
        return total / rows

    def run(self, seconds: float) -> None:
        """Trains for at most `seconds`, or to the end of the recipe."""
        began = saved = time.time()
        divergences = []
        while self.progress < 1 and time.time() - began < seconds:
            divergences.append(self.update())
            if self.updates % self.recipe["logEvery"] == 0:
                self.log({"fewest": self.schedule.fewest, "divergence": round(sum(divergences) / len(divergences), 4)})
                divergences = []
            if time.time() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.time()
        self.save()

    def measure(self) -> None:
        """What the whole held-out set says, untuned and tuned."""
        greedy = greedy_answers(self.dataset)
        self.log({"untuned": skip_accuracy(self.model, self.goal, greedy)})
        self.log({"tuned": skip_accuracy(self.adapters.merge_into(self.model), self.goal, greedy)})


def main() -> None:
    parser = run_parser(__doc__, "skip")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; run again to go on")
    arguments = parser.parse_args()
    training = SkipTraining(*run_inputs(arguments))
    training.run(arguments.seconds)
    if training.progress >= 1:
        training.measure()


if __name__ == "__main__":
    main()
