"""What the runtime must compute for trained probes: their logits behind three rows of a text, for the tests of the runtime.

    python -m foretoken_training.probe_fixture --model $MODEL --part smollm2-ppd --out ../plugins/ppd/src/__fixtures__/smollm2-ppd.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F

from .artefact import MANIFEST_FILE, WEIGHTS_FILE
from .draft_fixture import TEXT
from .probe_artefact import read_probes
from .probe_pass import probe_states
from .real_rows import DEPTHS, real_rows
from .smollm import load_smollm
from .tokenizer import load_tokenizer

TOP = 20
BEFORE_END = (0, 3, 9)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--heads", type=Path, default=Path("../packages/smollm2-heads"))
    parser.add_argument("--part", required=True, help="folder of the trained part among the heads")
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load_smollm(arguments.model)
    folder = arguments.heads / arguments.part
    probes = read_probes(folder / WEIGHTS_FILE, json.loads((folder / MANIFEST_FILE).read_text())["shape"].get("layers"))
    tokens = torch.tensor(load_tokenizer(arguments.model).encode(TEXT, add_special_tokens=False).ids)
    anchors = len(tokens) - 1 - torch.tensor(BEFORE_END)
    real = real_rows(model, tokens, DEPTHS)
    logits = F.linear(probe_states(model, real, anchors, probes.entries(real, anchors)), model.head)
    values, ids = logits.topk(TOP)
    places = [
        {"anchor": anchor, "probes": [{"ids": i, "logits": [round(x, 5) for x in v]} for i, v in zip(ids[g].tolist(), values[g].tolist())]}
        for g, anchor in enumerate(anchors.tolist())
    ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"part": arguments.part, "text": TEXT, "tokens": tokens.tolist(), "places": places}) + "\n")


if __name__ == "__main__":
    main()
