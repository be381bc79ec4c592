"""Adapts the upper layers to trained paddings, so that LUD is surer of more, while real rows keep saying what they said. Run again to go on.

    python -m foretoken_training.train_lexical_adapters --model $MODEL

Paddings stay as they are. Below the adapters nothing changes, so real rows are read where these begin; above, real rows and paddings
run as one text under one mask, as the adapters change what paddings see of real rows.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .adapters import Adapters, decoder_layer, load_adapters
from .dataset import Chat, greedy_answers
from .distill import sparse_divergence, sparse_law
from .lexical_threshold import confidences, threshold_table
from .probe_accuracy import probe_accuracy
from .probe_pass import probe_stream
from .probes import PromptTokens, trained_probes
from .real_rows import RealRowsOnDisk
from .smollm import SmolLM, rms_norm, rotary
from .train_lexical import LexicalTraining
from .training_run import CHECKPOINT, run_inputs, run_parser


def flat_mask(rows: int, anchors: Tensor, probes: int) -> tuple[Tensor, Tensor]:
    """Positions `[R]` and what sees what `[R, R]` when `rows` real rows stand before all groups, `R = rows + G n`."""
    group = torch.arange(len(anchors)).repeat_interleave(probes)
    positions = torch.cat([torch.arange(rows), (anchors[:, None] + 1 + torch.arange(probes)).flatten()])
    visible = torch.ones(len(positions), len(positions), dtype=torch.bool).tril()
    visible[rows:, :rows] = torch.arange(rows) <= anchors[group, None]
    visible[rows:, rows:] &= group == group[:, None]
    return positions, visible


def adapted_states(model: SmolLM, adapters: Adapters, x: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
    """Final-norm states `[R, D]` of rows whose stream `x` has passed the layers below the adapters."""
    cos, sin = rotary(positions, model.shape.head_size, model.shape.rope_theta)
    for index in range(adapters.first, model.shape.layers):
        x = decoder_layer(model, index, x, cos, sin, adapters, visible)
    return rms_norm(x, model.final_norm, model.shape.norm_epsilon)


class LexicalAdapterTraining(LexicalTraining):
    """The loss of paddings, and the divergence of the answer's real rows from the model as it was."""

    part = "adapters"

    def start(self) -> Adapters:
        self.store = self.open_store()
        self.paddings = self.trained_paddings()
        if "run" in self.recipe["start"]:
            return load_adapters(self.model, self.recipe, self.folder.parent / self.recipe["start"]["run"])
        return Adapters(self.model, self.recipe["rank"], self.recipe["scale"], self.recipe["firstLayer"])

    def trained_paddings(self) -> PromptTokens:
        return trained_probes(torch.load(self.folder.parent / self.recipe["paddings"] / CHECKPOINT)["probes"], None)

    @property
    def adapters(self) -> Adapters:
        return self.module

    def divergences(self, chat: Chat, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """KL to the target's law, of paddings `[G, n]` and of the answer's real rows."""
        real, first = self.store.of(chat), self.adapters.first
        with torch.no_grad():
            paddings = probe_stream(self.model, real, anchors, self.paddings.entries(real, anchors), first)
        positions, visible = flat_mask(len(chat.tokens), anchors, self.steps)
        x = torch.cat([real.residuals[first], paddings.flatten(0, 1)])
        states = adapted_states(self.model, self.adapters, x, positions, visible)[chat.answer_start - 1 :]
        law = sparse_law(chat.states[positions[chat.answer_start - 1 :]].float(), self.rows, self.recipe["topK"])
        every = sparse_divergence(F.linear(states, self.rows), *law)
        # The row of the answer's last token draws nothing.
        answer = len(chat.tokens) - chat.answer_start
        return every[answer + 1 :].view(len(anchors), self.steps), every[:answer]

    def update(self) -> Tensor:
        """One step of the optimiser; returns the mean divergence of each padding, then that of real rows, `[n + 1]`."""
        chats = self.batch()
        means = torch.zeros(self.steps + 1)
        for chat in chats:
            anchors = self.anchors(chat)
            paddings, base = self.divergences(chat, anchors)
            loss = (paddings * self.weights(chat, anchors)).sum() / len(anchors) + self.recipe["baseWeight"] * base.mean()
            (loss / len(chats)).backward()
            means += torch.cat([paddings.mean(0), base.mean()[None]]).detach() / len(chats)
        self.apply_gradients(sum(len(chat.tokens) for chat in chats))
        return means

    def measure(self, stride: int) -> dict:
        greedy = greedy_answers(self.dataset)
        merged = self.adapters.merge_into(self.model)
        store = RealRowsOnDisk(merged, self.folder / f"real-rows-{self.updates}", (self.model.shape.layers,))
        accuracy = probe_accuracy(merged, store, self.paddings, self.steps, greedy, stride)
        thresholds = threshold_table(*confidences(merged, store, self.paddings, greedy, stride))
        return accuracy.table() | {"thresholds": thresholds, "base": base_divergence(merged, self.model, store, greedy)}


@torch.inference_mode()
def base_divergence(merged: SmolLM, model: SmolLM, store: RealRowsOnDisk, chats: list[Chat]) -> dict:
    """How far the adapted model is from the model on the answers' rows: nats, and the share of rows with the same likeliest token."""
    divergences, same = [], []
    for chat in chats:
        rows = slice(chat.answer_start - 1, len(chat.tokens) - 1)
        states = rms_norm(store.of(chat).residuals[model.shape.layers][rows], model.final_norm, model.shape.norm_epsilon)
        got = F.linear(states, merged.head).log_softmax(-1)
        wanted = F.linear(chat.states[rows].float(), model.head).log_softmax(-1)
        divergences.append(F.kl_div(got, wanted, log_target=True, reduction="none").sum(-1))
        same.append((got.argmax(-1) == wanted.argmax(-1)).float())
    return {"kl": round(torch.cat(divergences).mean().item(), 4), "agreement": round(torch.cat(same).mean().item(), 4)}


def main() -> None:
    parser = run_parser(__doc__, "lud-adapters")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; run again to go on")
    parser.add_argument("--stride", type=int, default=8, help="anchors measured at the end: every so many")
    arguments = parser.parse_args()
    training = LexicalAdapterTraining(*run_inputs(arguments))
    training.run(arguments.seconds)
    training.log({"heldOut": training.measure(arguments.stride)})


if __name__ == "__main__":
    main()
