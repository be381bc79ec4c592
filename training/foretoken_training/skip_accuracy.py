"""How far a model under a schedule is from itself with all layers, on held-out answers that the model with all layers wrote.

    python -m foretoken_training.skip_accuracy --model $MODEL --schedules 30/28 30/24 --warm-up 1 4
    python -m foretoken_training.skip_accuracy --model $MODEL --schedules 30/20 --run work/skip
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F

from .adapters import Adapters, load_adapters
from .dataset import Chat, greedy_answers, load_dataset
from .skip_model import scheduled_states
from .skip_schedule import SkipSchedule
from .smollm import SmolLM, load_smollm


@torch.no_grad()
def skip_accuracy(model: SmolLM, schedule: SkipSchedule, chats: list[Chat], adapters: Adapters | None = None) -> dict:
    """Divergence KL(all layers || schedule) in nats, and the share of positions whose likeliest token is the same; by bucket too.

    Positions are those whose row is fed while an answer is decoded; the row that draws the first token is the prompt's.
    """
    by_bucket: dict[int, list[tuple[float, float]]] = {}
    for chat in chats:
        columns = schedule.columns(chat.answer_start, len(chat.tokens), model.shape.layers)
        rows = slice(chat.answer_start, len(chat.tokens) - 1)
        states = scheduled_states(model, chat.tokens, columns, adapters)[rows]
        wanted = F.linear(chat.states[rows].float(), model.head).log_softmax(-1)
        got = F.linear(states, model.head).log_softmax(-1)
        divergence = F.kl_div(got, wanted, log_target=True, reduction="none").sum(-1)
        same = (wanted.argmax(-1) == got.argmax(-1)).float()
        for row in range(len(states)):
            by_bucket.setdefault(schedule.bucket(row), []).append((divergence[row].item(), same[row].item()))

    def means(pairs: list[tuple[float, float]]) -> dict:
        kl, agreement = (sum(values) / len(pairs) for values in zip(*pairs))
        return {"positions": len(pairs), "kl": round(kl, 4), "agreement": round(agreement, 4)}

    rows = [pair for pairs in by_bucket.values() for pair in pairs]
    mean = sum(len(pairs) * schedule.kept(bucket) for bucket, pairs in by_bucket.items()) / len(rows)
    buckets = [{"layers": schedule.kept(bucket)} | means(pairs) for bucket, pairs in sorted(by_bucket.items())]
    return means(rows) | {"meanLayers": round(mean, 2), "buckets": buckets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--schedules", nargs="+", required=True, help="most/fewest layers")
    parser.add_argument("--warm-up", nargs="+", type=int, default=[4])
    parser.add_argument("--length", type=int, default=192)
    parser.add_argument("--buckets", type=int, default=4)
    parser.add_argument("--most-chats", type=int)
    parser.add_argument("--run", type=Path, help="folder of a training run whose adapters are merged in")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/skip.json"), help="that run's recipe")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = load_smollm(arguments.model)
    if arguments.run is not None:
        model = load_adapters(model, json.loads(arguments.recipe.read_text()), arguments.run).merge_into(model)
    held_out = greedy_answers(load_dataset(arguments.chats))[: arguments.most_chats]
    for pair in arguments.schedules:
        most, fewest = map(int, pair.split("/"))
        for warm_up in arguments.warm_up:
            schedule = SkipSchedule(most, fewest, warm_up, arguments.length, arguments.buckets)
            print(json.dumps({"schedule": vars(schedule)} | skip_accuracy(model, schedule, held_out)), flush=True)


if __name__ == "__main__":
    main()
