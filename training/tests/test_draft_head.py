import pytest
import torch
from torch.nn import functional as F

import tiny
from foretoken_training.draft_head import late
from foretoken_training.smollm import KeyValueCache, SmolLM


def run_row(head, row, past):
    """One row of the head as a decoder of one layer would run it: `past` is a list of the rows before, all it sees."""
    inputs = torch.cat([*past, row])
    layer = tiny.Layer(**{name: getattr(head, name).detach() for name in tiny.Layer.__dataclass_fields__})
    model = SmolLM(head.shape, inputs, [layer], head.final_norm.detach(), inputs)
    positions = torch.arange(len(inputs))[None]
    one_layer = tiny.ModelShape(**{**head.shape.__dict__, "layers": 1})
    return model.states(positions, positions, KeyValueCache(one_layer, 1, len(inputs)))[0, -1:]


def test_unrolled_rows_are_those_of_drafting_row_by_row():
    torch.manual_seed(1)
    head, length, steps = tiny.head(), 7, 3
    embeddings, states = torch.randn(length, tiny.SHAPE.width), torch.randn(length, tiny.SHAPE.width)
    with torch.no_grad():
        outputs = head.unroll(embeddings, states, steps)
        project = lambda position, feature: F.linear(
            torch.cat([embeddings[position], feature])[None], head.input_projection
        )
        text = [project(j, late(states)[j]) for j in range(length)]
        for root in range(length - steps + 1):
            past = text[:root]
            row, state = text[root], None
            for step in range(steps):
                position = root + step
                if step > 0:
                    past, row = [*past, row], project(position, state[0])
                state = run_row(head, row, past)
                torch.testing.assert_close(outputs[step][position], state[0], atol=1e-5, rtol=1e-5)


def test_a_state_reaches_later_rows_only():
    torch.manual_seed(2)
    head = tiny.head()
    embeddings, states = torch.randn(6, tiny.SHAPE.width), torch.randn(6, tiny.SHAPE.width)
    changed = states.clone()
    changed[3] += 1
    with torch.no_grad():
        [before], [after] = head.unroll(embeddings, states, 1), head.unroll(embeddings, changed, 1)
    torch.testing.assert_close(before[:4], after[:4])
    assert not torch.allclose(before[4], after[4])


@pytest.mark.parametrize("by", [0, 1, 2])
def test_late_rows_come_later_behind_zeros(by):
    rows = torch.arange(1.0, 9).view(4, 2)
    moved = late(rows, by)
    assert torch.equal(moved[by:], rows[: 4 - by])
    assert moved[:by].abs().sum() == 0
