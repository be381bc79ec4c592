"""Scores of a trained judge on a few right answers of the test split, for the tests of the runtime.

    python -m foretoken_training.judge_fixture --data work/judge
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from .judge_data import ANSWERS_FILE
from .judge_fit import LinearJudge
from .judge_rows import MODEL_FILE, ROWS_FILE, load_states

FAMILIES = ("two-steps", "capitals", "reading")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("work/judge"))
    parser.add_argument("--head", type=Path, default=Path("../packages/smollm2-heads/smollm2-judge"))
    parser.add_argument("--out", type=Path, default=Path("../test/fixtures/smollm2-judge.json"))
    args = parser.parse_args()
    head = json.loads((args.head / "judge.json").read_text())
    judge = LinearJudge(np.array(head["weight"]), head["bias"])
    states = load_states(args.data, json.loads((args.data / MODEL_FILE).read_text())["width"])
    items = [json.loads(line) for line in (args.data / ANSWERS_FILE).read_text().splitlines()]
    chosen = {
        next(item["id"] for item in items if item["family"] == family and item["split"] == "test"): family
        for family in FAMILIES
    }
    answers = []
    for line in map(json.loads, (args.data / ROWS_FILE).read_text().splitlines()):
        if line["kind"] != "right" or chosen.pop(line["id"], None) is None:
            continue
        scores = judge.score(states[line["first"] : line["first"] + line["count"]]).round(4).tolist()
        messages = next(item["messages"] for item in items if item["id"] == line["id"])
        answers.append({"messages": messages, "answer": line["answer"], "before": scores[:-1], "scores": scores[1:]})
    args.out.write_text(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
