"""Writes tiny_model-1.0-py3-none-any.whl: what a package index would serve for the tests."""

import zipfile
from pathlib import Path

content = bytes(i * 7 % 256 for i in range(20_000))
path = Path(__file__).with_name("tiny_model-1.0-py3-none-any.whl")
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr(zipfile.ZipInfo("tiny_model/__init__.py"), "")
    wheel.writestr(zipfile.ZipInfo("tiny_model/tiny.gguf"), content, zipfile.ZIP_DEFLATED)
