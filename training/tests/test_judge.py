from random import Random

import numpy as np

from foretoken_training.judge_data import corrupt, make_items, render, slip, split_of
from foretoken_training.judge_families import FAMILIES, Slot
from foretoken_training.judge_fit import area_under_curve, fit, threshold_for
from foretoken_training.judge_rows import labels, sampled_labels

RECIPE = {
    "seed": 3,
    "questions": 120,
    "wrongAnswers": 5,
    "slips": 3,
    "shots": {"share": 0.5, "most": 2},
    "sampledShare": 0.2,
    "splits": {"train": 0.8, "validation": 0.1, "test": 0.1},
}


def test_a_mistake_begins_at_the_first_character_that_differs_and_ends_the_answer():
    parts = ("It is ", Slot("12", ("17",)), " or so.")
    assert corrupt(parts, Random(1)) == {"answer": "It is 17", "start": 7, "end": 8}


def test_no_wrong_answer_is_the_beginning_of_a_right_one():
    assert corrupt(("It is ", Slot("bookcase", ("book",)), "."), Random(1)) is None
    for item in make_items(RECIPE):
        assert item["wrong"]
        for wrong in item["wrong"]:
            assert not any(text.startswith(wrong["answer"]) for text in item["right"])
            assert wrong["start"] < wrong["end"] == len(wrong["answer"])


def test_a_slip_is_a_word_of_the_conversation_where_another_one_stands():
    text = "It is cold there."
    for seed in range(50):
        made = slip("Is it cold?", text, Random(seed))
        if made is None:
            continue
        word = made["answer"].split(" ")[-1]
        assert word in {"Is", "it", "cold?", "It", "is", "cold", "there."}
        assert not text.startswith(made["answer"])
        assert text[: made["start"]] == made["answer"][: made["start"]] and made["end"] == len(made["answer"])


def test_more_slips_change_nothing_else():
    without = lambda recipe: [{**item, "slips": None} for item in make_items(recipe)]
    assert without(RECIPE) == without(RECIPE | {"slips": 9})


def test_the_same_seed_gives_the_same_items():
    assert make_items(RECIPE) == make_items(RECIPE)
    assert make_items(RECIPE) != make_items(RECIPE | {"seed": 4})


def test_no_question_is_in_two_splits():
    items = make_items(RECIPE | {"questions": 600})
    splits: dict[str, set[str]] = {}
    for item in items:
        splits.setdefault(item["messages"][-1]["content"], set()).add(item["split"])
    assert all(len(names) == 1 for names in splits.values())
    shares = [sum(item["split"] == name for item in items) / len(items) for name in ("train", "validation", "test")]
    assert 0.7 < shares[0] < 0.9 and min(shares[1:]) > 0.03
    assert split_of("a", RECIPE) == split_of("a", RECIPE)


def test_slots_are_where_values_stand():
    for make in FAMILIES.values():
        for parts in make(Random(5)).answers:
            answer = render(parts)
            values = [part.value for part in parts if isinstance(part, Slot)]
            assert [answer.text[start:end] for start, end in answer.slots] == values


def test_the_arithmetic_of_the_families_is_right():
    for seed in range(30):
        text = render(FAMILIES["two-steps"](Random(seed)).answers[0]).text
        first, second = text.split(". ")[0].split(" and ")
        for equation in (first, second):
            left, right = equation.split(" = ")
            assert eval(left) == int(right)


def test_only_the_tokens_of_a_mistake_are_wrong():
    # "It is 17": tokens "It", " is", " ", "1", "7"
    assert labels([2, 5, 6, 7, 8], (7, 8), [(7, 8)]) == [None] * 4 + [(False, True)]
    assert labels([2, 5, 6, 7, 8], None, [(6, 8)]) == [(True, False)] * 3 + [(True, True)] * 2


def test_an_own_answer_is_judged_up_to_its_first_mistake():
    right = [("It is 12.", [(6, 8)])]
    ends = [2, 5, 6, 7, 8, 9]
    assert sampled_labels("It is 17.", ends, right) == [(True, False)] * 3 + [(True, True), (False, True), None]
    assert sampled_labels("It is 12.", ends, right)[-1] == (True, False)
    # Another wording, where no value stands: nothing is known from there on.
    assert sampled_labels("It was 12", [2, 6, 7, 8, 9], right) == [(True, False)] + [None] * 4


def test_what_can_be_separated_is_separated_and_shuffled_labels_are_not():
    random = np.random.default_rng(1)
    states = random.normal(3, [1, 10, 0.1, 5], (40000, 4))
    right = (states - 3) @ np.array([1, 0.2, 5, 0]) > -1
    learn, test = slice(0, 20000), slice(20000, None)
    judge = fit(states[learn], right[learn], 3.0, 1e-4)
    assert area_under_curve(judge.score(states[test]), right[test]) > 0.999
    shuffled = random.permutation(right)
    other = fit(states[learn], shuffled[learn], 1.0, 1e-2)
    assert abs(area_under_curve(other.score(states[test]), shuffled[test]) - 0.5) < 0.02


def test_the_folded_weights_are_those_of_the_standardised_problem():
    """Scaling a feature changes no score when nothing is regularised."""
    random = np.random.default_rng(2)
    states = random.normal(size=(500, 3))
    right = states[:, 0] + random.normal(size=500) > 0
    scaled = states * np.array([100, 1, 0.01]) + 7
    scores = fit(states, right, 2.0, 1e-3).score(states)
    assert np.allclose(fit(scaled, right, 2.0, 1e-3).score(scaled), scores, atol=1e-3)


def test_a_larger_weight_of_wrong_tokens_lowers_scores():
    random = np.random.default_rng(3)
    states = random.normal(size=(500, 2))
    right = states[:, 0] + random.normal(size=500) > -1
    assert fit(states, right, 5.0, 1e-3).score(states).mean() < fit(states, right, 1.0, 1e-3).score(states).mean() - 0.1


def test_the_area_counts_half_of_the_ties():
    right = np.array([True, True, False, False])
    assert area_under_curve(np.array([4, 3, 2, 1]), right) == 1
    assert area_under_curve(np.array([1, 1, 1, 1]), right) == 0.5
    assert area_under_curve(np.array([4, 1, 2, 1]), right) == 0.625


def test_the_threshold_keeps_back_the_share_of_wrong_tokens_that_was_asked_for():
    scores = np.concatenate([np.linspace(0, 0.99, 100), np.full(5, 0.999)])
    right = np.concatenate([np.zeros(100, bool), np.ones(5, bool)])
    threshold = threshold_for(scores, right, 0.9)
    assert (scores[~right] <= threshold).mean() >= 0.9
    assert (scores[~right] <= threshold - 0.011).mean() < 0.9
