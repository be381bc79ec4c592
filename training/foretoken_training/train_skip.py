"""Fits low-rank adapters to a schedule, so that the model with layers left out says what it says with all. Run again to go on.

The teacher is the model with all layers: its final-norm states were kept when the chats were written, so it is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .dataset import Chat, Dataset, load_dataset, reduced_vocabulary
from .distill import relative_error, sparse_divergence, sparse_law
from .skip_accuracy import skip_accuracy
from .skip_model import CHECKPOINT, Adapters, scheduled_states
from .skip_schedule import SkipSchedule
from .smollm import SmolLM, load_smollm

CHECKPOINT_SECONDS = 120


class SkipTraining:
    """Optimiser, learning rate, curriculum and data order; all of it follows from the recipe and the number of finished updates."""

    def __init__(self, model: SmolLM, dataset: Dataset, recipe: dict, folder: Path):
        self.model, self.dataset, self.recipe, self.folder = model, dataset, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe["seed"])
        self.goal = SkipSchedule(**recipe["schedule"])
        self.vocabulary = reduced_vocabulary(dataset.training, model.head, recipe["vocabulary"], dataset.prefix)
        self.rows = model.head[self.vocabulary]
        self.adapters = Adapters(model, recipe["rank"], recipe["scale"])
        self.optimizer = torch.optim.AdamW(
            self.adapters.parameters(), lr=recipe["learningRate"], betas=recipe["betas"], weight_decay=recipe["weightDecay"]
        )
        self.updates = self.visited = 0
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint)
            assert saved["data"] == dataset.hash, "The checkpoint was trained on other chats."
            self.adapters.load_state_dict(saved["adapters"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.updates, self.visited = saved["updates"], saved["visited"]

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    def save(self) -> None:
        parts = {"adapters": self.adapters.state_dict(), "optimizer": self.optimizer.state_dict()}
        counts = {"updates": self.updates, "visited": self.visited, "data": self.dataset.hash}
        torch.save(parts | counts, self.checkpoint.with_suffix(".part"))
        self.checkpoint.with_suffix(".part").rename(self.checkpoint)

    @property
    def progress(self) -> float:
        return self.visited / self.recipe["tokens"]

    @property
    def schedule(self) -> SkipSchedule:
        """Layers leave one by one over the first part of the run."""
        goal, done = self.goal, min(1, self.progress / self.recipe["curriculum"])
        fewest = round(goal.most - (goal.most - goal.fewest) * done)
        return SkipSchedule(goal.most, fewest, goal.warm_up, goal.length, goal.buckets)

    def learning_rate(self) -> float:
        warm = min(1, (self.updates + 1) / self.recipe["warmUpUpdates"])
        floor = self.recipe["finalRateShare"]
        return self.recipe["learningRate"] * warm * (floor + (1 - floor) * (1 + math.cos(math.pi * min(1, self.progress))) / 2)

    def batch(self) -> list[Chat]:
        """The chats of the next update: every epoch is a permutation of its own."""
        chats, size = self.dataset.training, self.recipe["chatsPerUpdate"]
        epoch, index = divmod(self.updates, len(chats) // size)
        order = torch.randperm(len(chats), generator=torch.Generator().manual_seed(self.recipe["seed"] + epoch))
        return [chats[i] for i in order[index * size : (index + 1) * size].tolist()]

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
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        chats = self.batch()
        rows = sum(len(chat.tokens) - 1 - chat.answer_start for chat in chats)
        total = 0.0
        for chat in chats:
            loss, divergence = self.loss(chat)
            (loss / rows).backward()
            total += divergence
        torch.nn.utils.clip_grad_norm_(self.adapters.parameters(), self.recipe["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.updates, self.visited = self.updates + 1, self.visited + sum(len(chat.tokens) for chat in chats)
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
        greedy = [chat for chat in self.dataset.held_out if chat.temperature == 0]
        self.log({"untuned": skip_accuracy(self.model, self.goal, greedy)})
        self.log({"tuned": skip_accuracy(self.adapters.merge_into(self.model), self.goal, greedy)})

    def log(self, values: dict) -> None:
        line = json.dumps({"update": self.updates, "tokens": self.visited, "at": round(time.time())} | values)
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/skip.json"))
    parser.add_argument("--out", type=Path, default=Path("work/skip"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; run again to go on")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = json.loads(arguments.recipe.read_text())
    dataset = load_dataset(arguments.chats, recipe["shards"])
    training = SkipTraining(load_smollm(arguments.model), dataset, recipe, arguments.out)
    training.run(arguments.seconds)
    if training.progress >= 1:
        training.measure()


if __name__ == "__main__":
    main()
