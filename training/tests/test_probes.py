import dataclasses
import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import tiny
from foretoken_training.adapters import Adapters
from foretoken_training.artefact import read_tensors
from foretoken_training.dataset import Chat, Dataset
from foretoken_training.lexical_threshold import calibrated, confidences, threshold_table
from foretoken_training.probe_accuracy import answer_anchors, probe_accuracy
from foretoken_training.probe_artefact import read_probes, write_probes
from foretoken_training.probe_pass import Entry, probe_states, probe_stream
from foretoken_training.probes import HiddenTransfer, PromptTokens
from foretoken_training.real_rows import RealRows, RealRowsOnDisk, real_rows
from foretoken_training.smollm import KeyValueCache, SmolLM, rms_norm, rotary, rotate
from foretoken_training.train_lexical import LexicalTraining, expected, within_unit
from foretoken_training.train_lexical_adapters import LexicalAdapterTraining, adapted_states, flat_mask
from foretoken_training.train_probes import ProbeTraining
from foretoken_training.transfer_start import fit_transfer

LAYERS = 4
DEPTHS = tuple(range(LAYERS + 1))


def deep_model() -> SmolLM:
    shape = dataclasses.replace(tiny.SHAPE, layers=LAYERS)
    embedding = torch.randn(shape.vocabulary, shape.width)
    return SmolLM(shape, embedding, [tiny.layer() for _ in range(LAYERS)], torch.ones(shape.width), embedding)


def plain_states(model: SmolLM, tokens: torch.Tensor) -> torch.Tensor:
    return model.states(tokens[None], torch.arange(len(tokens))[None], KeyValueCache(model.shape, 1, len(tokens)))[0]


def chat(model: SmolLM, number: int, prompt: int = 4, total: int = 14) -> Chat:
    tokens = torch.randint(0, model.shape.vocabulary, (total,), generator=torch.Generator().manual_seed(number))
    return Chat(number, tokens, plain_states(model, tokens).half(), prompt, 0.0)


def overwritten_states(model: SmolLM, tokens: torch.Tensor, anchor: int, entries: list[Entry]) -> torch.Tensor:
    """The slow way: real rows and the probes of one anchor run from the first layer in one pass under one mask; a probe is anything
    until it joins, and its value is written over it then."""
    shape, real, probes = model.shape, len(tokens), len(entries)
    x = torch.cat([model.embedding[tokens], torch.randn(probes, shape.width)])
    positions = torch.cat([torch.arange(real), anchor + 1 + torch.arange(probes)])
    visible = torch.ones(real + probes, real + probes, dtype=torch.bool).tril()
    visible[real:, anchor + 1 : real] = False
    cos, sin = rotary(positions, shape.head_size, shape.rope_theta)
    for depth in range(LAYERS + 1):
        for index, entry in enumerate(entries):
            if entry.depth == depth:
                x[real + index] = entry.values[0]
        if depth == LAYERS:
            return rms_norm(x, model.final_norm, shape.norm_epsilon)[real:]
        layer = model.layers[depth]
        heads = F.linear(rms_norm(x, layer.attention_norm, shape.norm_epsilon), layer.query_key_value)
        query, key, value = heads.view(len(x), -1, shape.head_size).transpose(0, 1).split([shape.heads, *[shape.key_value_heads] * 2])
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        attended = F.scaled_dot_product_attention(query[None], key[None], value[None], visible, enable_gqa=True)[0]
        x = x + F.linear(attended.transpose(0, 1).reshape(len(x), shape.width), layer.attention_output)
        gate, up = F.linear(rms_norm(x, layer.feed_forward_norm, shape.norm_epsilon), layer.gate_up).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, layer.down)


