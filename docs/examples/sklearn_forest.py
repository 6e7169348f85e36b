"""Trains a random forest of scikit-learn on MNIST and exports it to ONNX, for `saip models import`.

    python sklearn_forest.py DATA OUT.onnx [--samples N] [--trees N] [--depth N] [--zipmap]

DATA is the folder with the IDX files that the platform itself trains on. The pixels are fed as they are, 0 to 255.
"""

from __future__ import annotations

import argparse
import gzip
import struct
from pathlib import Path

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier


def read_idx(folder: Path, name: str) -> np.ndarray:
    """An IDX file of unsigned bytes: two zeros, 8, the number of axes, their sizes, the values."""
    plain = folder / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    axes = data[3]
    sizes = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(sizes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--trees", type=int, default=60)
    parser.add_argument("--depth", type=int, default=14)
    parser.add_argument("--zipmap", action="store_true", help="answer a list of dictionaries, as skl2onnx does by default")
    options = parser.parse_args()
    images = read_idx(options.data, "train-images-idx3-ubyte")[: options.samples]
    labels = read_idx(options.data, "train-labels-idx1-ubyte")[: options.samples]
    forest = RandomForestClassifier(n_estimators=options.trees, max_depth=options.depth, random_state=7)
    forest.fit(images.reshape(len(images), -1).astype(np.float32), labels.astype(np.int64))
    model = convert_sklearn(
        forest,
        initial_types=[("pixels", FloatTensorType([None, 784]))],
        options={id(forest): {"zipmap": options.zipmap}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    options.out.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
