"""LUD's paddings as an artefact; with `--adapters` also the changes of the weights that were trained for them.

    python -m foretoken_training.lexical_artefact --model $MODEL
    python -m foretoken_training.lexical_artefact --model $MODEL --name smollm2-lud-adapted --adapters work/lud-adapters

    model.safetensors     embeddings    F32 [k - 1, D]
    deltas.safetensors    see skip_deltas.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .adapters import load_adapters
from .artefact import WEIGHTS_FILE, sha256, write_manifest
from .dataset import greedy_answers, load_dataset
from .lexical_threshold import calibrated, confidences, threshold_table
from .probe_accuracy import probe_accuracy
from .probe_artefact import read_probes, write_probes
from .probes import trained_probes
from .real_rows import FOLDER, RealRowsOnDisk
from .skip_deltas import write_deltas
from .smollm import load_smollm
from .train_lexical_adapters import base_divergence
from .training_run import CHECKPOINT, training_of

KIND = "lexical-units"
DELTAS_FILE = "deltas.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/lud.json"))
    parser.add_argument("--run", type=Path, default=Path("work/lud"), help="folder of the paddings' run")
    parser.add_argument("--adapters", type=Path, help="folder of the adapters' run")
    parser.add_argument("--adapters-recipe", type=Path, default=Path("recipes/lud-adapters.json"))
    parser.add_argument("--name", default="smollm2-lud")
    parser.add_argument("--out", type=Path, default=Path("../packages/smollm2-heads"))
    parser.add_argument("--stride", type=int, default=1, help="anchors measured: every so many")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = json.loads(arguments.recipe.read_text())
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"])
    saved, steps, folder = torch.load(arguments.run / CHECKPOINT), len(recipe["stepWeights"]), arguments.out / arguments.name
    write_probes(folder / WEIGHTS_FILE, trained_probes(saved["probes"], None))
    paddings, chats = read_probes(folder / WEIGHTS_FILE), greedy_answers(dataset)
    training, decoder, deltas, rows = training_of(recipe, saved, dataset), model, {}, FOLDER
    if arguments.adapters is not None:
        changes = json.loads(arguments.adapters_recipe.read_text())
        adapters, updates = load_adapters(model, changes, arguments.adapters), torch.load(arguments.adapters / CHECKPOINT)
        write_deltas(adapters, arguments.model, folder / DELTAS_FILE)
        deltas = {"deltas": {"file": DELTAS_FILE, "sha256": sha256(folder / DELTAS_FILE)}}
        training["adapters"] = training_of(changes, updates, dataset)
        decoder, rows = adapters.merge_into(model), arguments.adapters / f"real-rows-{updates['updates']}"
    store = RealRowsOnDisk(decoder, rows, (model.shape.layers,))
    held_out = {"chats": len(chats), "stride": arguments.stride}
    held_out |= probe_accuracy(decoder, store, paddings, steps, chats, arguments.stride).table()
    table = threshold_table(*confidences(decoder, store, paddings, chats, arguments.stride))
    held_out |= {"thresholds": table} | ({"base": base_divergence(decoder, model, store, chats)} if deltas else {})
    shape = {"width": model.shape.width, "lookAhead": 1 + steps, "threshold": calibrated(table)} | deltas
    write_manifest(KIND, arguments.name, arguments.model, folder, shape, {"training": training, "heldOut": held_out})
    print(json.dumps(held_out, indent=2))


if __name__ == "__main__":
    main()