def test_probes_with_the_true_tokens_embeddings_are_the_text():
    torch.manual_seed(1)
    model = deep_model()
    tokens = torch.randint(0, 50, (12,))
    anchors = torch.tensor([2, 7])
    entries = [Entry(0, model.embedding[tokens[anchors + step]]) for step in (1, 2, 3)]
    states = probe_states(model, real_rows(model, tokens, DEPTHS), anchors, entries)
    wanted = plain_states(model, tokens)[anchors[:, None] + torch.tensor([1, 2, 3])]
    torch.testing.assert_close(states, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("depths", [(0, 0, 0), (1, 1, 2), (2, 3, 4)])
def test_appended_probes_are_rows_written_over(depths):
    torch.manual_seed(2)
    model = deep_model()
    tokens = torch.randint(0, 50, (12,))
    anchors = torch.tensor([3, 9])
    values = torch.randn(3, 2, model.shape.width)
    entries = [Entry(depth, value) for depth, value in zip(depths, values)]
    states = probe_states(model, real_rows(model, tokens, DEPTHS), anchors, entries)
    for group, anchor in enumerate(anchors.tolist()):
        own = [Entry(entry.depth, entry.values[group : group + 1]) for entry in entries]
        torch.testing.assert_close(states[group], overwritten_states(model, tokens, anchor, own), atol=1e-5, rtol=1e-5)


def test_a_probe_sees_nothing_later_and_no_other_group():
    torch.manual_seed(3)
    model = deep_model()
    tokens = torch.randint(0, 50, (12,))
    plain = real_rows(model, tokens, DEPTHS)
    real = RealRows(plain.keys.clone().requires_grad_(), plain.values.clone().requires_grad_(), plain.residuals)
    values = torch.randn(3, 2, model.shape.width, requires_grad=True)
    states = probe_states(model, real, torch.tensor([3, 8]), [Entry(1, value) for value in values])
    states[0, 1].square().sum().backward()
    reached = values.grad.abs().sum(-1) > 0  # [probe, group]
    assert reached.tolist() == [[True, False], [True, False], [False, False]]
    for part in (real.keys.grad, real.values.grad):
        assert (part.abs().sum((1, 3)) > 0).tolist() == [[depth >= 1 and row <= 3 for row in range(12)] for depth in range(LAYERS)]


def test_probes_that_would_join_backwards_are_refused():
    model = deep_model()
    values = torch.zeros(1, model.shape.width)
    with pytest.raises(AssertionError, match="may not fall"):
        probe_states(model, real_rows(model, torch.arange(5), DEPTHS), torch.tensor([2]), [Entry(2, values), Entry(1, values)])


def test_transfer_behind_the_last_layer_is_a_linear_medusa_head():
    torch.manual_seed(4)
    model = deep_model()
    width = model.shape.width
    tokens, anchors = torch.randint(0, 50, (12,)), torch.tensor([2, 7, 9])
    weights = torch.randn(2, width, width)
    transfer = HiddenTransfer([LAYERS] * 2, weights, torch.zeros(2, width))
    real = real_rows(model, tokens, DEPTHS)
    states = probe_states(model, real, anchors, transfer.entries(real, anchors))
    # Without a bias the head sees the direction only, so that the normed state does as well as the residual stream.
    for step, weight in enumerate(weights):
        wanted = rms_norm(plain_states(model, tokens)[anchors] @ weight.T, model.final_norm, 0)
        torch.testing.assert_close(states[:, step], wanted, atol=1e-3, rtol=1e-3)


def test_real_rows_lie_on_disk_after_the_first_look(tmp_path):
    torch.manual_seed(5)
    model = deep_model()
    text = chat(model, 1)
    store = RealRowsOnDisk(model, tmp_path, (0, 2))
    first = store.of(text)
    model.layers[0].down.zero_()  # a second run would see this
    second, wanted = store.of(text), real_rows(model, text.tokens, (0, 2))
    assert sorted(second.residuals) == [0, 2] and torch.equal(second.residuals[0], model.embedding[text.tokens].half().float())
    torch.testing.assert_close(second.keys, first.keys)
    assert (second.keys - wanted.keys).abs().max() > 0.01
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_the_start_of_transfer_finds_a_linear_law():
    torch.manual_seed(6)
    model = deep_model()
    width = model.shape.width
    turn = torch.linalg.qr(torch.randn(width, width)).Q

    class Turning:
        """Every state is the one before, turned, plus one."""

        def of(self, text):
            rows = [torch.randn(width)]
            for _ in range(60):
                rows.append(turn @ rows[-1] + 1)
            return RealRows(None, None, {2: torch.stack(rows), 3: torch.stack(rows)})

    turning = Turning()
    turning.model = model
    transfer = fit_transfer(turning, [None] * 40, 0, [2, 3])
    h = turning.of(None).residuals[2]
    with torch.no_grad():
        entries = transfer.entries(RealRows(None, None, {2: h, 3: h}), torch.tensor([5]))
    assert [entry.depth for entry in entries] == [2, 3]
    for step, entry in enumerate(entries, start=1):
        assert (entry.values[0] - h[5 + step]).norm() < 0.2 * (h[5] - h[5 + step]).norm()


def test_perfect_probes_are_always_right_at_their_first_rank(tmp_path):
    torch.manual_seed(7)
    model = deep_model()
    text = chat(model, 3)
    store = RealRowsOnDisk(model, tmp_path, DEPTHS)

    class Oracle:
        def entries(self, real, anchors):
            return [Entry(LAYERS, real.residuals[LAYERS][anchors + step]) for step in (1, 2)]

    accuracy = probe_accuracy(model, store, Oracle(), 2, [text])
    # Row 3 draws the first of ten answer tokens; the last row in whose group both probes guess a token is row 10.
    assert answer_anchors(text, 2).tolist() == list(range(3, 11)) and accuracy.places == 8
    assert accuracy.hits[:, 0].tolist() == [8, 8] and accuracy.hits[:, 1:].sum() == 0
    assert accuracy.table() == {"places": 8, "top1": [1, 1], "top10": [1, 1]}


def recipe(**changes) -> dict:
    shared = json.loads((Path(__file__).parents[1] / "recipes" / "ppd.json").read_text())
    return shared | {"vocabulary": 50, "topK": 30, "groups": 6, "tokens": 14 * 60, "logEvery": 100} | changes


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Makes runs over the same chats; the layers' depths are those of the tiny model."""
    torch.manual_seed(8)
    model = deep_model()
    chats = [chat(model, number) for number in range(6)]
    dataset = Dataset(chats, chats[:3], 0, "hash")
    monkeypatch.setattr(ProbeTraining, "open_store", lambda run: RealRowsOnDisk(run.model, tmp_path / "rows", DEPTHS))

    def make(name, run=ProbeTraining, more=(), **changes):
        return run(model, dataclasses.replace(dataset, training=[*chats, *more]), recipe(**changes), tmp_path / name)

    return make


@pytest.mark.parametrize("changes", [{}, {"depths": [1, 2, 3], "start": {"chats": 2}, "learningRate": 0.003}])
def test_training_lowers_the_divergence_of_every_probe(training, changes):
    run = training("run", **changes)
    with torch.no_grad():
        divergence = lambda: torch.stack([run.divergence(text, run.anchors(text)).mean(0) for text in run.dataset.training]).mean(0)
        before = divergence()
        torch.set_grad_enabled(True)
        run.run()
        torch.set_grad_enabled(False)
        assert (divergence() < 0.9 * before).all()


def test_training_goes_on_where_it_stopped(training):
    whole = training("whole", tokens=14 * 6)
    whole.run()
    first = training("parts", tokens=14 * 6)
    for _ in range(3):
        first.update()
    first.save()
    second = training("parts", tokens=14 * 6)
    second.run()
    assert (whole.updates, second.updates) == (6, 6)
    torch.testing.assert_close(second.probes.embeddings, whole.probes.embeddings)


def test_answers_too_short_for_a_group_are_left_out(training):
    short = chat(deep_model(), 9, prompt=11)
    assert answer_anchors(short, 2).tolist() == [10] and answer_anchors(short, 3).tolist() == [] and answer_anchors(short, 9).tolist() == []
    run = training("run", more=[short])
    assert [text.number for text in run.dataset.training] == list(range(6))


def test_a_run_may_start_where_another_ended(training):
    first = training("first", tokens=14)
    first.run()
    second = training("second", start={"run": "first"})
    assert second.updates == 0 and torch.equal(second.probes.embeddings, first.probes.embeddings)


def test_a_unit_ends_where_the_target_was_unsure():
    #            tokens  0  1  2  3  4  5  6  7
    confident = torch.tensor([0, 1, 1, 1, 0, 1, 1, 0], dtype=torch.bool)
    inside = within_unit(confident, torch.tensor([0, 1, 2, 3, 4]), 2)
    # Anchor 0 draws token 1; its probes guess 2 and 3, which are of the same unit. Anchor 3 draws token 4, which is of none.
    assert inside.tolist() == [[True, True], [True, False], [False, False], [False, False], [True, False]]


def test_expected_is_the_laws_probability_of_the_token_that_came():
    torch.manual_seed(9)
    model = deep_model()
    text = chat(model, 5)
    probabilities = expected(text, model.head)
    law = F.linear(text.states[6].float(), model.head).softmax(-1)
    assert probabilities[0] == 0 and probabilities[7] == pytest.approx(law[text.tokens[7]].item())


def test_anchors_of_paddings_mix_units_with_others(training, monkeypatch):
    run = training("lud", run=LexicalTraining, unitThreshold=0.9, otherShare=0.5, otherWeight=0.3, groups=4)
    confident = torch.tensor([True] * 9 + [False] * 5)
    monkeypatch.setattr(run, "confident", lambda text: confident)
    text = run.dataset.training[0]
    anchors = run.anchors(text)
    # Anchors are 3 … 9; up to 6 a unit's second token follows.
    assert sorted((anchors <= 6).tolist()) == [False, False, True, True] and len(set(anchors.tolist())) == 4
    weights = run.weights(text, torch.tensor([5, 8]))
    torch.testing.assert_close(weights, torch.tensor([[1, 0.8, 0.64 * 0.3], [0.3, 0.24, 0.64 * 0.3]]))


def test_the_threshold_is_the_lowest_that_agrees():
    least = torch.tensor([[0.97, 0.55], [0.85, 0.3], [0.55, 0.2], [0.1, 0.1]])
    right = torch.tensor([[True, False], [True, True], [True, False], [False, False]])
    table = threshold_table(least, right)
    assert table[0] == {"threshold": 0.5, "tokensPerPass": 2, "agreement": 0.75}
    assert table[1] == {"threshold": 0.6, "tokensPerPass": 1.5, "agreement": 1}
    assert table[-1] == {"threshold": 0.99, "tokensPerPass": 1, "agreement": 1}
    assert calibrated(table) == 0.6 and calibrated([table[0]]) == 0.99


def test_paddings_are_as_sure_as_the_least_sure_before(tmp_path):
    torch.manual_seed(10)
    model = deep_model()
    text = chat(model, 6)
    paddings = PromptTokens(torch.randn(2, model.shape.width))
    least, right = confidences(model, RealRowsOnDisk(model, tmp_path, DEPTHS), paddings, [text], 1)
    anchors = answer_anchors(text, 2)
    real = real_rows(model, text.tokens, DEPTHS)
    with torch.no_grad():
        laws = F.linear(probe_states(model, real, anchors, paddings.entries(real, anchors)), model.head).softmax(-1)
    own = F.linear(text.states[anchors].float(), model.head).softmax(-1)
    repeated = own.argmax(-1) == laws[:, 0].argmax(-1)
    wanted = torch.minimum(own.amax(-1), laws[:, 0].amax(-1)).masked_fill(repeated, 0)
    torch.testing.assert_close(least[:, 0], wanted, atol=0.01, rtol=0.01)
    assert (least[:, 1] <= least[:, 0]).all() and right.shape == least.shape


def test_written_probes_are_the_trained_ones(tmp_path):
    torch.manual_seed(11)
    tokens = PromptTokens(torch.randn(3, 64))
    write_probes(tmp_path / "tokens", tokens)
    assert torch.equal(read_probes(tmp_path / "tokens").embeddings, tokens.embeddings)
    transfer = HiddenTransfer([1, 2], torch.randn(2, 64, 64), torch.randn(2, 64))
    write_probes(tmp_path / "transfer", transfer)
    read = read_probes(tmp_path / "transfer", [1, 2])
    assert sorted(read_tensors(tmp_path / "transfer")) == ["steps.1.bias", "steps.1.weight", "steps.2.bias", "steps.2.weight"]
    assert torch.equal(read.biases, transfer.biases) and (read.weights - transfer.weights).abs().max() < 0.02


def test_rows_under_one_mask_are_the_text_and_its_probes():
    torch.manual_seed(12)
    model = deep_model()
    tokens, anchors = torch.randint(0, 50, (12,)), torch.tensor([3, 9])
    paddings = PromptTokens(torch.randn(2, model.shape.width))
    real = real_rows(model, tokens, DEPTHS)
    adapters = Adapters(model, rank=2, scale=2, first=2)
    positions, visible = flat_mask(12, anchors, 2)
    with torch.no_grad():
        stream = probe_stream(model, real, anchors, paddings.entries(real, anchors), 2)
        x = torch.cat([real.residuals[2], stream.flatten(0, 1)])
        states = adapted_states(model, adapters, x, positions, visible)
        torch.testing.assert_close(states[:12], plain_states(model, tokens), atol=1e-5, rtol=1e-5)
        wanted = probe_states(model, real, anchors, paddings.entries(real, anchors))
        torch.testing.assert_close(states[12:].view(2, 2, -1), wanted, atol=1e-5, rtol=1e-5)
        for up in adapters.up.values():
            up.normal_(std=0.1)
        merged = adapters.merge_into(model)
        adapted = adapted_states(model, adapters, x, positions, visible)
        torch.testing.assert_close(adapted[:12], plain_states(merged, tokens), atol=1e-4, rtol=1e-4)
        real = real_rows(merged, tokens, DEPTHS)
        wanted = probe_states(merged, real, anchors, paddings.entries(real, anchors))
        torch.testing.assert_close(adapted[12:].view(2, 2, -1), wanted, atol=1e-4, rtol=1e-4)
        assert (adapted - states).abs().max() > 0.1


def test_adapters_bring_paddings_nearer_and_leave_real_rows(training, monkeypatch):
    monkeypatch.setattr(LexicalAdapterTraining, "trained_paddings", lambda run: PromptTokens(run.model.embedding[:3] / 2))
    changes = {"start": {}, "unitThreshold": 0.1, "otherShare": 0.5, "otherWeight": 0.3, "rank": 4, "scale": 2, "firstLayer": 2, "baseWeight": 1}
    run = training("adapters", run=LexicalAdapterTraining, learningRate=0.003, tokens=14 * 80, **changes)
    text = run.dataset.training[0]
    with torch.no_grad():
        before, base = run.divergences(text, run.anchors(text))
        assert base.shape == (10,) and base.abs().max() < 0.02
    run.run()
    with torch.no_grad():
        after, base = run.divergences(text, run.anchors(text))
    assert after.mean() < 0.9 * before.mean() and base.mean() < 0.3
    measured = run.measure(1)
    assert 0 < measured["base"]["kl"] < 0.5 and measured["places"] > 0
