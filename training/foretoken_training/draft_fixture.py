"""What the runtime must compute for a feature head: its logits on a text and on a chain it drafts behind it.

    text     t_0 … t_n-1      with the target's states: row j has the state of j - 1
    chain    two more tokens  behind the last row: each has the head's own state of the row before

Without `--head` it writes a head with random weights beside its logits, for a tiny target. With `--head` it writes the logits of a trained head at
every `V' / 32`-th token of its vocabulary.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .artefact import WEIGHTS_FILE, write_manifest
from .draft_artefact import KIND, read_weights, shape_of, write_weights
from .draft_head import DraftHead
from .smollm import KeyValueCache, Layer, ModelShape, SmolLM, load_smollm
from .tokenizer import load_tokenizer

CHAIN = 2
RANDOM_TEXT, RANDOM_VOCABULARY = 6, 96
COLUMNS = 32
TEXT = "<|im_start|>user\nName three rivers of Europe.<|im_end|>\n<|im_start|>assistant\nThree rivers of Europe are the Danube, the Rhine"


def random_head(shape: ModelShape) -> DraftHead:
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


def logits_on(model: SmolLM, head: DraftHead, vocabulary: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """The target's states `[n, D]` and the head's logits `[n, V']`; the last `CHAIN` tokens are the chain."""
    length = len(tokens)
    states = model.states(tokens[None], torch.arange(length)[None], KeyValueCache(model.shape, 1, length))[0].clone()
    outputs = head.unroll(model.embedding[tokens], states, 1 + CHAIN)
    text = length - CHAIN
    # Row j of the text is step 1; the chain's first row is step 2 behind root text - 1, and so on.
    path = [outputs[0][:text]] + [outputs[1 + k][text + k : text + k + 1] for k in range(CHAIN)]
    return states, F.linear(torch.cat(path), model.head[vocabulary])


def write(path: Path, fixture: dict) -> None:
    rounded = lambda rows: [[round(value, 6) for value in row] for row in rows.tolist()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: rounded(v) if isinstance(v, Tensor) else v for k, v in fixture.items()}) + "\n")


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="Write the parity fixture of a feature head.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--head", type=Path, help="folder of a trained head")
    parser.add_argument("--out", type=Path, required=True, help="folder; with --head the JSON file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    model = load_smollm(arguments.model)
    shape = model.shape
    if arguments.head:
        head, vocabulary = read_weights(shape, arguments.head / WEIGHTS_FILE)
        tokens = torch.tensor(load_tokenizer(arguments.model).encode(TEXT, add_special_tokens=False).ids)
        columns = torch.arange(0, len(vocabulary), len(vocabulary) // COLUMNS)
        _, logits = logits_on(model, head.eval(), vocabulary, tokens)
        fixture = {"tokens": tokens.tolist(), "textLength": len(tokens) - CHAIN, "columns": columns.tolist()}
        write(arguments.out, fixture | {"logits": logits[:, columns]})
        return
    weights = arguments.out / WEIGHTS_FILE
    write_weights(random_head(shape), torch.randperm(shape.vocabulary)[:RANDOM_VOCABULARY].sort().values, weights)
    head, vocabulary = read_weights(shape, weights)
    tokens = torch.randint(0, shape.vocabulary, (RANDOM_TEXT + CHAIN,))
    states, logits = logits_on(model, head, vocabulary, tokens)
    note = {"note": "Random weights, by draft_fixture.py."}
    write_manifest(KIND, "tiny-head", arguments.model, arguments.out, shape_of(shape, RANDOM_VOCABULARY), note)
    write(
        arguments.out / "expected.json",
        {"tokens": tokens.tolist(), "textLength": RANDOM_TEXT, "states": states[: RANDOM_TEXT - 1], "logits": logits},
    )


if __name__ == "__main__":
    main()
