"""What training runs have in common: where they stand, how they go on, and the order in which they see chats."""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch

from .dataset import Chat, Dataset, load_dataset, reduced_vocabulary
from .smollm import SmolLM, load_smollm

CHECKPOINT = "checkpoint.pt"


class TrainingRun:
    """Optimiser, learning rate and data order; all of it follows from the recipe and the number of finished updates.

    A subclass makes the module it trains in `start`, says under which name checkpoints keep it (`part`), and does an `update`.
    """

    part: str

    def __init__(self, model: SmolLM, dataset: Dataset, recipe: dict, folder: Path):
        self.model, self.dataset, self.recipe, self.folder = model, dataset, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe["seed"])
        self.vocabulary = reduced_vocabulary(dataset.training, model.head, recipe["vocabulary"], dataset.prefix)
        self.rows = model.head[self.vocabulary]
        self.module = self.start()
        rates = {"lr": recipe["learningRate"], "betas": tuple(recipe["betas"]), "weight_decay": recipe["weightDecay"]}
        self.optimizer = torch.optim.AdamW(self.module.parameters(), **rates)
        self.updates = self.visited = 0
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint)
            assert saved["data"] == dataset.hash, "The checkpoint was trained on other chats."
            self.module.load_state_dict(saved[self.part])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.updates, self.visited = saved["updates"], saved["visited"]

    def start(self) -> torch.nn.Module:
        """What is trained, before the first update."""
        raise NotImplementedError

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    def save(self) -> None:
        parts = {self.part: self.module.state_dict(), "optimizer": self.optimizer.state_dict(), "vocabulary": self.vocabulary}
        counts = {"updates": self.updates, "visited": self.visited, "data": self.dataset.hash}
        torch.save(parts | counts, self.checkpoint.with_suffix(".part"))
        self.checkpoint.with_suffix(".part").rename(self.checkpoint)

    @property
    def progress(self) -> float:
        return self.visited / self.recipe["tokens"]

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

    def apply_gradients(self, tokens: int) -> None:
        """Moves the module by the gradients of an update over so many tokens."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.recipe["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.updates, self.visited = self.updates + 1, self.visited + tokens

    def log(self, values: dict) -> None:
        line = json.dumps({"update": self.updates, "tokens": self.visited, "at": round(time.time())} | values)
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(line + "\n")


def run_parser(description: str | None, name: str) -> argparse.ArgumentParser:
    """The arguments of every run; recipe and folder are named after it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path(f"recipes/{name}.json"))
    parser.add_argument("--out", type=Path, default=Path(f"work/{name}"))
    parser.add_argument("--threads", type=int, default=1)
    return parser


def run_inputs(arguments: argparse.Namespace) -> tuple[SmolLM, Dataset, dict, Path]:
    """What a run is made of."""
    torch.set_num_threads(arguments.threads)
    recipe = json.loads(arguments.recipe.read_text())
    return load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"]), recipe, arguments.out


def training_of(recipe: dict, saved: dict, dataset: Dataset) -> dict:
    """What a manifest says about the run whose checkpoint is `saved`."""
    data = {"sha256": dataset.hash, "chats": len(dataset.training), "tokens": dataset.tokens}
    return {"recipe": recipe, "seed": recipe["seed"], "updates": saved["updates"], "tokens": saved["visited"], "data": data}
