"""A llama of two layers with random weights."""

import torch

from foretoken_training.draft_head import DraftHead
from foretoken_training.smollm import Layer, ModelShape, SmolLM

SHAPE = ModelShape(
    layers=2, width=64, feed_forward=96, heads=4, key_value_heads=2, vocabulary=50, rope_theta=1e4, norm_epsilon=1e-5
)


def matrix(outputs: int, inputs: int) -> torch.Tensor:
    return torch.randn(outputs, inputs) / inputs**0.5


def layer() -> Layer:
    width, key_value = SHAPE.width, SHAPE.key_value_heads * SHAPE.head_size
    norm = lambda: 1 + 0.1 * torch.randn(width)
    return Layer(
        attention_norm=norm(),
        query_key_value=matrix(width + 2 * key_value, width),
        attention_output=matrix(width, width),
        feed_forward_norm=norm(),
        gate_up=matrix(2 * SHAPE.feed_forward, width),
        down=matrix(width, SHAPE.feed_forward),
    )


def model() -> SmolLM:
    embedding = torch.randn(SHAPE.vocabulary, SHAPE.width)
    return SmolLM(SHAPE, embedding, [layer() for _ in range(SHAPE.layers)], torch.ones(SHAPE.width), embedding)


def head() -> DraftHead:
    return DraftHead(SHAPE, layer(), torch.ones(SHAPE.width), matrix(SHAPE.width, 2 * SHAPE.width))
