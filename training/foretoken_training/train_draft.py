"""Trains a feature head on written chats. Run again to go on from the last checkpoint."""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from .accuracy import chain_accuracy
from .dataset import Chat, Dataset, load_dataset, reduced_vocabulary
from .distill import relative_error, sparse_divergence, sparse_law
from .draft_head import DraftHead
from .draft_start import head_from_layer
from .smollm import SmolLM, load_smollm

CHECKPOINT = "checkpoint.pt"
CHECKPOINT_SECONDS = 150


def load_head(model: SmolLM, checkpoint: Path) -> DraftHead:
    """The head of a training run."""
    return DraftHead.from_parts(model.shape, torch.load(checkpoint)["head"])


class DraftTraining:
    """Optimiser, schedule and data order; all of it follows from the recipe and the number of finished updates."""

    def __init__(self, model: SmolLM, dataset: Dataset, recipe: dict, folder: Path):
        self.model, self.dataset, self.recipe, self.folder = model, dataset, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe["seed"])
        self.vocabulary = reduced_vocabulary(dataset.training, model.head, recipe["vocabulary"], dataset.prefix)
        self.rows = model.head[self.vocabulary]
        self.head = self.start()
        self.head.dropout = recipe["dropout"]
        rates = {"lr": recipe["learningRate"], "betas": tuple(recipe["betas"]), "weight_decay": recipe["weightDecay"]}
        self.optimizer = torch.optim.AdamW(self.head.parameters(), **rates)
        self.updates = self.visited = 0
        self.laws: dict[int, tuple] = {}
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint)
            assert saved["data"] == dataset.hash, "The checkpoint was trained on other chats."
            self.head.load_state_dict(saved["head"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.updates, self.visited = saved["updates"], saved["visited"]

    def start(self) -> DraftHead:
        """The head before the first update: a layer of the target, or where another run ended."""
        start = self.recipe["start"]
        if "layer" in start:
            return head_from_layer(self.model, self.dataset.training[: start["chats"]], start["layer"])
        return load_head(self.model, self.folder.parent / start["run"] / CHECKPOINT)

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    def save(self) -> None:
        parts = {"head": self.head.state_dict(), "optimizer": self.optimizer.state_dict()}
        counts = {"updates": self.updates, "visited": self.visited, "data": self.dataset.hash}
        torch.save(parts | counts | {"vocabulary": self.vocabulary}, self.checkpoint.with_suffix(".part"))
        self.checkpoint.with_suffix(".part").rename(self.checkpoint)

    @property
    def progress(self) -> float:
        return self.visited / self.recipe["tokens"]

    @property
    def steps(self) -> int:
        """Unrolled steps now."""
        return next(stage["steps"] for stage in self.recipe["stages"] if self.progress < stage["until"] or stage["until"] == 1)

    def learning_rate(self) -> float:
        warm = min(1, (self.updates + 1) / self.recipe["warmUpUpdates"])
        floor = self.recipe["finalRateShare"]
        return self.recipe["learningRate"] * warm * (floor + (1 - floor) * (1 + math.cos(math.pi * min(1, self.progress))) / 2)

    def batch(self) -> list[Chat]:
        """The chats of the next update: every epoch is a permutation of its own."""
        chats, size = self.dataset.training, self.recipe["chatsPerUpdate"]
        per_epoch = len(chats) // size
        epoch, index = divmod(self.updates, per_epoch)
        order = torch.randperm(len(chats), generator=torch.Generator().manual_seed(self.recipe["seed"] + epoch))
        return [chats[i] for i in order[index * size : (index + 1) * size].tolist()]

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
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        chats = self.batch()
        torch.manual_seed(self.recipe["seed"] + self.updates)
        positions = sum(len(chat.tokens) for chat in chats)
        divergences = [0.0] * self.steps
        for chat in chats:
            loss, parts = self.loss(chat)
            share = len(chat.tokens) / positions
            (loss * share).backward()
            divergences = [sum_ + share * part for sum_, part in zip(divergences, parts)]
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), self.recipe["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.updates, self.visited = self.updates + 1, self.visited + positions
        return {"divergence": divergences}

    def measure(self, chats: list[Chat], steps: int = 4) -> dict:
        self.head.eval()
        table = chain_accuracy(self.head, self.rows, self.vocabulary, self.model.embedding, chats, steps).table()
        with torch.no_grad():
            divergences = [self.loss(chat)[1][0] for chat in chats]
        self.head.train()
        return table | {"divergence": round(sum(divergences) / len(divergences), 4)}

    def run(self) -> None:
        greedy = [chat for chat in self.dataset.held_out if chat.temperature == 0]
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

    def log(self, values: dict) -> None:
        line = json.dumps({"update": self.updates, "tokens": self.visited, "at": round(time.time())} | values)
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/draft.json"))
    parser.add_argument("--out", type=Path, default=Path("work/draft"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = json.loads(arguments.recipe.read_text())
    dataset = load_dataset(arguments.chats, recipe["shards"])
    DraftTraining(load_smollm(arguments.model), dataset, recipe, arguments.out).run()


if __name__ == "__main__":
    main()
