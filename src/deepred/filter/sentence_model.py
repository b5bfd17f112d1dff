"""The learned part of the filter: fold models that give every sentence the probability of being late.

A model is K pairs of log ratios of masked grams and a random forest over what surrounds a sentence; the pair of an
article's own fold saw neither it nor its statistics. A forest is fitted with scikit-learn; it is kept, stored and
evaluated without it, so that no pickle is ever read: as plain arrays, every tree a complete binary tree of one depth,
so that walking it is arithmetic. Hand labels only calibrate: four numbers that ship with the package
(``calibration.json``) and turn scores into probabilities.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.files import replaced, shipped_text
from deepred.filter.sentence_features import Matrix
from deepred.text.word_hashes import Flags, Floats

TREES = 50
DEPTH = 10
FEWEST_ROWS = 30
"""Rows of a leaf at least."""
SHARE = 0.3
"""Of the rows, drawn for each tree."""
TRIED = 5
"""Features tried at a split."""
LIMIT = 0.005
"""Probabilities are kept this far from 0 and 1: leaves hold few rows."""


@dataclass(frozen=True, slots=True)
class Forest:
    """``features`` and ``thresholds`` (trees, 2**depth - 1) and the late shares ``values`` (trees, 2**depth)."""

    features: npt.NDArray[np.int16]
    thresholds: npt.NDArray[np.float32]
    values: npt.NDArray[np.float32]

    def logits(self, rows: npt.NDArray[np.float32]) -> Floats:
        """The logit of the mean late share of the leaves that each row falls into."""
        trees, inner = self.features.shape
        first = np.arange(trees, dtype=np.int32) * inner  # of every tree in the flat arrays
        row = np.arange(len(rows), dtype=np.int32)[:, None] * rows.shape[1]
        node = np.zeros((len(rows), trees), np.int32)
        for _ in range(inner.bit_length()):
            place = node + first
            goes_right = rows.take(row + self.features.take(place)) > self.thresholds.take(place)
            node = 2 * node + 1 + goes_right
        leaves = self.values.take(node - inner + np.arange(trees, dtype=np.int32) * (inner + 1))
        share = np.clip(leaves.mean(axis=1), LIMIT, 1 - LIMIT)
        return np.log(share / (1 - share)).astype(np.float32)

    @staticmethod
    def fit(rows: npt.NDArray[np.float32], sides: Flags, seed: int) -> Forest:
        """The forest that tells the sides apart; both count alike, whatever their number."""
        from sklearn.ensemble import RandomForestClassifier

        model: Any = RandomForestClassifier(
            n_estimators=TREES,
            max_depth=DEPTH,
            min_samples_leaf=FEWEST_ROWS,
            max_features=min(TRIED, rows.shape[1]),
            max_samples=SHARE,
            class_weight="balanced",
            random_state=seed,
        )
        model.fit(rows, sides)
        features = np.zeros((TREES, 2**DEPTH - 1), np.int16)
        thresholds = np.full((TREES, 2**DEPTH - 1), np.inf, np.float32)
        values = np.zeros((TREES, 2**DEPTH), np.float32)
        for tree, estimator in enumerate(model.estimators_):
            _fill(estimator.tree_, features[tree], thresholds[tree], values[tree])
        return Forest(features, thresholds, values)

    @staticmethod
    def empty() -> Forest:
        """The forest that knows nothing: one leaf, as likely late as early."""
        return Forest(np.zeros((1, 0), np.int16), np.zeros((1, 0), np.float32), np.full((1, 1), 0.5, np.float32))


def _fill(tree: Any, features: Any, thresholds: Any, values: Any) -> None:
    """Write a fitted tree into complete arrays: below a leaf everything goes left, to copies of it."""
    late = tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1)
    pending = [(0, 0, 0)]
    while pending:
        source, place, depth = pending.pop()
        if tree.children_left[source] < 0:
            width = 2 ** (DEPTH - depth)
            first = (place + 1) * width - 2**DEPTH
            values[first : first + width] = late[source]
            continue
        features[place] = tree.feature[source]
        thresholds[place] = tree.threshold[source]
        pending.append((tree.children_left[source], 2 * place + 1, depth + 1))
        pending.append((tree.children_right[source], 2 * place + 2, depth + 1))


@dataclass(frozen=True, slots=True)
class Model:
    """Per fold, the weights of grams and the forest over features."""

    grams: Matrix
    """(folds, 2 ** bits): how much likelier a gram is in late sentences than in early ones, as a logarithm."""
    forests: tuple[Forest, ...]

    def score(self, features: Matrix, fold: int) -> Floats:
        """The logit of every row by the forest that did not see its fold."""
        return self.forests[fold].logits(features)

    def save(self, path: Path) -> None:
        """Write the model; the file appears complete or not at all."""
        with replaced(path) as partial, partial.open("wb") as file:
            np.save(file, self.grams)
            for forest in self.forests:
                for part in (forest.features, forest.thresholds, forest.values):
                    np.save(file, part)

    @staticmethod
    def load(path: Path) -> Model:
        """The model that ``save`` wrote; grams in half precision."""
        with path.open("rb") as file:
            grams = np.load(file)
            return Model(grams, tuple(Forest(np.load(file), np.load(file), np.load(file)) for _ in grams))


@dataclass(frozen=True, slots=True)
class Calibration:
    """From logits to probabilities, and where the presets cut; measured on hand labels, see ``provenance``."""

    slope: float
    intercept: float
    early: float
    """Added where a sentence names early dates only."""
    presets: dict[str, float]
    provenance: str

    def probability(self, logits: Floats, early_date: Flags) -> Floats:
        """Calibrated probabilities that sentences are late."""
        z = self.slope * logits + self.intercept + self.early * early_date
        return (1 / (1 + np.exp(-np.clip(z, -30, 30)))).astype(np.float32)


@cache
def load_calibration() -> Calibration:
    """The calibration that ships with the package."""
    values: dict[str, Any] = json.loads(shipped_text("deepred.filter", "calibration.json"))
    return Calibration(values["slope"], values["intercept"], values["early"], values["presets"], values["provenance"])
