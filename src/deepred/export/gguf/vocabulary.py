"""The tokenizer of a model folder as the GGUF metadata that llama.cpp reads: tokens, types, merges, special ids.

Byte-level BPE (``tokenizer.ggml.model = gpt2``) or SentencePiece (``llama``). llama.cpp knows a byte-level
pre-tokenizer by name only; the name is derived from ``tokenizer.json`` itself: a wrong one fails silently. Of a
SentencePiece tokenizer it joins the pair with the highest score, Hugging Face the pair with the earliest merge: so a
token's score is minus the rank of the first merge that makes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import UserError
from deepred.base.given import read_object, read_text
from deepred.corpus.tokenizer import load_encoder

if TYPE_CHECKING:
    from gguf import GGUFWriter

END_OF_TURN = "<|im_end|>"
END_OF_TEXT = ("<|endoftext|>", "</s>")
BEGIN_OF_TEXT = ("<s>", *END_OF_TEXT)
"""Never ``<|im_start|>``: llama.cpp strips a leading BOS from a rendered template."""
ALWAYS_CONTROL = ("<|im_start|>", END_OF_TURN)
PADDING = ("<|pad|>", *END_OF_TEXT)

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The split pattern of Llama 3's tokenizer, which llama.cpp calls ``llama-bpe``."""


NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Token types of llama.cpp (``llama_token_type``)."""

MOST_TEMPLATE = 1_000_000
"""Bytes of a chat template; real ones have a few thousand."""
SPACE = "▁"
"""What stands for a space in a token."""

NO_SCORE = -1e6
"""Of a token that no merge makes: below every other, so that nothing is joined to it by chance."""


@dataclass(frozen=True)
class Vocabulary:
    """What llama.cpp must know of a tokenizer; lists are indexed by token id."""

    tokens: list[str]
    types: list[int]
    end_of_turn: int
    begin_of_text: int
    padding: int
    chat_template: str
    unknown: int | None = None
    adds_begin: bool = False
    """Whether every text begins with ``begin_of_text``."""
    pattern: str = ""
    """Name of a byte-level tokenizer's pre-tokenizer; a SentencePiece tokenizer has none."""
    merges: list[str] = field(default_factory=list[str])
    scores: list[float] = field(default_factory=list[float])
    """Of a SentencePiece tokenizer, whose tokens are joined by score instead of by merges."""
    adds_space: bool = False

    def control(self) -> list[int]:
        """Ids of the tokens that are never text."""
        return [number for number, kind in enumerate(self.types) if kind in {CONTROL, UNUSED}]


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """The vocabulary of a model folder, padded to the model's ``size``; ``UserError`` where llama.cpp has no such."""
    path = folder / "tokenizer.json"
    if not path.exists():
        raise UserError(f"{path} does not exist", "the model folder needs its tokenizer")
    load_encoder(path.parent)  # what the library that encodes refuses is not written into a file either
    values = read_object(path, "fetch the tokenizer again")
    model = values["model"]
    if model.get("type") != "BPE":
        raise UserError(f"{path}: a {model.get('type')} tokenizer cannot be exported", "use a BPE tokenizer")
    ids: dict[str, int] = dict(model["vocab"])
    added = {token["content"]: bool(token["special"]) for token in values.get("added_tokens", [])}
    ids |= {token["content"]: token["id"] for token in values.get("added_tokens", [])}
    by_id = {number: token for token, number in ids.items()}
    if max(by_id) >= size:
        raise UserError(f"{path} holds token id {max(by_id)}, but the model's vocabulary has {size} entries")
    known = [by_id.get(number, "") for number in range(size)]
    unknown = model.get("unk_token") or ""
    types = [kind if token else UNUSED for token, kind in zip(known, piece_types(known, added, unknown))]
    for number in (ids[token] for token in ALWAYS_CONTROL if token in ids):
        types[number] = CONTROL  # whatever the tokenizer says: as text they would end up in answers
    template = read_chat_template(folder)
    begin = _special(ids, BEGIN_OF_TEXT, path)
    bare = Vocabulary(
        tokens=[token or f"[PAD{number}]" for number, token in enumerate(known)],
        types=types,
        end_of_turn=_special(ids, (END_OF_TURN,), path),
        begin_of_text=begin,
        padding=_special(ids, PADDING, path),
        chat_template=template,
        unknown=ids.get(unknown),
        adds_begin=_begins_with(values.get("post_processor"), by_id[begin]) and begins_by_itself(folder, by_id[begin]),
    )
    merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
    if model.get("byte_fallback"):
        # llama.cpp looks for these in text whose spaces are spaces
        tokens = [
            token.replace(SPACE, " ") if kind == USER_DEFINED else token for token, kind in zip(bare.tokens, types)
        ]
        return replace(bare, tokens=tokens, scores=merge_scores(bare.tokens, merges), adds_space=adds_space(values))
    if normalizer := values.get("normalizer"):
        raise UserError(f"{path}: the tokenizer changes text ({normalizer['type']}), which llama.cpp does not do")
    pattern = pattern_name(values.get("pre_tokenizer") or {})
    return replace(bare, pattern=pattern, merges=[" ".join(merge) for merge in merges])


