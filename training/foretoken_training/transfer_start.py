"""Where hidden transfer starts: the best linear guess of a later position's state from the anchor's, at the same depth.

    python -m foretoken_training.transfer_start --model $MODEL > results/smollm2-hidden-transfer/depths.jsonl

measures such maps at several depths, untrained.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .dataset import Chat, Dataset, greedy_answers, load_dataset
from .draft_start import solve
from .probe_accuracy import probe_accuracy
from .probes import HiddenTransfer
from .real_rows import DEPTHS, RealRowsOnDisk
from .smollm import SmolLM, load_smollm

RIDGE = 1e-2


@torch.no_grad()
def fit_transfer(store: RealRowsOnDisk, chats: list[Chat], prefix: int, depths: list[int]) -> HiddenTransfer:
    """Ridge regression from the state behind layer `depths[i - 1]` at position `j` to the one at `j + i`, positions `prefix` and later.

    A column is regularised by its own square, as a few columns of the stream are a hundred times as large as the others; the bias is not.
    """
    width = store.model.shape.width
    squares, products = torch.zeros(len(depths), width + 1, width + 1), torch.zeros(len(depths), width + 1, width)
    for chat in chats:
        residuals = store.of(chat).residuals
        for step, depth in enumerate(depths, start=1):
            states = residuals[depth][prefix:]
            inputs = torch.cat([states[:-step], torch.ones(len(states) - step, 1)], dim=1)
            squares[step - 1] += inputs.T @ inputs
            products[step - 1] += inputs.T @ states[step:]
    ridges = RIDGE * squares.diagonal(dim1=1, dim2=2)
    ridges[:, -1] = 0
    maps = torch.stack([solve(*parts) for parts in zip(squares, products, ridges)])
    return HiddenTransfer(depths, maps[:, :-1].transpose(1, 2), maps[:, -1])


def sweep(model: SmolLM, dataset: Dataset, store: RealRowsOnDisk, fitted: int, measured: int, stride: int, steps: int = 3) -> None:
    greedy = greedy_answers(dataset)[:measured]
    for depth in DEPTHS:
        transfer = fit_transfer(store, dataset.training[:fitted], dataset.prefix, [depth] * steps)
        accuracy = probe_accuracy(model, store, transfer, steps, greedy, stride)
        print(json.dumps({"depth": depth, "chatsFitted": fitted} | accuracy.table()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--chats", type=Path, default=Path("work/chats"))
    parser.add_argument("--chats-fitted", type=int, default=60)
    parser.add_argument("--chats-measured", type=int, default=8)
    parser.add_argument("--stride", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, dataset = load_smollm(arguments.model), load_dataset(arguments.chats)
    store = RealRowsOnDisk(model)
    sweep(model, dataset, store, arguments.chats_fitted, arguments.chats_measured, arguments.stride)


if __name__ == "__main__":
    main()
