"""Labelled rows of a judge's training: which tokens of which answers are right, which are wrong, and which are not known to be either."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .judge_data import ANSWERS_FILE

STATES_FILE = "states.f32"
ROWS_FILE = "rows.jsonl"
MODEL_FILE = "model.json"


@dataclass(frozen=True)
class Rows:
    """`N` labelled tokens. `at` are the rows of the states that have read them; the row before has not."""

    at: np.ndarray
    right: np.ndarray
    """Whether a value stands there: right and wrong tokens of the same kind of place."""
    value: np.ndarray
    log_probability: np.ndarray
    split: np.ndarray
    family: np.ndarray
    kind: np.ndarray

    def select(self, mask: np.ndarray) -> Rows:
        return Rows(*(getattr(self, name)[mask] for name in Rows.__dataclass_fields__))


def labels(ends: list[int], wrong: tuple[int, int] | None, slots: list[tuple[int, int]]) -> list[tuple[bool, bool] | None]:
    """For each token whether it is right and whether it is a value; None for one that is not judged.

    ends: characters of the answer behind each token. wrong: the mistake, with which the answer ends; the tokens before it belong to a right answer
    and are labelled there. slots: where values stand.
    """
    made: list[tuple[bool, bool] | None] = []
    start = 0
    for end in ends:
        overlaps = lambda span: start < span[1] and span[0] < end
        if wrong is None:
            made.append((True, any(overlaps(span) for span in slots)))
        else:
            made.append((False, any(overlaps(span) for span in slots)) if overlaps(wrong) else None)
        start = end
    return made


def sampled_labels(answer: str, ends: list[int], rights: list[tuple[str, list[tuple[int, int]]]]) -> list[tuple[bool, bool] | None]:
    """Labels of an answer the model wrote by itself: right up to where it leaves every right answer, wrong there if a value stands there, and not
    judged from there on: another wording may be right, and what follows a mistake is right only behind it."""
    common = lambda right: next((i for i, pair in enumerate(zip(answer, right)) if pair[0] != pair[1]), min(len(answer), len(right)))
    right, slots = max(rights, key=lambda one: common(one[0]))
    same = common(right)
    made: list[tuple[bool, bool] | None] = []
    start = 0
    for end in ends:
        value = any(start < span[1] and span[0] < end for span in slots)
        if end <= same:
            made.append((True, value))
        elif start <= same < len(right) and any(span[0] <= same < span[1] for span in slots):
            made.append((False, True))
            start = end
            break
        else:
            break
        start = end
    return made + [None] * (len(ends) - len(made))


def load_rows(folder: Path) -> Rows:
    with open(folder / ANSWERS_FILE) as file:
        items = {item["id"]: item for item in map(json.loads, file)}
    columns: list[tuple] = []
    with open(folder / ROWS_FILE) as file:
        for line in map(json.loads, file):
            item = items[line["id"]]
            rights = [(text, slots) for text, slots in zip(item["right"], item["slots"])]
            if line["kind"] == "sampled":
                made = sampled_labels(line["answer"], line["ends"], rights)
            elif line["kind"] == "right":
                made = labels(line["ends"], None, dict(rights)[line["answer"]])
            else:
                answers = item["wrong" if line["kind"] == "wrong" else "slips"]
                mistake = next((one["start"], one["end"]) for one in answers if one["answer"] == line["answer"])
                made = labels(line["ends"], mistake, [mistake] if line["kind"] == "wrong" else [])
            for index, label in enumerate(made):
                if label is not None:
                    # Row `first` has not read the first token.
                    place = line["first"] + index + 1
                    columns.append(
                        (place, *label, line["logProbabilities"][index], item["split"], item["family"], line["kind"])
                    )
    return Rows(*(np.array(column) for column in zip(*columns)))


def load_states(folder: Path, width: int) -> np.ndarray:
    return np.memmap(folder / STATES_FILE, dtype="<f4", mode="r").reshape(-1, width)
