"""Right and wrong answers to questions made by script, so that the place of every mistake is known.

    python -m foretoken_training.judge_data --out work/judge

A line of `answers.jsonl` is a question with its answers:

    {"id", "family", "split", "messages": [...], "sampled": bool, "right": ["..."], "slots": [[[start, end], ...], ...],
     "wrong": [{"answer", "start", "end"}], "slips": [{"answer", "start", "end"}]}

An answer is wrong from the character `start` to `end`, where it ends: what would follow is right only behind a false premise. Slots are the places
of the right answers where a value stands; elsewhere another wording may be right. A slip is a word of the conversation at a place where it does
not belong: most drafts that a target refuses are of that kind, and not wrong values.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Callable

from .judge_families import FAMILIES, Example, Slot

ANSWERS_FILE = "answers.jsonl"


@dataclass(frozen=True)
class Answer:
    """Text, and where its values stand."""

    text: str
    slots: list[tuple[int, int]]


def render(parts: tuple[str | Slot, ...]) -> Answer:
    text, slots = "", []
    for part in parts:
        if isinstance(part, Slot):
            slots.append((len(text), len(text) + len(part.value)))
            text += part.value
        else:
            text += part
    return Answer(text, slots)


def corrupt(parts: tuple[str | Slot, ...], random: Random) -> dict | None:
    """The answer up to a value that was replaced; the mistake begins at the first character that differs."""
    places = [index for index, part in enumerate(parts) if isinstance(part, Slot)]
    place = random.choice(places)
    slot = parts[place]
    others = [other for other in slot.others if other != slot.value and not slot.value.startswith(other)]
    if not others:
        return None
    other = random.choice(others)
    before = render(parts[:place]).text
    same = next(i for i, pair in enumerate(zip(other + "\0", slot.value + "\0")) if pair[0] != pair[1])
    return {"answer": before + other, "start": len(before) + same, "end": len(before) + len(other)}


def slip(question: str, text: str, random: Random) -> dict | None:
    """The answer up to a word that was replaced by another one of question and answer."""
    words = text.split(" ")
    place = random.randrange(1, len(words)) if len(words) > 1 else 0
    other = random.choice(sorted({*question.split(), *words}))
    if words[place].startswith(other):
        return None
    before = "".join(f"{word} " for word in words[:place])
    same = next(i for i, pair in enumerate(zip(other + "\0", words[place] + "\0")) if pair[0] != pair[1])
    return {"answer": before + other, "start": len(before) + same, "end": len(before) + len(other)}


def conversation(example: Example, wording: int, shots: list[Example]) -> list[dict]:
    """The question behind other questions of its family, which are answered in one wording."""
    turns = [(shot.question, render(shot.answers[wording % len(shot.answers)]).text) for shot in shots]
    messages = [
        message
        for question, answer in turns
        for message in ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    ]
    return [*messages, {"role": "user", "content": example.question}]


def make_item(index: int, family: str, make: Callable[[Random], Example], recipe: dict, random: Random) -> dict:
    example = make(random)
    is_sampled = random.random() < recipe["sampledShare"]
    most = recipe["shots"]["most"]
    # What the model writes by itself can be compared only where it was shown how.
    has_shots = is_sampled or random.random() < recipe["shots"]["share"]
    shots = [make(random) for _ in range(most if is_sampled else random.randint(1, most))] if has_shots else []
    wording = random.randrange(len(example.answers))
    # Behind examples one wording is right: another one would be a mistake of form.
    answers = [example.answers[wording]] if shots else list(example.answers)
    wrong = {}
    for _ in range(recipe["wrongAnswers"] * 3):
        made = corrupt(random.choice(answers), random)
        if made is not None and len(wrong) < recipe["wrongAnswers"]:
            wrong[made["answer"]] = made
    rendered = [render(answer) for answer in answers]
    texts = [answer.text for answer in rendered]
    unlike_right = lambda made: not any(text.startswith(made["answer"]) for text in texts)
    # With numbers of their own, so that asking for more slips changes nothing else.
    own = Random(f"{recipe['seed']} {index}")
    slips = [slip(example.question, own.choice(texts), own) for _ in range(recipe["slips"])]
    return {
        "id": index,
        "family": family,
        "split": split_of(example.question, recipe),
        "messages": conversation(example, wording, shots),
        "sampled": is_sampled,
        "right": texts,
        "slots": [answer.slots for answer in rendered],
        "wrong": [made for made in wrong.values() if unlike_right(made)],
        "slips": [made for made in slips if made is not None and unlike_right(made)],
    }


def split_of(question: str, recipe: dict) -> str:
    """By the question alone, so that no question is in two splits."""
    digest = hashlib.sha256(f"{recipe['seed']} {question}".encode()).digest()
    at = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in recipe["splits"].items():
        at -= share
        if at < 0:
            return name
    return "train"


def make_items(recipe: dict) -> list[dict]:
    random = Random(recipe["seed"])
    names = sorted(FAMILIES)
    return [
        make_item(index, name := names[index % len(names)], FAMILIES[name], recipe, random)
        for index in range(recipe["questions"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/judge.json"))
    parser.add_argument("--out", type=Path, default=Path("work/judge"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    items = make_items(json.loads(args.recipe.read_text()))
    with open(args.out / ANSWERS_FILE, "w") as file:
        file.writelines(json.dumps(item) + "\n" for item in items)
    print(f"{len(items)} questions, {sum(len(item['wrong']) + len(item['slips']) for item in items)} wrong answers")


if __name__ == "__main__":
    main()
