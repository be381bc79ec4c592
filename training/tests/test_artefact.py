import torch

import tiny
from foretoken_training.artefact import dequantize, matrices, quantize, read_weights, write_weights


def test_integers_are_within_half_a_step():
    matrix = torch.randn(6, 64)
    matrix[0, :32] = 0
    integers, scales = quantize(matrix)
    assert integers.dtype == torch.int8 and scales.shape == (6, 2)
    error = (dequantize(integers, scales) - matrix).abs().unflatten(-1, (-1, 32)).amax(-1)
    assert (error <= 0.51 * scales.float() + 0.001 * matrix.abs().max()).all()
    assert dequantize(integers, scales)[0, :32].abs().sum() == 0


def test_a_written_head_is_the_head_up_to_rounding(tmp_path):
    torch.manual_seed(6)
    head, vocabulary = tiny.head(), torch.tensor([1, 4, 30])
    write_weights(head, vocabulary, tmp_path / "model.safetensors")
    read, ids = read_weights(tiny.SHAPE, tmp_path / "model.safetensors")
    assert ids.tolist() == [1, 4, 30]
    for role, matrix in matrices(head).items():
        assert (matrices(read)[role] - matrix).abs().max() < 0.02, role
    embeddings, states = torch.randn(5, tiny.SHAPE.width), torch.randn(5, tiny.SHAPE.width)
    with torch.no_grad():
        for exact, rounded in zip(head.unroll(embeddings, states, 2), read.unroll(embeddings, states, 2)):
            assert (exact - rounded).abs().max() < 0.1
