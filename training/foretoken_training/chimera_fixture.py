"""What the runtime must compute for Chimera's network: its logits on a path that it drafts behind a text.

    text     t_0 … t_n-1     with the target's states
    path     K more tokens   the root and what follows: the query row of each, one step deeper than the one before

Without `--head` it writes a network with random weights beside its logits, for a tiny target. With `--head` it writes the logits of a trained
network at every `V' / 32`-th token of its vocabulary.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .artefact import WEIGHTS_FILE, write_manifest
from .chimera_artefact import KIND, read_weights, shape_of, write_weights
from .chimera_head import ChimeraHead
from .draft_fixture import COLUMNS, RANDOM_VOCABULARY, TEXT, random_head, write
from .smollm import KeyValueCache, Layer, ModelShape, SmolLM, load_smollm
from .tokenizer import load_tokenizer

RANDOM_TEXT, RANDOM_STEPS, RANDOM_RANK = 6, 3, 32
RANDOM_ACCURACY = [[0.4, 0.2, 0.1]] * RANDOM_STEPS


@torch.no_grad()
def random_network(shape: ModelShape) -> ChimeraHead:
    """A network whose parts all matter; its step heads are near the identity."""
    like = random_head(shape)
    layer = Layer(**{name: getattr(like, name).detach() for name in Layer.__dataclass_fields__})
    head = ChimeraHead(shape, layer, like.final_norm.detach(), RANDOM_STEPS, RANDOM_RANK)
    for heads in (head.residual_heads, head.state_heads):
        heads.diagonal.add_(0.3 * torch.randn_like(heads.diagonal))
        heads.outer.copy_(torch.randn_like(heads.outer) / RANDOM_RANK**0.5)
    return head


@torch.no_grad()
def logits_on(model: SmolLM, head: ChimeraHead, vocabulary: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """The target's states `[n, D]` and the network's logits on the path `[K, V']`: the last `K` tokens."""
    length = len(tokens)
    states = model.states(tokens[None], torch.arange(length)[None], KeyValueCache(model.shape, 1, length))[0].clone()
    guesses = head.unroll(model.embedding[tokens], states, head.steps)
    text = length - head.steps
    path = torch.stack([guesses[step][text + step] for step in range(head.steps)])
    return states[:text], F.linear(path, model.head[vocabulary])


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="Write the parity fixture of Chimera's network.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--head", type=Path, help="folder of a trained network")
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
        states, logits = logits_on(model, head, vocabulary, tokens)
        write(arguments.out, {"tokens": tokens.tolist(), "textLength": len(states), "columns": columns.tolist(), "logits": logits[:, columns]})
        return
    weights = arguments.out / WEIGHTS_FILE
    chosen = torch.randperm(shape.vocabulary)[:RANDOM_VOCABULARY].sort().values
    write_weights(random_network(shape), chosen, weights)
    head, vocabulary = read_weights(shape, weights)
    tokens = torch.randint(0, shape.vocabulary, (RANDOM_TEXT + RANDOM_STEPS,))
    states, logits = logits_on(model, head, vocabulary, tokens)
    about = {"note": "Random weights, by chimera_fixture.py."}
    write_manifest(KIND, "tiny-chimera", arguments.model, arguments.out, shape_of(head, RANDOM_VOCABULARY, RANDOM_ACCURACY), about)
    write(arguments.out / "expected.json", {"tokens": tokens.tolist(), "textLength": len(states), "logits": logits})


if __name__ == "__main__":
    main()
