import json
from pathlib import Path

import torch

import tiny
from foretoken_training.artefact import MANIFEST_FILE, WEIGHTS_FILE, dequantize, manifest, quantize, read_tensors, write_tensors
from foretoken_training.draft_artefact import KIND, matrices, read_weights, shape_of, write_weights
from foretoken_training.smollm import ModelShape

DRAFT = Path(__file__).parents[2] / "packages" / "smollm2-heads" / "smollm2-draft"
SMOLLM2 = ModelShape(
    layers=30, width=576, feed_forward=1536, heads=9, key_value_heads=3, vocabulary=49152, rope_theta=1e5, norm_epsilon=1e-5
)


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


def test_the_draft_heads_artefact_is_written_as_it_lies_there(tmp_path):
    head, vocabulary = read_weights(SMOLLM2, DRAFT / WEIGHTS_FILE)
    write_weights(head, vocabulary, tmp_path / WEIGHTS_FILE)
    assert (tmp_path / WEIGHTS_FILE).read_bytes() == (DRAFT / WEIGHTS_FILE).read_bytes()
    text = json.loads((DRAFT / MANIFEST_FILE).read_text())
    about = {"training": text["training"], "heldOut": text["heldOut"]}
    again = manifest(KIND, "smollm2-draft", text["base"], tmp_path / WEIGHTS_FILE, shape_of(SMOLLM2, len(vocabulary)), about)
    assert json.dumps(again) == json.dumps(text)


def test_a_part_of_any_kind_keeps_what_is_no_matrix(tmp_path):
    embeddings, weight = torch.randn(3, 5), torch.randn(4, 64)
    path = tmp_path / "part" / WEIGHTS_FILE
    write_tensors(path, {}, {"embeddings": embeddings})
    assert torch.equal(read_tensors(path)["embeddings"], embeddings)
    assert manifest("prompt-tokens", "part", {}, path, {"steps": 3}, {})["dtype"] == "float32"
    write_tensors(path, {"weight": weight}, {"embeddings": embeddings})
    read = read_tensors(path)
    assert sorted(read) == ["embeddings", "weight"] and torch.equal(read["weight"], dequantize(*quantize(weight)))
    text = manifest("prompt-tokens", "part", {"sha256": "of the base"}, path, {"steps": 3}, {"note": "none"})
    assert (text["dtype"], text["base"], text["shape"], text["note"]) == ("int8, blocks of 32", {"sha256": "of the base"}, {"steps": 3}, "none")
