"""What the runtime must compute: a head with random weights on a tiny target, and its logits on a text and a drafted chain.

    text     t_0 … t_5     with the target's states: row j has the state of j - 1
    chain    t_6 t_7       behind the last row: each has the head's own state of the row before
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F

from .artefact import MANIFEST_FILE, WEIGHTS_FILE, manifest, read_weights, write_weights
from .draft_head import DraftHead
from .smollm import KeyValueCache, Layer, load_smollm

TEXT, CHAIN, VOCABULARY = 6, 2, 96


def random_head(shape) -> DraftHead:
    width, key_value = shape.width, shape.key_value_heads * shape.head_size
    matrix = lambda outputs, inputs: torch.randn(outputs, inputs) / inputs**0.5
    norm = lambda: 1 + 0.1 * torch.randn(width)
    layer = Layer(
        attention_norm=norm(),
        query_key_value=matrix(width + 2 * key_value, width),
        attention_output=matrix(width, width),
        feed_forward_norm=norm(),
        gate_up=matrix(2 * shape.feed_forward, width),
        down=matrix(width, shape.feed_forward),
    )
    return DraftHead(shape, layer, norm(), matrix(width, 2 * width))


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="Write the parity fixture of feature heads.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file of a tiny model")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(7)
    model = load_smollm(arguments.model)
    shape = model.shape
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = arguments.out / WEIGHTS_FILE
    write_weights(random_head(shape), torch.randperm(shape.vocabulary)[:VOCABULARY].sort().values, weights)
    head, vocabulary = read_weights(shape, weights)

    tokens = torch.randint(0, shape.vocabulary, (TEXT + CHAIN,))
    states = model.states(tokens[None], torch.arange(TEXT + CHAIN)[None], KeyValueCache(shape, 1, TEXT + CHAIN))[0].clone()
    outputs = head.unroll(model.embedding[tokens], states, 1 + CHAIN)
    # Row j of the text is step 1; the chain's first row is step 2 behind root TEXT - 1, and so on.
    path = [outputs[0][:TEXT]] + [outputs[1 + k][TEXT + k : TEXT + k + 1] for k in range(CHAIN)]
    expected = F.linear(torch.cat(path), model.head[vocabulary])

    text = manifest("tiny-head", arguments.model, weights, shape, VOCABULARY, {"note": "Random weights, by draft_fixture.py."})
    (arguments.out / MANIFEST_FILE).write_text(json.dumps(text, indent=2) + "\n")
    numbers = lambda tensor: [[round(value, 6) for value in row] for row in tensor.tolist()]
    fixture = {"tokens": tokens.tolist(), "textLength": TEXT, "states": numbers(states[: TEXT - 1]), "logits": numbers(expected)}
    (arguments.out / "expected.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
