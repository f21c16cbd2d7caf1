"""Models that nobody here made, out of the wheels of public packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEELS = Path(__file__).resolve().parents[1] / ".build" / "wheels"
PACKAGES = {"magika": "magika==1.0.3", "rapidocr": "rapidocr-onnxruntime==1.4.4"}
MODELS = {
    "magika": ("magika", "magika/models/standard_v3_3/model.onnx"),
    "text-boxes": ("rapidocr", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"),
    "text-turned": ("rapidocr", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx"),
}
"""What each is called here → its package, and where in the wheel it lies."""


def real_model(name: str, folder: Path) -> Path:
    """The model's file; the test is skipped where its package cannot be had."""
    package, inside = MODELS[name]
    path = folder / f"{name}.onnx"
    with zipfile.ZipFile(_wheel(package)) as wheel:
        path.write_bytes(wheel.read(inside))
    return path


def _wheel(package: str) -> Path:
    found = sorted(WHEELS.glob(f"{package}*.whl"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-d", str(WHEELS)]
        done = subprocess.run([*command, PACKAGES[package]], capture_output=True, text=True, check=False, timeout=120)
        found = sorted(WHEELS.glob(f"{package}*.whl"))
        if done.returncode or not found:
            pytest.skip(f"{PACKAGES[package]} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    return found[0]
