import torch

from foretoken_training.distill import relative_error, sparse_divergence, sparse_law


def test_divergence_of_a_whole_law_is_the_dense_one():
    torch.manual_seed(5)
    head, states, logits = torch.randn(20, 8), torch.randn(4, 8), torch.randn(4, 20)
    indices, probabilities = sparse_law(states, head, 20)
    target = (states @ head.T).log_softmax(-1)
    dense = (target.exp() * (target - logits.log_softmax(-1))).sum(-1)
    torch.testing.assert_close(sparse_divergence(logits, indices, probabilities), dense)


def test_a_cut_law_sums_to_one_and_is_nothing_away_from_itself():
    head, states = torch.randn(20, 8), torch.randn(4, 8)
    indices, probabilities = sparse_law(states, head, 5)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(4))
    own = torch.full((4, 20), -torch.inf).scatter(-1, indices, probabilities.log())
    torch.testing.assert_close(sparse_divergence(own, indices, probabilities), torch.zeros(4), atol=1e-6, rtol=0)


def test_relative_error():
    wanted = torch.tensor([[3.0, 4.0]])
    assert relative_error(wanted, wanted).item() == 0
    assert relative_error(torch.zeros(1, 2), wanted).item() == 1
