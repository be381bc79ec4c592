"""Trained adapters as a file of deltas, which the runtime adds to the model's weights when it loads them.

    layers.0.query.up     F32  [outputs, rank]     the matrix changes by up @ down; the adapters' scale is in up
    layers.0.query.down   F32  [rank, inputs]
    metadata: base        SHA-256 of the GGUF file

Rows of query and key are in the half-split rotary order.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from .adapters import Adapters, load_adapters
from .smollm import ModelShape, load_smollm


def parts_of(shape: ModelShape) -> dict[str, dict[str, int]]:
    """The runtime's matrices inside each of ours, in order, with their outputs."""
    key_value = shape.key_value_heads * shape.head_size
    return {
        "query_key_value": {"query": shape.heads * shape.head_size, "key": key_value, "value": key_value},
        "attention_output": {"attentionOutput": shape.width},
        "gate_up": {"gate": shape.feed_forward, "up": shape.feed_forward},
        "down": {"down": shape.width},
    }


def delta_tensors(adapters: Adapters, shape: ModelShape) -> dict[str, Tensor]:
    tensors = {}
    for layer in range(adapters.first, shape.layers):
        for name, parts in parts_of(shape).items():
            up = (adapters.scale * adapters.up[f"{layer}-{name}"]).detach().split(list(parts.values()))
            for role, rows in zip(parts, up):
                tensors[f"layers.{layer}.{role}.up"] = rows.clone()
                tensors[f"layers.{layer}.{role}.down"] = adapters.down[f"{layer}-{name}"].detach().clone()
    return tensors


def write_deltas(adapters: Adapters, model_file: Path, path: Path) -> None:
    base = hashlib.sha256(model_file.read_bytes()).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(delta_tensors(adapters, load_smollm(model_file).shape), path, metadata={"base": base})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/skip.json"))
    parser.add_argument("--run", type=Path, default=Path("work/skip"), help="folder of the training run")
    parser.add_argument("--out", type=Path, default=Path("work/skip/deltas.safetensors"))
    arguments = parser.parse_args()
    recipe = json.loads(arguments.recipe.read_text())
    adapters = load_adapters(load_smollm(arguments.model), recipe, arguments.run)
    write_deltas(adapters, arguments.model, arguments.out)


if __name__ == "__main__":
    main()
