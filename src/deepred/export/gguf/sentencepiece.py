"""Tokenizers of the SentencePiece kind (Llama 2, TinyLlama) as llama.cpp reads them: tokens with scores, no merges.

In: a ``tokenizer.json`` whose BPE falls back to bytes. llama.cpp joins the pair with the highest score; Hugging Face
the pair with the earliest merge. So a token's score is minus the rank of the first merge that makes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from deepred.base.errors import UserError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Token types of llama.cpp (``llama_token_type``)."""

SPACE = "▁"
"""What stands for a space in a token."""

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

    ``values`` is ``tokenizer.json``. ``UserError`` for what has no equal in llama.cpp: a space put before some texts
    only, no replacement of spaces, or text that is changed otherwise.
    """
    prepends = replaces = False
    for step in (*_steps(values.get("normalizer"), "normalizers"), *_steps(values.get("pre_tokenizer"), "")):
        kind = step.get("type")
        if kind == "Prepend" and step.get("prepend") == SPACE:
            prepends = True
        elif (kind == "Replace" and step.get("pattern") == {"String": " "} and step.get("content") == SPACE) or (
            kind == "Metaspace" and step.get("prepend_scheme") == "never" and not step.get("split", True)
        ):
            replaces = True
        elif kind == "Metaspace":  # no space before text that begins with one, or at the beginning only
            raise UserError(
                "the tokenizer puts spaces before text as Metaspace does, which llama.cpp does not",
                "use its legacy form (normalizer Prepend), as the sft stage writes it",
            )
        else:
            raise UserError(f"the tokenizer changes or splits text ({kind}), which llama.cpp does not do")
    if not replaces:
        raise UserError("the tokenizer does not write spaces as ▁, which llama.cpp does")
    return prepends


def _steps(part: dict[str, Any] | None, key: str) -> list[dict[str, Any]]:
    return part.get(key, [part]) if part else []
