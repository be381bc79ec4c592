import torch
from torch.nn import functional as F

import tiny
from foretoken_training.chimera_head import ChimeraHead, trigrams
from foretoken_training.smollm import rms_norm, rotary, rotate

WIDTH, STEPS = tiny.SHAPE.width, 3


def head():
    network = ChimeraHead(tiny.SHAPE, tiny.layer(), torch.ones(WIDTH), STEPS, rank=4)
    for part in (network.residual_heads, network.state_heads):
        part.diagonal.data.normal_()
        part.outer.data.normal_()
    return network.eval()


def draft(network, tokens, embedding, states, root):
    """Row by row, as C.2 of the method's notes has it: the guesses along `tokens` behind `root`."""
    shape, context = network.shape, list(states[:root])
    guesses = []

    def parts(row, position):
        normed = rms_norm(row, network.attention_norm, shape.norm_epsilon)
        heads = F.linear(normed, network.query_key_value).view(-1, shape.head_size)
        query, key, value = heads.split([shape.heads, shape.key_value_heads, shape.key_value_heads])
        turn = rotary(torch.tensor(position), shape.head_size, shape.rope_theta)
        return rotate(query, *turn), rotate(key, *turn), value

    for step in range(STEPS):
        position = root + step
        stream = network.trigram(torch.cat([embedding[tokens[position - back]] for back in (2, 1, 0)]))
        query, _, _ = parts(stream, position)
        seen = [parts(row, index) for index, row in enumerate([*context, stream])]
        attended = []
        for index in range(shape.heads):
            group = index // (shape.heads // shape.key_value_heads)
            keys, values = (torch.stack([row[part][group] for row in seen]) for part in (1, 2))
            attended.append((keys @ query[index] * shape.head_size**-0.5).softmax(0) @ values)
        x = stream + F.linear(torch.cat(attended), network.attention_output)
        gate, up = F.linear(rms_norm(x, network.feed_forward_norm, shape.norm_epsilon), network.gate_up).chunk(2)
        x = x + F.linear(F.silu(gate) * up, network.down)
        state = rms_norm(x, network.final_norm, shape.norm_epsilon)
        guesses.append(network.residual_heads(states[root - 1], step) + network.state_heads(state, step))
        context.append(state)
    return guesses


@torch.no_grad()
def test_unrolled_rows_are_those_of_drafting_row_by_row():
    torch.manual_seed(1)
    network, length = head(), 8
    embedding, states = torch.randn(tiny.SHAPE.vocabulary, WIDTH), torch.randn(length, WIDTH)
    tokens = torch.randint(0, tiny.SHAPE.vocabulary, (length,))
    outputs = network.unroll(embedding[tokens], states, STEPS)
    for root in range(2, length - STEPS + 1):
        for step, guess in enumerate(draft(network, tokens, embedding, states, root)):
            torch.testing.assert_close(outputs[step][root + step], guess, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_draft_knows_no_state_from_its_root_on():
    torch.manual_seed(2)
    network = head()
    embeddings, states = torch.randn(8, WIDTH), torch.randn(8, WIDTH)
    changed = states.clone()
    changed[4] += 1
    before, after = network.unroll(embeddings, states, STEPS), network.unroll(embeddings, changed, STEPS)
    for step in range(STEPS):
        same = 5 + step  # Root 4 is the last that stands at or before the changed position.
        torch.testing.assert_close(before[step][step:same], after[step][step:same])
        assert not torch.allclose(before[step][same], after[step][same])


@torch.no_grad()
def test_heads_start_as_the_identity():
    torch.manual_seed(3)
    network = ChimeraHead(tiny.SHAPE, tiny.layer(), torch.ones(WIDTH), STEPS, rank=4)
    embeddings, states = torch.randn(6, WIDTH), torch.randn(6, WIDTH)
    for step, output in enumerate(network.unrolled(embeddings, states, STEPS), start=1):
        torch.testing.assert_close(output.guesses[step:], states[:-step] + output.states[step:])


def test_the_first_two_trigrams_are_padded():
    e = torch.arange(1.0, 5)[:, None]
    assert trigrams(e).tolist() == [[1, 1, 1], [1, 2, 2], [1, 2, 3], [2, 3, 4]]
    assert trigrams(e[:1]).tolist() == [[1, 1, 1]]
