"""Writes the built-in tables of lib/datasets/data from the files that scikit-learn carries.

Run with the Python of the toolchain; the versions are in infra/toolchain/requirements.lock. The same scikit-learn gives
the same bytes, whose SHA-256 stands in the data cards. Numbers are spelled as the shortest text that reads back equal.
"""

import csv
import sys
from pathlib import Path

from sklearn import datasets


def spell(value):
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def write(folder, name, features, rows, target, targets):
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*features, target])
        for row, value in zip(rows, targets, strict=True):
            table.writerow([*map(spell, row), value])


def main(folder):
    iris = datasets.load_iris()
    names = [name.removesuffix(" (cm)") for name in iris.feature_names]
    write(folder, "iris", names, iris.data, "species", iris.target_names[iris.target])

    wine = datasets.load_wine()
    names = [name.replace("_", " ") for name in wine.feature_names]
    write(folder, "wine", names, wine.data, "cultivar", [str(1 + value) for value in wine.target])

    cancer = datasets.load_breast_cancer()
    write(folder, "breast-cancer", cancer.feature_names, cancer.data, "diagnosis", cancer.target_names[cancer.target])

    digits = datasets.load_digits()
    write(folder, "digits", digits.feature_names, digits.data, "digit", digits.target)

    diabetes = datasets.load_diabetes(scaled=False)
    write(folder, "diabetes", diabetes.feature_names, diabetes.data, "progression", map(spell, diabetes.target))


main(Path(sys.argv[1]))
