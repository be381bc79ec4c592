"""A trained draft head as an artefact: int8 matrices and float32 norms by the runtime's roles, and its vocabulary.

    layers.0.query           I8   [outputs, inputs], with layers.0.query.scales
    layers.0.attentionNorm   F32  [width]
    vocabulary               I32  [V']                       token ids; their rows of the target's head are the head's

Query and key rows are in the half-split rotary order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from .accuracy import chain_tables
from .artefact import WEIGHTS_FILE, read_tensors, write_manifest, write_tensors
from .dataset import load_dataset
from .draft_head import DraftHead
from .smollm import Layer, ModelShape, load_smollm

KIND = "feature-head"
STEPS = 4  # of the chains that are measured


def layer_matrices(head: nn.Module) -> dict[str, Tensor]:
    """Matrices of the one decoder layer of `head` by the runtime's roles; `head` names its parts as `Layer` does."""
    shape = head.shape
    key_value = shape.key_value_heads * shape.head_size
    query, key, value = head.query_key_value.split([shape.heads * shape.head_size, key_value, key_value])
    gate, up = head.gate_up.chunk(2)
    layer = {"query": query, "key": key, "value": value, "attentionOutput": head.attention_output}
    layer |= {"gate": gate, "up": up, "down": head.down}
    return {f"layers.0.{role}": matrix for role, matrix in layer.items()}


def norms(head: nn.Module) -> dict[str, Tensor]:
    """Norms of the decoder layer of `head`, and the one behind it."""
    vectors = {
        "layers.0.attentionNorm": head.attention_norm,
        "layers.0.feedForwardNorm": head.feed_forward_norm,
        "finalNorm": head.final_norm,
    }
    return {role: vector.float() for role, vector in vectors.items()}


def read_layer(tensors: dict[str, Tensor]) -> Layer:
    """The decoder layer of a file's tensors."""
    joined = lambda *roles: torch.cat([tensors[f"layers.0.{role}"] for role in roles])
    return Layer(
        attention_norm=tensors["layers.0.attentionNorm"],
        query_key_value=joined("query", "key", "value"),
        attention_output=joined("attentionOutput"),
        feed_forward_norm=tensors["layers.0.feedForwardNorm"],
        gate_up=joined("gate", "up"),
        down=joined("down"),
    )


def matrices(head: DraftHead) -> dict[str, Tensor]:
    """The head's matrices by the runtime's roles."""
    return {"inputProjection": head.input_projection} | layer_matrices(head)


def write_weights(head: DraftHead, vocabulary: Tensor, path: Path) -> None:
    write_tensors(path, matrices(head), {"vocabulary": vocabulary.to(torch.int32)} | norms(head))


def read_weights(shape: ModelShape, path: Path) -> tuple[DraftHead, Tensor]:
    """The head as the file holds it, dequantised, and its vocabulary."""
    tensors = read_tensors(path)
    head = DraftHead(shape, read_layer(tensors), tensors["finalNorm"], tensors["inputProjection"])
    return head, tensors["vocabulary"].long()


def shape_of(shape: ModelShape, vocabulary: int) -> dict:
    """The manifest's shape: a layer as the target's are, and `vocabulary` tokens it can draft."""
    return {
        "width": shape.width,
        "heads": shape.heads,
        "keyValueHeads": shape.key_value_heads,
        "headSize": shape.head_size,
        "feedForwardWidth": shape.feed_forward,
        "vocabulary": vocabulary,
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
    from .training_run import CHECKPOINT, training_of

    recipe = json.loads(arguments.recipe.read_text())
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats, recipe["shards"])
    saved = torch.load(arguments.run / CHECKPOINT)
    folder = arguments.out / arguments.name
    weights = folder / WEIGHTS_FILE
    write_weights(load_head(model, arguments.run / CHECKPOINT), saved["vocabulary"], weights)
    head, vocabulary = read_weights(model.shape, weights)
    about = {
        "training": training_of(recipe, saved, dataset),
        "heldOut": {"chats": len(dataset.held_out)} | chain_tables(model, head, vocabulary, dataset, STEPS),
    }
    write_manifest(KIND, arguments.name, arguments.model, folder, shape_of(model.shape, len(vocabulary)), about)
    print(json.dumps(about["heldOut"], indent=2))


if __name__ == "__main__":
    main()
