"""Trains a random forest of scikit-learn on a table and exports it with one named input a column.

    python sklearn_table.py TABLE.csv TARGET OUT.onnx [--text COLUMN …] [--label NAME …] [--trees N]

Labels of a classification come in the order of the data set's card; without any it is a regression. The rows that the platform tests a built-in table on
are left out: a model that has seen them is measured on what it remembers.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from pathlib import Path

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

TEST_ROWS_IN = 5
TYPES = {str: StringTensorType, np.float32: FloatTensorType}


def test_rows(strata: list[int]) -> np.ndarray:
    """Of every five rows of a class, in the order of the file, the one that a hash of class and block chooses."""
    seen = dict.fromkeys(strata, 0)
    chosen = []
    for stratum in strata:
        block, place = divmod(seen[stratum], TEST_ROWS_IN)
        digest = hashlib.sha256(f"test/{stratum}/{block}".encode()).digest()
        chosen.append(place == int.from_bytes(digest[:4], "big") % TEST_ROWS_IN)
        seen[stratum] += 1
    return np.array(chosen)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("target")
    parser.add_argument("out", type=Path)
    parser.add_argument("--text", action="append", default=[], help="a column that is no number")
    parser.add_argument("--label", action="append", default=[], help="a class, in the order of the card")
    parser.add_argument("--trees", type=int, default=60)
    options = parser.parse_args()
    with options.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != options.target]
    text = [index for index, name in enumerate(names) if name in options.text]
    numbers = [index for index, name in enumerate(names) if name not in options.text]
    targets = [row[options.target] for row in rows]
    kinds = [str if name in options.text else np.float32 for name in names]
    features = np.array([[kind(row[name]) for name, kind in zip(names, kinds)] for row in rows], dtype=object)
    train = ~test_rows([options.label.index(target) if options.label else 0 for target in targets])
    make = RandomForestClassifier if options.label else RandomForestRegressor
    forest = make(n_estimators=options.trees, min_samples_leaf=2, random_state=7)
    encode = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("numbers", "passthrough", numbers), ("text", encode, text)])
    pipeline = Pipeline([("columns", columns), ("forest", forest)])
    known = np.array(targets) if options.label else np.array(targets, dtype=np.float32)
    pipeline.fit(features[train], known[train])
    model = convert_sklearn(
        pipeline,
        initial_types=[(name, TYPES[kind]([None, 1])) for name, kind in zip(names, kinds)],
        options={id(pipeline): {"zipmap": False}} if options.label else None,
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    options.out.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
