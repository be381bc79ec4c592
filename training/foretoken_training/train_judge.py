"""The judge of SmolLM2: logistic regression on states of the deployed weights, and its artefact.

    python -m foretoken_training.train_judge --data work/judge --out ../packages/smollm2-heads/smollm2-judge

Writes `judge.json`, which `@foretoken/judge` reads, `manifest.json`, which says how it was made and how good it is, and the
figures of every strength to `results/smollm2-judge/judge.json`. Seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from .judge_data import ANSWERS_FILE
from .judge_fit import LinearJudge, area_under_curve, fit, threshold_for
from .judge_rows import MODEL_FILE, Rows, load_rows, load_states

NAME = "smollm2-judge"
BASE_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def negative_weight(right: np.ndarray, most: float) -> float:
    return float(min(most, right.sum() / max(1, (~right).sum())))


def choose(rows: Rows, states: np.ndarray, recipe: dict) -> tuple[LinearJudge, list[dict]]:
    """The strength with the best area under the curve on the questions for validation."""
    train, validation = rows.select(rows.split == "train"), rows.select(rows.split == "validation")
    weight = negative_weight(train.right, recipe["mostNegativeWeight"])
    tried = []
    for strength in recipe["strengths"]:
        judge = fit(states[train.at], train.right, weight, strength)
        figures = {
            "strength": strength,
            "train": area_under_curve(judge.score(states[train.at]), train.right),
            "validation": area_under_curve(judge.score(states[validation.at]), validation.right),
        }
        print(figures, flush=True)
        tried.append((figures, judge))
    best = max(tried, key=lambda one: one[0]["validation"])
    return best[1], [figures for figures, _ in tried]


def held_out(rows: Rows, states: np.ndarray, judge: LinearJudge, threshold: float) -> dict:
    """How good a judge is on the questions of the test. `values` looks only at places where a value stands, right or wrong."""
    test = rows.select(rows.split == "test")
    scores = judge.score(states[test.at])
    values = test.value
    families = sorted(set(test.family))
    return {
        "tokens": int(len(test.at)),
        "wrong": int((~test.right).sum()),
        "areaUnderCurve": area_under_curve(scores, test.right),
        "areaUnderCurveOfValues": area_under_curve(scores[values], test.right[values]),
        "wrongTokenRecall": float((scores[~test.right] <= threshold).mean()),
        "wrongTokenRecallByKind": {
            kind: float((scores[~test.right & (test.kind == kind)] <= threshold).mean())
            for kind in sorted(set(test.kind[~test.right]))
        },
        "rightTokensKept": float((scores[test.right] > threshold).mean()),
        "rightValuesKept": float((scores[test.right & values] > threshold).mean()),
        "areaUnderCurveOfTargetsProbability": area_under_curve(test.log_probability, test.right),
        "areaUnderCurveOfTargetsProbabilityOfValues": area_under_curve(test.log_probability[values], test.right[values]),
        "areaUnderCurveByFamily": {
            family: area_under_curve(scores[test.family == family], test.right[test.family == family]) for family in families
        },
    }


def rounded(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("work/judge"))
    parser.add_argument("--recipe", type=Path, default=Path("recipes/judge.json"))
    parser.add_argument("--out", type=Path, default=Path(f"../packages/smollm2-heads/{NAME}"))
    parser.add_argument("--results", type=Path, default=Path(f"results/{NAME}"))
    args = parser.parse_args()
    recipe = json.loads(args.recipe.read_text())
    model = json.loads((args.data / MODEL_FILE).read_text())
    rows, states = load_rows(args.data), load_states(args.data, model["width"])
    print(f"{len(rows.at)} tokens, {(~rows.right).sum()} wrong", flush=True)

    judge, tried = choose(rows, states, recipe)
    validation = rows.select(rows.split == "validation")
    threshold = threshold_for(judge.score(states[validation.at]), validation.right, recipe["wrongTokenRecall"])
    figures = held_out(rows, states, judge, threshold)

    print("state before the token:", flush=True)
    before = Rows(rows.at - 1, *(getattr(rows, name) for name in list(Rows.__dataclass_fields__)[1:]))
    judge_before, tried_before = choose(before, states, recipe)
    figures_before = held_out(before, states, judge_before, threshold)
    print("shuffled labels:", flush=True)
    shuffled = np.random.default_rng(recipe["seed"]).permutation(rows.right)
    _, tried_shuffled = choose(Rows(rows.at, shuffled, *(getattr(rows, name) for name in list(Rows.__dataclass_fields__)[2:])), states, recipe)

    base = {"file": BASE_FILE, "sha256": model["sha256"]}
    args.out.mkdir(parents=True, exist_ok=True)
    head = {"format": "foretoken-head", "version": 1, "kind": "judge", "name": NAME, "base": base, "dtypes": [model["dtype"]]}
    weights = {"weight": [float(f"{value:.6g}") for value in judge.weight], "bias": float(f"{judge.bias:.6g}")}
    (args.out / "judge.json").write_text(json.dumps(head | {"threshold": round(threshold, 4)} | weights) + "\n")
    # Of the numbers, not of the file: it is laid out anew.
    values = np.array([*weights["weight"], weights["bias"]], dtype="<f8").tobytes()
    manifest = {
        **{key: head[key] for key in ("format", "version", "kind", "name", "base", "dtypes")},
        "weights": {"file": "judge.json", "sha256OfWeightAndBiasInFloat64": hashlib.sha256(values).hexdigest()},
        "shape": {"width": model["width"], "site": model["layers"]},
        "training": {
            "recipe": recipe,
            "data": {
                "sha256": hashlib.sha256((args.data / ANSWERS_FILE).read_bytes()).hexdigest(),
                "tokens": int(len(rows.at)),
                "wrong": int((~rows.right).sum()),
                "byKind": {kind: int((rows.kind == kind).sum()) for kind in sorted(set(rows.kind))},
            },
        },
        "threshold": {"value": threshold, "wrongTokenRecallOnValidation": recipe["wrongTokenRecall"]},
        "heldOut": figures,
    }
    (args.out / "manifest.json").write_text(json.dumps(rounded(manifest), indent=2) + "\n")
    args.results.mkdir(parents=True, exist_ok=True)
    results = {
        "strengths": tried,
        "heldOut": figures,
        "stateBeforeTheToken": {"strengths": tried_before, "heldOut": figures_before},
        "shuffledLabels": {"strengths": tried_shuffled},
    }
    (args.results / "judge.json").write_text(json.dumps(rounded(results), indent=2) + "\n")
    print(json.dumps(rounded({"threshold": threshold, **figures}), indent=2))


if __name__ == "__main__":
    main()
