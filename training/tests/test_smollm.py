import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny
from foretoken_training.smollm import KeyValueCache, load_smollm

SHARED = Path(os.environ.get("FORETOKEN_SHARED", Path(__file__).parents[3] / "shared")) / "fixtures"


def test_a_batch_in_pieces_is_each_text_at_once():
    torch.manual_seed(3)
    model = tiny.model()
    tokens = torch.randint(0, tiny.SHAPE.vocabulary, (2, 6))
    positions = torch.arange(6).expand(2, -1)
    cache = KeyValueCache(tiny.SHAPE, 2, 8)
    pieces = [model.states(tokens[:, part], positions[:, part], cache) for part in (slice(0, 4), slice(4, 6))]
    for text in range(2):
        whole = model.states(tokens[text : text + 1], positions[:1], KeyValueCache(tiny.SHAPE, 1, 6))
        torch.testing.assert_close(torch.cat(pieces, 1)[text], whole[0], atol=1e-5, rtol=1e-5)


def test_texts_of_a_batch_may_have_other_lengths():
    torch.manual_seed(4)
    model = tiny.model()
    cache = KeyValueCache(tiny.SHAPE, 2, 8)
    long, short = torch.randint(0, tiny.SHAPE.vocabulary, (5,)), torch.randint(0, tiny.SHAPE.vocabulary, (2,))
    for text, tokens in enumerate((long, short)):
        own = KeyValueCache(tiny.SHAPE, 1, 8)
        model.states(tokens[None, :-1], torch.arange(len(tokens) - 1)[None], own)
        cache.keys[:, text], cache.values[:, text] = own.keys[:, 0], own.values[:, 0]
    together = model.states(torch.stack([long[-1:], short[-1:]]), torch.tensor([[4], [1]]), cache)
    for text, tokens in enumerate((long, short)):
        alone = model.states(tokens[None], torch.arange(len(tokens))[None], KeyValueCache(tiny.SHAPE, 1, 8))
        torch.testing.assert_close(together[text, 0], alone[0, -1], atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared fixtures are not there")
@pytest.mark.parametrize("name", ["llama-F16", "llama-untied-F32"])
def test_logits_are_those_of_other_programs(name):
    reference = SHARED / "reference" / name.rsplit("-", 1)[0]
    index = json.loads(reference.with_suffix(".json").read_text())
    data = reference.with_suffix(".bin").read_bytes()
    model = load_smollm(SHARED / "gguf" / f"{name}.gguf")
    sequence = next(s for s in index["sequences"] if s["name"] == "forty")
    rows, columns = sequence["logits"]["shape"]
    expected = np.frombuffer(data, "<f4", rows * columns, sequence["logits"]["offset"]).reshape(rows, columns)
    tokens = torch.tensor(sequence["tokens"])[None]
    states = model.states(tokens, torch.arange(rows)[None], KeyValueCache(model.shape, 1, rows))
    difference = np.abs((states[0] @ model.head.T).numpy() - expected).max()
    if name == "llama-untied-F32":
        assert difference > 1e-2  # its rotary frequencies are scaled, which this model does not read
    else:
        assert difference < 1e-4
