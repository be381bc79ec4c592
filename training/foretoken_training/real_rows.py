"""What probes of a text look at: keys and values of its real rows, and their residual streams at a few depths.

Both follow from the frozen model, so a text's real rows run once and are kept on disk, in float16.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .dataset import Chat
from .smollm import KeyValueCache, SmolLM

FOLDER = Path("work/real-rows")
DEPTHS = (14, 18, 20, 22, 24, 26, 30)
"""Where SmolLM2's probes join; 30 is the last layer."""


@dataclass(frozen=True)
class RealRows:
    """One text of `T` tokens.

    keys, values: `[L, key_value_heads, T, d]`, keys rotated.
    residuals: by layers passed, `[T, D]`; what leaves layer `t` of 1 … L has depth `t`.
    """

    keys: Tensor
    values: Tensor
    residuals: dict[int, Tensor]


def real_rows(model: SmolLM, tokens: Tensor, depths: tuple[int, ...]) -> RealRows:
    """Runs the text `[T]` once."""
    cache, residuals = KeyValueCache(model.shape, 1, len(tokens)), []
    model.states(tokens[None], torch.arange(len(tokens))[None], cache, residuals)
    # Clones of what inference mode made may be saved for a backward pass.
    return RealRows(cache.keys[:, 0], cache.values[:, 0], {depth: residuals[depth][0].clone() for depth in depths})


class RealRowsOnDisk:
    """The real rows of chats, a file each; a chat that was never asked for is run first."""

    def __init__(self, model: SmolLM, folder: Path = FOLDER, depths: tuple[int, ...] = DEPTHS):
        self.model, self.folder, self.depths = model, folder, depths
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, chat: Chat) -> RealRows:
        path = self.folder / f"chat-{chat.number}.safetensors"
        if not path.exists():
            self.write(path, real_rows(self.model, chat.tokens, self.depths))
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        return RealRows(tensors["keys"], tensors["values"], {depth: tensors[f"residuals.{depth}"] for depth in self.depths})

    def write(self, path: Path, rows: RealRows) -> None:
        tensors = {"keys": rows.keys, "values": rows.values} | {f"residuals.{t}": x for t, x in rows.residuals.items()}
        part = path.with_suffix(f".{id(rows)}.part")  # another run may write the same chat
        save_file({name: tensor.half() for name, tensor in tensors.items()}, part)
        part.rename(path)
