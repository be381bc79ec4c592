"""Chimera's network as an artefact: int8 matrices, float32 vectors, and its vocabulary.

    layers.0.…, finalNorm     as those of a draft head
    trigram.inner             I8   [D, 3D], with trigram.innerBias F32 [D]
    trigram.outer             I8   [D, D], with trigram.outerBias F32 [D]
    residual.diagonal         F32  [K, D]       A_k = diag(diagonal[k]) + outer[:, k's r] inner[k's r]
    residual.inner            I8   [K r, D]     all steps, one below the other
    residual.outer            I8   [D, K r]     all steps, side by side
    state.…                   the same of B_k
    vocabulary                I32  [V']
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from .accuracy import chain_tables
from .artefact import WEIGHTS_FILE, read_tensors, write_manifest, write_tensors
from .chimera_head import ChimeraHead, StepHeads
from .dataset import Chat, greedy_answers, load_dataset
from .draft_artefact import layer_matrices, norms, read_layer
from .draft_artefact import shape_of as layer_shape
from .smollm import ModelShape, SmolLM, load_smollm

KIND = "chimera"
RANKS = 10
"""Guesses of a step whose accuracy is told."""


def step_heads(head: ChimeraHead) -> dict[str, StepHeads]:
    return {"residual": head.residual_heads, "state": head.state_heads}


def write_weights(head: ChimeraHead, vocabulary: Tensor, path: Path) -> None:
    trigram = head.trigram
    matrices = layer_matrices(head) | {"trigram.inner": trigram.inner.weight, "trigram.outer": trigram.outer.weight}
    others = norms(head) | {"trigram.innerBias": trigram.inner.bias, "trigram.outerBias": trigram.outer.bias}
    for name, heads in step_heads(head).items():
        matrices[f"{name}.inner"] = heads.inner.flatten(0, 1)
        matrices[f"{name}.outer"] = torch.cat(list(heads.outer), dim=1)
        others[f"{name}.diagonal"] = heads.diagonal
    write_tensors(path, matrices, {"vocabulary": vocabulary.to(torch.int32)} | others)


@torch.no_grad()
def read_weights(shape: ModelShape, path: Path) -> tuple[ChimeraHead, Tensor]:
    """The network as the file holds it, dequantised, and its vocabulary."""
    tensors = read_tensors(path)
    steps = len(tensors["state.diagonal"])
    rank = len(tensors["state.inner"]) // steps
    head = ChimeraHead(shape, read_layer(tensors), tensors["finalNorm"], steps, rank)
    head.trigram.inner.weight.copy_(tensors["trigram.inner"])
    head.trigram.inner.bias.copy_(tensors["trigram.innerBias"])
    head.trigram.outer.weight.copy_(tensors["trigram.outer"])
    head.trigram.outer.bias.copy_(tensors["trigram.outerBias"])
    for name, heads in step_heads(head).items():
        heads.diagonal.copy_(tensors[f"{name}.diagonal"])
        heads.inner.copy_(tensors[f"{name}.inner"].unflatten(0, (steps, rank)))
        heads.outer.copy_(torch.stack(tensors[f"{name}.outer"].split(rank, dim=1)))
    return head.eval(), tensors["vocabulary"].long()


def shape_of(head: ChimeraHead, vocabulary: int, accuracy: list[list[float]]) -> dict:
    """The manifest's shape."""
    _, rank, _ = head.state_heads.inner.shape
    return layer_shape(head.shape, vocabulary) | {"steps": head.steps, "rank": rank, "accuracy": accuracy}


@torch.inference_mode()
def rank_accuracy(model: SmolLM, head: ChimeraHead, vocabulary: Tensor, chats: list[Chat]) -> list[list[float]]:
    """`[K][RANKS]`: how often the guess of each rank is the next token of the text, at each step behind a root of an answer."""
    rows = model.head[vocabulary]
    hits, places = torch.zeros(head.steps, RANKS), torch.zeros(head.steps, 1)
    for chat in chats:
        guesses = head.unroll(model.embedding[chat.tokens], chat.states.float(), head.steps)
        for step, states in enumerate(guesses):
            first = chat.answer_start + step
            best = vocabulary[(states[first:-1] @ rows.T).topk(RANKS).indices]
            hits[step] += (best == chat.tokens[first + 1 :, None]).sum(0)
            places[step] += len(best)
    return [[round(share, 4) for share in step] for step in (hits / places).tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write Chimera's trained network as int8 safetensors with a manifest.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/chimera.json"))
    parser.add_argument("--run", type=Path, default=Path("work/chimera"))
    parser.add_argument("--name", default="smollm2-chimera")
    parser.add_argument("--out", type=Path, default=Path("../packages/smollm2-heads"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    from .train_chimera import load_chimera
    from .training_run import CHECKPOINT, training_of

    recipe = json.loads(arguments.recipe.read_text())
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"])
    saved = torch.load(arguments.run / CHECKPOINT)
    folder = arguments.out / arguments.name
    weights = folder / WEIGHTS_FILE
    write_weights(load_chimera(model, arguments.run / CHECKPOINT), saved["vocabulary"], weights)
    head, vocabulary = read_weights(model.shape, weights)
    accuracy = rank_accuracy(model, head, vocabulary, greedy_answers(dataset))
    about = {
        "training": training_of(recipe, saved, dataset),
        "heldOut": {"chats": len(dataset.held_out)} | chain_tables(model, head, vocabulary, dataset, head.steps),
    }
    write_manifest(KIND, arguments.name, arguments.model, folder, shape_of(head, len(vocabulary), accuracy), about)
    print(json.dumps({"accuracy": accuracy} | about["heldOut"], indent=2))


if __name__ == "__main__":
    main()