def _begins_with(post_processor: dict[str, Any] | None, token: str) -> bool:
    """Whether a tokenizer puts a token before every text."""
    if post_processor is None:
        return False
    parts: list[dict[str, Any]] = post_processor.get("processors", [post_processor])
    single: list[dict[str, Any]] = next((part["single"] for part in parts if part.get("single")), [])
    return bool(single) and single[0].get("SpecialToken", {}).get("id") == token


def begins_by_itself(folder: Path, token: str) -> bool:
    """Whether the chat template writes a token before the first message.

    llama.cpp adds BOS to a rendered conversation exactly where it adds it to any text. So a model whose template does
    not write it must not have it added, or its prompts would differ from those it learned.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    rendered: str = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], tokenize=False)
    return rendered.startswith(token)


def _special(ids: dict[str, int], tokens: Sequence[str], path: Path) -> int:
    """The id of the first of some tokens that the tokenizer has."""
    for token in tokens:
        if token in ids:
            return ids[token]
    raise UserError(f"{path} lacks the special token {tokens[0]}", "chat needs a tokenizer with ChatML tokens")


def pattern_name(pre_tokenizer: dict[str, Any]) -> str:
    """llama.cpp's name of a byte-level pre-tokenizer, from its description in ``tokenizer.json``.

    >>> pattern_name({"type": "ByteLevel", "add_prefix_space": False, "use_regex": True})
    'gpt-2'
    """
    parts: list[dict[str, Any]] = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    kinds = [part.get("type") for part in parts]
    if any(part.get("add_prefix_space") for part in parts):
        raise UserError("the tokenizer adds a space before text, which llama.cpp does not do for byte-level BPE")
    if kinds == ["ByteLevel"] and parts[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits") and parts[1].get("use_regex", True):
        return "smollm"
    if kinds == ["Split", "ByteLevel"] and parts[0].get("pattern", {}).get("Regex") == LLAMA3_PATTERN:
        return "llama-bpe"
    raise UserError(
        f"llama.cpp has no name for the pre-tokenizer {'+'.join(map(str, kinds))}", "use gpt-2, smollm or llama-bpe"
    )


def read_chat_template(folder: Path) -> str:
    """The Jinja chat template of a model folder, from ``chat_template.jinja`` or ``tokenizer_config.json``."""
    separate = folder / "chat_template.jinja"
    if separate.exists():
        return read_text(separate, "fetch the tokenizer again", MOST_TEMPLATE)
    path = folder / "tokenizer_config.json"
    template = read_object(path, "fetch the tokenizer again").get("chat_template") if path.exists() else None
    if not isinstance(template, str):
        raise UserError(
            f"{folder} holds no chat template", "chat needs chat_template.jinja or tokenizer_config.json with it"
        )
    return template


def write_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    """Write the tokenizer's metadata; whether BOS is added is said explicitly, the default differs by tokenizer."""
    if vocabulary.scores:
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(vocabulary.pattern)
    writer.add_token_list(vocabulary.tokens)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.begin_of_text)
    writer.add_eos_token_id(vocabulary.end_of_turn)
    writer.add_eot_token_id(vocabulary.end_of_turn)
    if vocabulary.unknown is not None:
        writer.add_unk_token_id(vocabulary.unknown)
    writer.add_pad_token_id(vocabulary.padding)
    writer.add_add_bos_token(vocabulary.adds_begin)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(vocabulary.adds_space)
    writer.add_chat_template(vocabulary.chat_template)


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
