import torch

import tiny
from foretoken_training.chimera_artefact import read_weights, write_weights
from foretoken_training.chimera_fixture import RANDOM_RANK, RANDOM_STEPS, random_network


def test_a_written_network_is_the_network_up_to_rounding(tmp_path):
    torch.manual_seed(6)
    network = random_network(tiny.SHAPE).eval()
    path = tmp_path / "model.safetensors"
    write_weights(network, torch.tensor([1, 4, 30]), path)
    read, ids = read_weights(tiny.SHAPE, path)
    assert ids.tolist() == [1, 4, 30]
    assert read.steps == RANDOM_STEPS and read.state_heads.inner.shape == (RANDOM_STEPS, RANDOM_RANK, tiny.SHAPE.width)
    for name, part in network.state_dict().items():
        assert (read.state_dict()[name] - part).abs().max() < 0.02, name
    # What was rounded once is not rounded again.
    write_weights(read, ids, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
