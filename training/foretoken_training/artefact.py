"""A trained part as files: `model.safetensors`, and `manifest.json`, which says what it is and which weights it belongs to.

Matrices are rounded to int8 in blocks of 32 columns, each `[outputs, inputs]` matrix two tensors; everything else is stored as it is:

    NAME           I8   [outputs, inputs]
    NAME.scales    F16  [outputs, inputs / 32]     weight = scale of its block * integer
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

BLOCK = 32
WEIGHTS_FILE = "model.safetensors"
MANIFEST_FILE = "manifest.json"
SCALES = ".scales"


def quantize(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Integers `[outputs, inputs]` in -127 … 127 and scales `[outputs, inputs / 32]` in float16."""
    blocks = matrix.detach().float().unflatten(-1, (-1, BLOCK))
    scales = (blocks.abs().amax(-1) / 127).half()
    divisors = scales.float().clamp_min(torch.finfo(torch.float32).tiny)
    return (blocks / divisors[..., None]).round().clamp(-127, 127).to(torch.int8).flatten(-2), scales


def dequantize(integers: Tensor, scales: Tensor) -> Tensor:
    return (integers.float().unflatten(-1, (-1, BLOCK)) * scales.float()[..., None]).flatten(-2)


def write_tensors(path: Path, matrices: dict[str, Tensor], others: dict[str, Tensor]) -> None:
    """Writes `matrices` as int8 and `others` as they are, after making their folder."""
    tensors = {name: tensor.detach() for name, tensor in others.items()}
    for name, matrix in matrices.items():
        tensors[name], tensors[name + SCALES] = quantize(matrix)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, matrices as the integers say."""
    tensors = load_file(path)
    whole = {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALES)}
    return {name: dequantize(tensor, tensors[name + SCALES]) if name + SCALES in tensors else tensor for name, tensor in whole.items()}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dequantized_hash(gguf_path: Path) -> str:
    """SHA-256 of a GGUF's weights as float32, little-endian: tensors in order of their names, rows as the file orders them. Equal for
    files that hold the same numbers in another format."""
    digest = hashlib.sha256()
    for tensor in sorted(gguf.GGUFReader(gguf_path).tensors, key=lambda t: t.name):
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return digest.hexdigest()


def base_identity(gguf_path: Path) -> dict:
    """Which weights a part belongs to."""
    return {"file": gguf_path.name, "sha256": sha256(gguf_path), "dequantizedSha256": dequantized_hash(gguf_path)}


def manifest(kind: str, name: str, base: dict, weights: Path, shape: dict, about: dict) -> dict:
    """What a reader must know, then what a person wants to know.

    Args:
        kind: decides which tensors there are and what `shape` holds; readers refuse a kind they do not know.
        base: `base_identity` of the weights it was trained on.
        weights: the written file of tensors; it lies beside the manifest.
        about: training, data, and what was measured.
    """
    rounded = any(name.endswith(SCALES) for name in load_file(weights))
    return {
        "format": "foretoken-head",
        "version": 1,
        "kind": kind,
        "name": name,
        "base": base,
        "dtype": f"int8, blocks of {BLOCK}" if rounded else "float32",
        "weights": {"file": weights.name, "bytes": weights.stat().st_size, "sha256": sha256(weights)},
        "shape": shape,
    } | about


def write_manifest(kind: str, name: str, base: Path, folder: Path, shape: dict, about: dict) -> None:
    """Writes the manifest beside the weights in `folder`; `base` is a GGUF file."""
    text = manifest(kind, name, base_identity(base), folder / WEIGHTS_FILE, shape, about)
    (folder / MANIFEST_FILE).write_text(json.dumps(text, indent=2) + "\n")
