"""Logistic regression, and how well scores tell right from wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LinearJudge:
    weight: np.ndarray
    bias: float

    def score(self, states: np.ndarray) -> np.ndarray:
        """How probable it is that the tokens of these states `[N, D]` are right."""
        return 1 / (1 + np.exp(-(states @ self.weight + self.bias)))


def fit(states: np.ndarray, right: np.ndarray, negative_weight: float, strength: float, steps: int = 30) -> LinearJudge:
    """Weighted logistic regression by Newton's method, L2 on standardised weights; the standardisation is folded into the result.

        loss = mean [ y ln s + λ (1 - y) ln (1 - s) ] + strength / 2 |w|²
    """
    mean, scale = states.mean(0), states.std(0) + 1e-6
    features = np.concatenate([(states - mean) / scale, np.ones((len(states), 1))], axis=1, dtype=np.float64)
    weights = np.where(right, 1.0, negative_weight)
    weights /= weights.sum()
    penalty = np.full(features.shape[1], strength)
    penalty[-1] = 0
    solution = np.zeros(features.shape[1])
    for _ in range(steps):
        scores = 1 / (1 + np.exp(-np.clip(features @ solution, -30, 30)))
        gradient = features.T @ (weights * (scores - right)) + penalty * solution
        curvature = weights * np.maximum(scores * (1 - scores), 1e-9)
        hessian = (features * curvature[:, None]).T @ features + np.diag(penalty + 1e-9)
        step = np.linalg.solve(hessian, gradient)
        solution -= step
        if np.abs(step).max() < 1e-6:
            break
    weight = solution[:-1] / scale
    return LinearJudge(weight, float(solution[-1] - mean @ weight))


def area_under_curve(scores: np.ndarray, right: np.ndarray) -> float:
    """Probability that a right token scores above a wrong one; half of the ties count."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = right.sum()
    negatives = len(right) - positives
    return float((ranks[right].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def threshold_for(scores: np.ndarray, right: np.ndarray, recall: float) -> float:
    """The smallest score such that at least this share of the wrong tokens is not above it."""
    wrong = np.sort(scores[~right])
    return float(wrong[int(np.ceil(recall * len(wrong))) - 1])
