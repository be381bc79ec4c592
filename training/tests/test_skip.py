import dataclasses
import json
from pathlib import Path

import pytest
import torch

import tiny
from foretoken_training.adapters import MATRICES, Adapters
from foretoken_training.dataset import Chat, Dataset
from foretoken_training.skip_accuracy import skip_accuracy
from foretoken_training.skip_deltas import delta_tensors
from foretoken_training.skip_fixture import masked_states, runs_of
from foretoken_training.skip_model import scheduled_states
from foretoken_training.skip_schedule import SkipSchedule
from foretoken_training.smollm import KeyValueCache, SmolLM
from foretoken_training.train_skip import SkipTraining

LAYERS = 6
SCHEDULE = SkipSchedule(most=6, fewest=3, warm_up=1, length=6, buckets=3)


def deep_model() -> SmolLM:
    shape = dataclasses.replace(tiny.SHAPE, layers=LAYERS)
    embedding = torch.randn(shape.vocabulary, shape.width)
    return SmolLM(shape, embedding, [tiny.layer() for _ in range(LAYERS)], torch.ones(shape.width), embedding)


def chat(model: SmolLM, number: int, prompt: int = 4, total: int = 14) -> Chat:
    tokens = torch.randint(0, model.shape.vocabulary, (total,), generator=torch.Generator().manual_seed(number))
    states = model.states(tokens[None], torch.arange(total)[None], KeyValueCache(model.shape, 1, total))[0]
    return Chat(number, tokens, states.half(), prompt, 0.0)


def test_the_schedule_falls_in_steps_and_its_layers_are_prefixes():
    assert [SCHEDULE.kept(SCHEDULE.bucket(t)) for t in range(8)] == [6, 6, 5, 5, 3, 3, 3, 3]
    # The prompt of four runs all; of six generated tokens two run six layers, two run five.
    assert SCHEDULE.columns(4, 10, LAYERS) == [10, 6, 8, 8, 10, 10]
    assert SkipSchedule(6, 6, 1, 6, 3).columns(4, 10, LAYERS) == [10] * 6


def test_prefixes_are_the_network_with_identities_and_masked_keys():
    torch.manual_seed(1)
    model = deep_model()
    tokens = torch.randint(0, 50, (14,))
    states = scheduled_states(model, tokens, SCHEDULE.columns(4, 14, LAYERS))
    torch.testing.assert_close(states, masked_states(model, tokens, runs_of(SCHEDULE, 4, 14, LAYERS)), atol=1e-5, rtol=1e-5)
    whole = model.states(tokens[None], torch.arange(14)[None], KeyValueCache(model.shape, 1, 14))[0]
    torch.testing.assert_close(scheduled_states(model, tokens, [14] * LAYERS), whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(states[:6], whole[:6], atol=1e-5, rtol=1e-5)
    assert (states[6:] - whole[6:]).abs().max() > 0.1


def test_adapters_are_nothing_at_first_and_merge_into_weights():
    torch.manual_seed(2)
    model = deep_model()
    adapters = Adapters(model, rank=2, scale=2)
    tokens, columns = torch.randint(0, 50, (14,)), SCHEDULE.columns(4, 14, LAYERS)
    plain = scheduled_states(model, tokens, columns)
    torch.testing.assert_close(scheduled_states(model, tokens, columns, adapters), plain)
    assert len(adapters.up) == LAYERS * len(MATRICES)
    with torch.no_grad():
        for up in adapters.up.values():
            up.normal_(std=0.1)
    tuned = scheduled_states(model, tokens, columns, adapters)
    assert (tuned - plain).abs().max() > 0.1
    torch.testing.assert_close(scheduled_states(adapters.merge_into(model), tokens, columns), tuned, atol=1e-4, rtol=1e-4)


def test_accuracy_is_perfect_with_all_layers_only():
    torch.manual_seed(3)
    model = deep_model()
    chats = [chat(model, number) for number in range(3)]
    whole = skip_accuracy(model, SkipSchedule(6, 6, 1, 6, 3), chats)
    assert whole["agreement"] == 1 and whole["kl"] < 1e-3 and whole["meanLayers"] == 6
    skipped = skip_accuracy(model, SCHEDULE, chats)
    # Nine rows of each answer are fed while it is decoded.
    assert [bucket["positions"] for bucket in skipped["buckets"]] == [6, 6, 15]
    assert skipped["buckets"][0]["agreement"] == 1 and skipped["kl"] > 0.01
    assert skipped["meanLayers"] == pytest.approx((6 * 6 + 6 * 5 + 15 * 3) / 27, abs=0.01)


def recipe(tokens: int) -> dict:
    shared = json.loads((Path(__file__).parents[1] / "recipes" / "skip.json").read_text())
    small = {"schedule": dataclasses.asdict(SCHEDULE), "rank": 2, "vocabulary": 40, "topK": 20, "tokens": tokens, "warmUpUpdates": 2}
    return shared | small


def test_training_brings_the_model_nearer_to_itself(tmp_path):
    torch.manual_seed(4)
    model = deep_model()
    chats = [chat(model, number) for number in range(6)]
    training = SkipTraining(model, Dataset(chats, chats[:2], 0, "hash"), recipe(14 * 150) | {"learningRate": 0.01}, tmp_path)
    before = skip_accuracy(model, SCHEDULE, chats)["kl"]
    training.run(60)
    after = skip_accuracy(training.adapters.merge_into(model), SCHEDULE, chats)["kl"]
    assert after < 0.7 * before


def test_training_goes_on_where_it_stopped(tmp_path):
    torch.manual_seed(5)
    model = deep_model()
    dataset = Dataset([chat(model, number) for number in range(6)], [], 0, "hash")
    whole = SkipTraining(model, dataset, recipe(14 * 6), tmp_path / "whole")
    whole.run(60)
    first = SkipTraining(model, dataset, recipe(14 * 6), tmp_path / "parts")
    for _ in range(3):
        first.update()
    first.save()
    second = SkipTraining(model, dataset, recipe(14 * 6), tmp_path / "parts")
    second.run(60)
    assert (whole.updates, second.updates) == (6, 6)
    for name, value in whole.adapters.state_dict().items():
        torch.testing.assert_close(second.adapters.state_dict()[name], value)


def test_deltas_are_the_merged_weights_by_the_runtimes_roles(tmp_path):
    torch.manual_seed(6)
    model = deep_model()
    adapters = Adapters(model, rank=2, scale=2)
    with torch.no_grad():
        for up in adapters.up.values():
            up.normal_()
    tensors = delta_tensors(adapters, model.shape)
    change = lambda role: tensors[f"layers.3.{role}.up"] @ tensors[f"layers.3.{role}.down"]
    merged, before = adapters.merge_into(model).layers[3], model.layers[3]
    together = {
        "query_key_value": torch.cat([change("query"), change("key"), change("value")]),
        "attention_output": change("attentionOutput"),
        "gate_up": torch.cat([change("gate"), change("up")]),
        "down": change("down"),
    }
    for name in MATRICES:
        torch.testing.assert_close(getattr(before, name) + together[name], getattr(merged, name))
    assert len(tensors) == LAYERS * 7 * 2
