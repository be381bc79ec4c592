"""Trains Chimera's network on written chats. Run again to go on from the last checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional as F

from .chimera_head import ChimeraHead
from .chimera_start import chimera_from_layer
from .dataset import Chat
from .distill import relative_error, sparse_divergence
from .smollm import Layer, SmolLM
from .train_draft import DraftTraining
from .training_run import CHECKPOINT, run_inputs, run_parser


def load_chimera(model: SmolLM, checkpoint: Path) -> ChimeraHead:
    """The network of a training run."""
    weights = torch.load(checkpoint)["head"]
    steps, rank, _ = weights["state_heads.inner"].shape
    layer = Layer(**{name: weights[name] for name in Layer.__dataclass_fields__})
    head = ChimeraHead(model.shape, layer, weights["final_norm"], steps, rank)
    head.load_state_dict(weights)
    return head


class ChimeraTraining(DraftTraining):
    """A network whose steps are unrolled, two at first and then all."""

    def start(self) -> ChimeraHead:
        """The network before the first update: a layer of the target, or where another run ended."""
        recipe, start = self.recipe, self.recipe["start"]
        if "layer" in start:
            chats = self.dataset.training[: start["chats"]]
            head = chimera_from_layer(self.model, chats, start["layer"], len(recipe["stepWeights"]), recipe["rank"])
        else:
            head = load_chimera(self.model, self.folder.parent / start["run"] / CHECKPOINT)
        head.dropout = recipe["dropout"]
        self.laws: dict[int, tuple] = {}
        return head

    def loss(self, chat: Chat) -> tuple[torch.Tensor, list[float]]:
        """Weighted sum over steps of the divergence, plus the weighted error of the first step's states, mean over positions; and the
        divergence of each step. Training computes the divergence at a random share of the positions."""
        recipe, states = self.recipe, chat.states.float()
        indices, probabilities = self.law(chat)
        size = recipe["featureNoise"] if self.head.training else 0
        noise = size * states.square().mean(-1, keepdim=True).sqrt() * (2 * torch.rand(states.shape) - 1)
        steps = self.head.unrolled(self.model.embedding[chat.tokens], states + noise, self.steps)
        share = recipe["headShare"] if self.head.training else 1
        total, divergences = torch.zeros(()), []
        for step, output in enumerate(steps):
            rows = torch.arange(self.dataset.prefix + step, len(states))
            rows = rows[torch.rand(len(rows)) <= share]
            logits = F.linear(output.guesses[rows], self.rows)
            divergence = sparse_divergence(logits, indices[rows], probabilities[rows]).mean()
            total = total + recipe["stepWeights"][step] * divergence
            divergences.append(divergence.item())
        first = self.dataset.prefix
        error = relative_error(steps[0].states[first:], states[first:]).mean()
        return total + recipe["stateWeight"] * error, divergences


def main() -> None:
    arguments = run_parser(__doc__, "chimera").parse_args()
    ChimeraTraining(*run_inputs(arguments)).run()


if __name__ == "__main__":
    main()
