"""Trains LUD's paddings: probes that shall know when they are sure. Run again to go on.

    python -m foretoken_training.train_lexical --model $MODEL

A lexical unit is a run of at least two tokens of an answer, each of which the target expected with at least `unitThreshold`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .dataset import Chat
from .probe_accuracy import answer_anchors
from .train_probes import ProbeTraining
from .training_run import run_inputs, run_parser


def expected(chat: Chat, head: Tensor) -> Tensor:
    """The target's probability of each token of the text `[T]`; that of the first is unknown and 0."""
    laws = F.linear(chat.states[:-1].float(), head).softmax(-1)
    return F.pad(laws.gather(-1, chat.tokens[1:, None])[:, 0], (1, 0))


def within_unit(confident: Tensor, anchors: Tensor, probes: int) -> Tensor:
    """Whether the token that a probe guesses belongs to the unit of the one its anchor draws, `[G, n]`.

    Args:
        confident: whether the target expected a token, `[T]`.
    """
    run = confident[anchors[:, None] + 1 + torch.arange(1 + probes)]
    return run.long().cumprod(dim=1)[:, 1:].bool()


class LexicalTraining(ProbeTraining):
    """Anchors inside units, and others among them, so that paddings also learn to be unsure."""

    def confident(self, chat: Chat) -> Tensor:
        return expected(chat, self.model.head) >= self.recipe["unitThreshold"]

    def anchors(self, chat: Chat) -> Tensor:
        """Such that `otherShare` of them continue no unit, where there are enough."""
        every, most = answer_anchors(chat, self.steps), self.recipe["groups"]
        random = torch.Generator().manual_seed(self.recipe["seed"] + 1_000_003 * self.updates + chat.number)
        every = every[torch.randperm(len(every), generator=random)]
        continues = within_unit(self.confident(chat), every, 1)[:, 0]
        others = every[~continues][: round(most * self.recipe["otherShare"])]
        return torch.cat([every[continues][: most - len(others)], others])

    def weights(self, chat: Chat, anchors: Tensor) -> Tensor:
        inside = within_unit(self.confident(chat), anchors, self.steps)
        return super().weights(chat, anchors) * torch.where(inside, 1.0, self.recipe["otherWeight"])


def main() -> None:
    parser = run_parser(__doc__, "lud")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; run again to go on")
    parser.add_argument("--stride", type=int, default=4, help="anchors measured at the end: every so many")
    arguments = parser.parse_args()
    training = LexicalTraining(*run_inputs(arguments))
    training.run(arguments.seconds)
    training.log({"heldOut": training.measure(arguments.stride)})


if __name__ == "__main__":
    main()
