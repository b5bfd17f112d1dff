"""The learned part of the filter: fold models that give every sentence the probability of being late.

A model is K pairs of log ratios of masked grams and a random forest over what surrounds a sentence; the
pair of an article's own fold saw neither it nor its statistics. Hand labels only calibrate: four numbers that ship with
the package (``calibration.json``) and turn scores into probabilities.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from deepred.base.files import replaced
from deepred.filter.forest import Forest
from deepred.filter.sentence_features import Matrix
from deepred.text.word_hashes import Flags, Floats


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
    text = resources.files("deepred.filter").joinpath("calibration.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return Calibration(values["slope"], values["intercept"], values["early"], values["presets"], values["provenance"])
