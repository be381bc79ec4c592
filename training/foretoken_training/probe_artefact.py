"""Trained probes as artefacts.

    python -m foretoken_training.probe_artefact --model $MODEL --kind prompt-tokens --run work/ppd --recipe recipes/ppd.json

    prompt-tokens      embeddings        F32 [n, D]
    hidden-transfer    steps.1.weight    I8  [D, D], with steps.1.weight.scales
                       steps.1.bias      F32 [D]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from .artefact import WEIGHTS_FILE, read_tensors, write_manifest, write_tensors
from .dataset import greedy_answers, load_dataset
from .probe_accuracy import probe_accuracy
from .probes import HiddenTransfer, Probes, PromptTokens, trained_probes
from .real_rows import RealRowsOnDisk
from .smollm import load_smollm
from .training_run import CHECKPOINT, training_of

NAMES = {"prompt-tokens": "smollm2-ppd", "hidden-transfer": "smollm2-hidden-transfer"}


def write_probes(path: Path, probes: Probes) -> None:
    if isinstance(probes, PromptTokens):
        write_tensors(path, {}, {"embeddings": probes.embeddings})
        return
    numbered = lambda name, parts: {f"steps.{step}.{name}": part for step, part in enumerate(parts, start=1)}
    write_tensors(path, numbered("weight", probes.weights), numbered("bias", probes.biases))


def read_probes(path: Path, depths: list[int] | None = None) -> Probes:
    """The probes as the file holds them, dequantised; maps join at `depths`."""
    tensors = read_tensors(path)
    if depths is None:
        return PromptTokens(tensors["embeddings"])
    stacked = lambda name: torch.stack([tensors[f"steps.{step}.{name}"] for step in range(1, len(depths) + 1)])
    return HiddenTransfer(depths, stacked("weight"), stacked("bias"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--kind", choices=NAMES, required=True)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, default=Path("../packages/smollm2-heads"))
    parser.add_argument("--stride", type=int, default=1, help="anchors measured: every so many")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = json.loads(arguments.recipe.read_text())
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"])
    saved, depths, steps = torch.load(arguments.run / CHECKPOINT), recipe.get("depths"), len(recipe["stepWeights"])
    name = NAMES[arguments.kind]
    weights = arguments.out / name / WEIGHTS_FILE
    write_probes(weights, trained_probes(saved["probes"], depths))
    chats = greedy_answers(dataset)
    accuracy = probe_accuracy(model, RealRowsOnDisk(model), read_probes(weights, depths), steps, chats, arguments.stride)
    own = {"copies": 1} if depths is None else {"layers": depths}
    shape = {"width": model.shape.width, "steps": steps} | own | {"accuracy": accuracy.by_rank()}
    held_out = {"chats": len(chats), "stride": arguments.stride} | accuracy.table()
    about = {"training": training_of(recipe, saved, dataset), "heldOut": held_out}
    write_manifest(arguments.kind, name, arguments.model, weights.parent, shape, about)
    print(json.dumps(held_out, indent=2))


if __name__ == "__main__":
    main()
