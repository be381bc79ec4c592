"""What the runtime must compute under a schedule: logits of a text whose later positions run fewer layers, without and with deltas.

    node -e 'import("@foretoken/testing").then((t) => fs.writeFileSync("tiny.gguf", t.tinyGguf(5, { layers: 6 })))'
    python -m foretoken_training.skip_fixture --model tiny.gguf --out ../plugins/skip-decode/src/__fixtures__
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .adapters import Adapters
from .skip_deltas import write_deltas
from .skip_schedule import SkipSchedule
from .smollm import SmolLM, load_smollm, rms_norm, rotary, rotate

PROMPT, TOKENS = 7, 24
SCHEDULE = SkipSchedule(most=5, fewest=3, warm_up=1, length=9, buckets=3)


@torch.no_grad()
def masked_states(model: SmolLM, tokens: Tensor, runs: Tensor) -> Tensor:
    """The slow way: every layer works on every row; where `runs` `[L, T]` is false its result is dropped and its keys are masked."""
    shape, rows = model.shape, len(tokens)
    cos, sin = rotary(torch.arange(rows), shape.head_size, shape.rope_theta)
    group = shape.heads // shape.key_value_heads
    x = model.embedding[tokens]
    for layer, ran in zip(model.layers, runs):
        heads = F.linear(rms_norm(x, layer.attention_norm, shape.norm_epsilon), layer.query_key_value)
        query, key, value = heads.view(rows, -1, shape.head_size).transpose(0, 1).split([shape.heads, *[shape.key_value_heads] * 2])
        key, value = rotate(key, cos, sin).repeat_interleave(group, 0), value.repeat_interleave(group, 0)
        scores = rotate(query, cos, sin) @ key.transpose(-1, -2) / shape.head_size**0.5
        visible = torch.ones(rows, rows, dtype=torch.bool).tril() & (ran | torch.eye(rows, dtype=torch.bool))
        attended = scores.masked_fill(~visible, -torch.inf).softmax(-1) @ value
        after = x + F.linear(attended.transpose(0, 1).reshape(rows, shape.width), layer.attention_output)
        gate, up = F.linear(rms_norm(after, layer.feed_forward_norm, shape.norm_epsilon), layer.gate_up).chunk(2, -1)
        x = torch.where(ran[:, None], after + F.linear(F.silu(gate) * up, layer.down), x)
    return rms_norm(x, model.final_norm, shape.norm_epsilon)


def runs_of(schedule: SkipSchedule, prompt: int, total: int, layers: int) -> Tensor:
    """Which layer runs at which position, `[L, T]`."""
    columns = torch.tensor(schedule.columns(prompt, total, layers))
    return torch.arange(total) < columns[:, None]


def random_adapters(model: SmolLM) -> Adapters:
    torch.manual_seed(9)
    adapters = Adapters(model, rank=1, scale=2)
    with torch.no_grad():
        for up in adapters.up.values():
            up.normal_(std=0.1)
    return adapters


def logits_under(model: SmolLM, tokens: Tensor, runs: Tensor) -> list[list[float]]:
    """Every eighth logit of the rows from the last one of the prompt on."""
    logits = F.linear(masked_states(model, tokens, runs), model.head)[PROMPT - 1 :]
    return [[round(value, 5) for value in row[::8]] for row in logits.tolist()]


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    arguments = parser.parse_args()
    model = load_smollm(arguments.model)
    tokens = torch.randint(3, 250, (TOKENS,), generator=torch.Generator().manual_seed(8))
    runs = runs_of(SCHEDULE, PROMPT, TOKENS, model.shape.layers)
    adapters = random_adapters(model)
    write_deltas(adapters, arguments.model, arguments.out / "deltas.safetensors")
    fixture = {
        "tokens": tokens.tolist(),
        "promptTokens": PROMPT,
        "schedule": vars(SCHEDULE),
        "runs": runs.T.int().tolist(),
        "logits": logits_under(model, tokens, runs),
        "adaptedLogits": logits_under(adapters.merge_into(model), tokens, runs),
    }
    (arguments.out / "expected.json").write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
