"""A trained head as files: int8 matrices in blocks of 32 in `model.safetensors`, and `manifest.json`, which says what it is and
which weights it belongs to.

    layers.0.query           I8   [outputs, inputs]
    layers.0.query.scales    F16  [outputs, inputs / 32]     weight = scale of its block * integer
    layers.0.attentionNorm   F32  [width]
    vocabulary               I32  [V']                       token ids; their rows of the target's head are the head's

Query and key rows are in the half-split rotary order.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .accuracy import chain_accuracy
from .dataset import Dataset, load_dataset
from .draft_head import DraftHead
from .smollm import ModelShape, SmolLM, load_smollm

BLOCK = 32
WEIGHTS_FILE = "model.safetensors"
MANIFEST_FILE = "manifest.json"


def quantize(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Integers `[outputs, inputs]` in -127 … 127 and scales `[outputs, inputs / 32]` in float16."""
    blocks = matrix.detach().float().unflatten(-1, (-1, BLOCK))
    scales = (blocks.abs().amax(-1) / 127).half()
    divisors = scales.float().clamp_min(torch.finfo(torch.float32).tiny)
    return (blocks / divisors[..., None]).round().clamp(-127, 127).to(torch.int8).flatten(-2), scales


def dequantize(integers: Tensor, scales: Tensor) -> Tensor:
    return (integers.float().unflatten(-1, (-1, BLOCK)) * scales.float()[..., None]).flatten(-2)


def matrices(head: DraftHead) -> dict[str, Tensor]:
    """The head's matrices by the runtime's roles."""
    shape = head.shape
    key_value = shape.key_value_heads * shape.head_size
    query, key, value = head.query_key_value.split([shape.heads * shape.head_size, key_value, key_value])
    gate, up = head.gate_up.chunk(2)
    layer = {"query": query, "key": key, "value": value, "attentionOutput": head.attention_output}
    layer |= {"gate": gate, "up": up, "down": head.down}
    return {"inputProjection": head.input_projection} | {f"layers.0.{role}": matrix for role, matrix in layer.items()}


def vectors(head: DraftHead) -> dict[str, Tensor]:
    return {
        "layers.0.attentionNorm": head.attention_norm,
        "layers.0.feedForwardNorm": head.feed_forward_norm,
        "finalNorm": head.final_norm,
    }


def write_weights(head: DraftHead, vocabulary: Tensor, path: Path) -> None:
    tensors = {"vocabulary": vocabulary.to(torch.int32)}
    for role, matrix in matrices(head).items():
        tensors[role], tensors[f"{role}.scales"] = quantize(matrix)
    for role, vector in vectors(head).items():
        tensors[role] = vector.detach().float()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def read_weights(shape: ModelShape, path: Path) -> tuple[DraftHead, Tensor]:
    """The head as the file holds it, dequantised, and its vocabulary."""
    tensors = load_file(path)
    matrix = lambda role: dequantize(tensors[role], tensors[f"{role}.scales"])
    layer = lambda *roles: torch.cat([matrix(f"layers.0.{role}") for role in roles])
    parts = {
        "attention_norm": tensors["layers.0.attentionNorm"],
        "query_key_value": layer("query", "key", "value"),
        "attention_output": layer("attentionOutput"),
        "feed_forward_norm": tensors["layers.0.feedForwardNorm"],
        "gate_up": layer("gate", "up"),
        "down": layer("down"),
        "final_norm": tensors["finalNorm"],
        "input_projection": matrix("inputProjection"),
    }
    return DraftHead.from_parts(shape, parts), tensors["vocabulary"].long()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dequantized_hash(gguf_path: Path) -> str:
    """SHA-256 of a GGUF's weights as float32, little-endian: tensors in order of their names, rows as the file orders them. Equal for
    files that hold the same numbers in another format."""
    digest = hashlib.sha256()
    for tensor in sorted(gguf.GGUFReader(gguf_path).tensors, key=lambda t: t.name):
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return digest.hexdigest()


def manifest(name: str, base: Path, weights: Path, shape: ModelShape, vocabulary: int, about: dict) -> dict:
    """What a reader must know, then what a person wants to know (`about`)."""
    return {
        "format": "foretoken-head",
        "version": 1,
        "kind": "feature-head",
        "name": name,
        "base": {"file": base.name, "sha256": sha256(base), "dequantizedSha256": dequantized_hash(base)},
        "dtype": f"int8, blocks of {BLOCK}",
        "weights": {"file": weights.name, "bytes": weights.stat().st_size, "sha256": sha256(weights)},
        "shape": {
            "width": shape.width,
            "heads": shape.heads,
            "keyValueHeads": shape.key_value_heads,
            "headSize": shape.head_size,
            "feedForwardWidth": shape.feed_forward,
            "vocabulary": vocabulary,
        },
    } | about


def accuracy_tables(model: SmolLM, head: DraftHead, vocabulary: Tensor, dataset: Dataset, steps: int = 4) -> dict:
    rows = model.head[vocabulary]
    kinds = {"greedy": lambda t: t == 0, "temperature 0.6": lambda t: 0 < t < 1, "temperature 1": lambda t: t == 1}
    return {
        kind: chain_accuracy(head, rows, vocabulary, model.embedding, [c for c in dataset.held_out if is_of(c.temperature)], steps).table()
        for kind, is_of in kinds.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a trained draft head as int8 safetensors with a manifest.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/draft.json"))
    parser.add_argument("--run", type=Path, default=Path("work/draft"))
    parser.add_argument("--name", default="smollm2-draft")
    parser.add_argument("--out", type=Path, default=Path("../packages/smollm2-heads"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    from .train_draft import load_head
    from .training_run import CHECKPOINT

    recipe = json.loads(arguments.recipe.read_text())
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"])
    saved = torch.load(arguments.run / CHECKPOINT)
    folder = arguments.out / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / WEIGHTS_FILE
    write_weights(load_head(model, arguments.run / CHECKPOINT), saved["vocabulary"], weights)
    head, vocabulary = read_weights(model.shape, weights)
    about = {
        "training": {
            "recipe": recipe,
            "seed": recipe["seed"],
            "updates": saved["updates"],
            "tokens": saved["visited"],
            "data": {"sha256": dataset.hash, "chats": len(dataset.training), "tokens": dataset.tokens},
        },
        "heldOut": {"chats": len(dataset.held_out)} | accuracy_tables(model, head, vocabulary, dataset),
    }
    text = manifest(arguments.name, arguments.model, weights, model.shape, len(vocabulary), about)
    (folder / MANIFEST_FILE).write_text(json.dumps(text, indent=2) + "\n")
    print(json.dumps(text["heldOut"], indent=2))


if __name__ == "__main__":
    main()
