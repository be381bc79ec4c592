import numpy as np
import torch

from foretoken_training.accuracy import chain_accuracy
from foretoken_training.chats import draw, repeats
from foretoken_training.dataset import Chat, reduced_vocabulary

import tiny


def test_draws_by_the_inverse_of_the_distribution_in_token_order():
    logits = np.log(np.array([0.1, 0.2, 0.3, 0.4]))
    assert [draw(logits, 1, 1, uniform) for uniform in (0.05, 0.15, 0.45, 0.95)] == [0, 1, 2, 3]
    assert draw(logits, 0, 1, 0.05) == 3


def test_a_nucleus_holds_the_likeliest_tokens_only():
    logits = np.full(3000, -20.0)
    logits[[5, 7]] = [1.0, 0.0]
    assert {draw(logits, 1, 0.9, uniform) for uniform in np.linspace(0, 0.999, 50)} == {5, 7}
    assert {draw(logits, 1, 0.5, uniform) for uniform in np.linspace(0, 0.999, 50)} == {5}


def test_knows_a_text_that_goes_round_in_circles():
    assert repeats([9, *[1, 2, 3] * 12])
    assert not repeats([9, *[1, 2, 3] * 5])
    assert not repeats(list(range(100)))


def test_the_reduced_vocabulary_holds_what_the_target_expects():
    head = 9 * torch.eye(6)
    states = torch.eye(6)[[5, 5, 2, 5, 2, 0]].half()
    chat = Chat(0, torch.zeros(6, dtype=torch.long), states, 1, 0)
    assert reduced_vocabulary([chat], head, 2, stride=1).tolist() == [2, 5]
    assert reduced_vocabulary([chat], head, 2, prefix=5, stride=1).tolist()[0] == 0


def test_a_chain_that_guesses_everything_is_accepted_whole():
    """A head that is replaced by the truth: its rows are unit vectors of the next tokens."""
    tokens = torch.tensor([2, 0, 1, 4, 3, 1, 0, 2, 4])
    vocabulary = torch.arange(5)

    class Truth:
        def unroll(self, embeddings, states, steps):
            following = torch.nn.functional.one_hot(torch.cat([tokens[1:], tokens[:1]]), 5).float()
            return [following] * steps

    chat = Chat(0, tokens, torch.zeros(9, tiny.SHAPE.width), 2, 0)
    table = chain_accuracy(Truth(), torch.eye(5), vocabulary, torch.zeros(5, 4), [chat], 2).table()
    assert table["acceptedAtStep"][0] == 1
    assert table["roots"] == 6
    assert table["tokensPerPass"] == 3
