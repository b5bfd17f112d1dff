"""Tokenizers of the SentencePiece kind (Llama 2, TinyLlama) as llama.cpp reads them: tokens with scores, no merges.

In: a ``tokenizer.json`` whose BPE falls back to bytes. llama.cpp joins the pair with the highest score; Hugging Face
the pair with the earliest merge. So a token's score is minus the rank of the first merge that makes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from deepred.errors import UserError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Token types of llama.cpp (``llama_token_type``)."""

NO_SCORE = -1e6
"""Of a token that no merge makes: below every other, so that nothing is joined to it by chance."""


def merge_scores(tokens: list[str], merges: Sequence[tuple[str, ...]]) -> list[float]:
    """A score for every token, such that joining by score is joining by merge rank.

    >>> merge_scores(["a", "b", "ab", "abab"], [("a", "b"), ("ab", "ab")])
    [-1000000.0, -1000000.0, 0.0, -1.0]
    """
    scores: dict[str, float] = {}
    for merge in merges:
        scores.setdefault("".join(merge), -float(len(scores)))
    return [scores.get(token, NO_SCORE) for token in tokens]


def piece_types(tokens: list[str], added: dict[str, bool], unknown: str) -> list[int]:
    """The type of every token; ``added`` says of added tokens whether they are special."""
    types: list[int] = []
    for token in tokens:
        if token == unknown:
            types.append(UNKNOWN)
        elif token in added:
            types.append(CONTROL if added[token] else USER_DEFINED)
        else:
            types.append(BYTE if re.fullmatch(r"<0x[0-9A-F]{2}>", token) else NORMAL)
    return types


def adds_space(values: dict[str, Any]) -> bool:
    """Whether a space is put before text, and before what follows a special token, as llama.cpp does.

    ``values`` is ``tokenizer.json``. Tokenizers that add it at the very beginning only have no equal in llama.cpp.
    """
    normalizer = values.get("normalizer") or {}
    steps: list[dict[str, Any]] = normalizer.get("normalizers", [normalizer])
    kinds = {step.get("type") for step in steps}
    before = values.get("pre_tokenizer") or {}
    if before.get("type") == "Metaspace" and before.get("prepend_scheme") == "first":
        raise UserError(
            "the tokenizer adds a space at the beginning only, llama.cpp after every special token",
            "use its legacy form (normalizer Prepend), or a byte-level BPE tokenizer",
        )
    return "Prepend" in kinds or before.get("prepend_scheme") == "always"
