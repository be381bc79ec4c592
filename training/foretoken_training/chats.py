"""Chats the model writes itself: it draws a user message after the chat template's user header, then answers it.

Every chat is one stream through the model. A batch holds many streams; a stream that ends makes room for the next.
Final-norm states come out of the same passes, so heads are trained without another pass over the text.

    system prefix | <|im_start|>user\\n opening | drawn message <|im_end|> | \\n<|im_start|>assistant\\n | drawn answer <|im_end|>
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from .smollm import KeyValueCache, SmolLM, load_smollm
from .tokenizer import load_tokenizer

SYSTEM = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
USER = "<|im_start|>user\n"
ASSISTANT = "\n<|im_start|>assistant\n"
END = "<|im_end|>"
CHATS_PER_SHARD = 32
NUCLEUS_LIMIT = 2000  # a nucleus of more tokens than this is cut


def draw(logits: np.ndarray, temperature: float, top_p: float, uniform: float) -> int:
    """One token of `logits` `[V]` by inverse CDF in token order; temperature 0 is argmax."""
    if temperature == 0:
        return int(logits.argmax())
    ids = np.arange(len(logits))
    if top_p < 1:
        likeliest = np.argpartition(logits, -NUCLEUS_LIMIT)[-NUCLEUS_LIMIT:]
        likeliest = likeliest[np.argsort(-logits[likeliest])]
        mass = np.exp((logits[likeliest] - logits.max()) / temperature).cumsum()
        ids = np.sort(likeliest[: int(np.searchsorted(mass, top_p * mass[-1])) + 1])
    cumulative = np.exp((logits[ids] - logits.max()).astype(np.float64) / temperature).cumsum()
    return int(ids[np.searchsorted(cumulative, uniform * cumulative[-1], side="right")])


def repeats(tokens: list[int], longest_period: int = 24, copies: int = 4) -> bool:
    """Whether a text ends in `copies` copies of one piece, of at least 32 tokens together."""
    for period in range(1, longest_period + 1):
        length = max(period * copies, 32)
        tail = tokens[-length:]
        if len(tail) == length and tail[period:] == tail[:-period]:
            return True
    return False


@dataclass
class Stream:
    """One chat while it is written."""

    number: int
    temperature: float
    random: np.random.Generator
    forced: list[int]
    tokens: list[int] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)
    prompt_start: int = 0
    answer_start: int = 0


class ChatWriter:
    """Writes chats in a batch of streams."""

    def __init__(self, model: SmolLM, tokenizer: Tokenizer, recipe: dict):
        ids = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
        self.model, self.recipe = model, recipe
        self.system, self.user, self.assistant = ids(SYSTEM), ids(USER), ids(ASSISTANT)
        self.end = tokenizer.token_to_id(END)
        self.control = set(range(17))  # SmolLM2's control tokens come first; a user message holds none
        self.openings = [ids(opening.rstrip(" ")) for opening in recipe["openings"]]
        longest_opening = max(map(len, self.openings))
        fixed = len(self.system) + len(self.user) + len(self.assistant) + longest_opening
        self.capacity = fixed + recipe["longestPrompt"] + recipe["longestAnswer"] + 4
        self.cache = KeyValueCache(model.shape, recipe["batch"], self.capacity)
        prefix = torch.tensor([self.system])
        shared = KeyValueCache(model.shape, 1, len(self.system))
        self.system_states = model.states(prefix, torch.arange(len(self.system))[None], shared)[0].half()
        self.cache.keys[:, :, :, : len(self.system)] = shared.keys
        self.cache.values[:, :, :, : len(self.system)] = shared.values

    def start(self, number: int) -> Stream:
        random = np.random.Generator(np.random.Philox(key=[self.recipe["seed"], number]))
        opening: list[int] = []
        if random.random() < self.recipe["openingShare"]:
            opening = self.openings[random.integers(len(self.openings))]
        temperatures = self.recipe["answerTemperatures"]
        temperature = temperatures[random.integers(len(temperatures))]
        stream = Stream(number, temperature, random, forced=[*self.user, *opening])
        stream.tokens = list(self.system)
        stream.states = list(self.system_states)
        stream.prompt_start = len(self.system) + len(self.user)
        return stream

    def next_token(self, stream: Stream, logits: np.ndarray) -> int:
        """The token after the last one of the stream, drawn or forced."""
        if stream.forced:
            return stream.forced.pop(0)
        written = len(stream.tokens) - (stream.answer_start or stream.prompt_start)
        if stream.answer_start:
            too_long = written >= self.recipe["longestAnswer"] or repeats(stream.tokens[stream.answer_start :])
            token = self.end if too_long else draw(logits, stream.temperature, 1, stream.random.random())
            return self.end if token in self.control else token
        token = self.end
        if written < self.recipe["longestPrompt"]:
            settings = self.recipe["prompt"]
            token = draw(logits, settings["temperature"], settings["topP"], stream.random.random())
        if token in self.control:
            stream.forced = list(self.assistant)
            stream.answer_start = len(stream.tokens) + 1 + len(self.assistant)
            return self.end
        return token

    def write(self, numbers, save, log=print) -> None:
        """Writes the chats `numbers` (an iterator) and hands each finished stream to `save`."""
        streams: list[Stream | None] = [None] * self.recipe["batch"]
        pending = [0] * len(streams)  # the newest token of each stream, not fed yet
        started, fed = time.time(), 0
        while True:
            for slot, stream in enumerate(streams):
                if stream is None and (number := next(numbers, None)) is not None:
                    streams[slot] = self.start(number)
                    pending[slot] = streams[slot].forced.pop(0)
            active = [slot for slot, stream in enumerate(streams) if stream]
            if not active:
                return
            tokens = torch.tensor(pending)[:, None]
            positions = torch.tensor([[len(s.tokens)] if s else [0] for s in streams])
            states = self.model.states(tokens, positions, self.cache)[:, 0]
            drawing = [slot for slot in active if not streams[slot].forced]
            logits = (states[drawing] @ self.model.head.T).numpy()
            rows = dict(zip(drawing, logits))
            for slot in active:
                stream = streams[slot]
                stream.tokens.append(pending[slot])
                stream.states.append(states[slot].half())
                fed += 1
                if stream.answer_start and len(stream.tokens) > stream.answer_start and pending[slot] == self.end:
                    save(stream)
                    streams[slot] = None
                else:
                    pending[slot] = self.next_token(stream, rows.get(slot))
            if fed % 3200 < len(active):
                log(f"{fed} tokens, {fed / (time.time() - started):.0f} tokens/s", flush=True)


class Shards:
    """Finished chats on disk, `CHATS_PER_SHARD` to a file; a file is whole or absent."""

    def __init__(self, folder: Path):
        self.folder, self.waiting = folder, []
        folder.mkdir(parents=True, exist_ok=True)
        self.files = sorted(folder.glob("chats-*.safetensors"))
        self.done: set[int] = set()
        for file in self.files:
            self.done.update(load_file(file)["numbers"].tolist())

    def save(self, stream: Stream) -> None:
        self.waiting.append(stream)
        if len(self.waiting) == CHATS_PER_SHARD:
            self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        chats, self.waiting = self.waiting, []
        path = self.folder / f"chats-{len(self.files):04}.safetensors"
        whole = lambda values: torch.tensor(values, dtype=torch.int32)
        tensors = {
            "numbers": whole([chat.number for chat in chats]),
            "lengths": whole([len(chat.tokens) for chat in chats]),
            "answerStarts": whole([chat.answer_start for chat in chats]),
            "temperatures": torch.tensor([chat.temperature for chat in chats]),
            "tokens": whole([token for chat in chats for token in chat.tokens]),
            "states": torch.stack([state for chat in chats for state in chat.states]),
        }
        save_file(tensors, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)
        self.files.append(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Let the model write chats; run again to go on.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/chats.json"))
    parser.add_argument("--out", type=Path, default=Path("work/chats"))
    parser.add_argument("--first", type=int, default=0, help="number of the first chat; other numbers are other chats")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = json.loads(arguments.recipe.read_text())
    shards = Shards(arguments.out)
    writer = ChatWriter(load_smollm(arguments.model), load_tokenizer(arguments.model), recipe)
    numbers = (number for number in range(arguments.first, arguments.first + recipe["chats"]) if number not in shards.done)
    with torch.inference_mode():
        writer.write(numbers, shards.save)
    shards.flush()


if __name__ == "__main__":
    main()
