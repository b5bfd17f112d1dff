"""The tokenizer of a model folder as the GGUF metadata that llama.cpp reads: tokens, types, merges, special ids.

Byte-level BPE (``tokenizer.ggml.model = gpt2``). llama.cpp knows a pre-tokenizer by name only; the name is derived
from ``tokenizer.json`` itself, never guessed, because a wrong one fails silently.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.errors import UserError

if TYPE_CHECKING:
    from gguf import GGUFWriter

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""Token types of llama.cpp (``llama_token_type``)."""

END_OF_TURN = "<|im_end|>"
END_OF_TEXT = "<|endoftext|>"
PADDING = "<|pad|>"

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The split pattern of Llama 3's tokenizer, which llama.cpp calls ``llama-bpe``."""


@dataclass(frozen=True)
class Vocabulary:
    """What llama.cpp must know of a tokenizer; lists are indexed by token id."""

    pattern: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    end_of_turn: int
    end_of_text: int
    padding: int
    chat_template: str

    def control(self) -> list[int]:
        """Ids of the tokens that are never text."""
        return [number for number, kind in enumerate(self.types) if kind in {CONTROL, UNUSED}]


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """The vocabulary of a model folder, padded to the model's ``size``; ``UserError`` where llama.cpp has no such."""
    path = folder / "tokenizer.json"
    if not path.exists():
        raise UserError(f"{path} does not exist", "the model folder needs its tokenizer")
    values = json.loads(path.read_text(encoding="utf-8"))
    model = values["model"]
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        raise UserError(f"{path}: a {model.get('type')} tokenizer cannot be exported", "use a byte-level BPE tokenizer")
    ids: dict[str, int] = dict(model["vocab"])
    types = dict.fromkeys(ids, NORMAL)
    for added in values.get("added_tokens", []):
        ids[added["content"]] = added["id"]
        types[added["content"]] = CONTROL if added["special"] else USER_DEFINED
    by_id = {number: token for token, number in ids.items()}
    if max(by_id) >= size:
        raise UserError(f"{path} holds token id {max(by_id)}, but the model's vocabulary has {size} entries")
    tokens = [by_id.get(number, f"[PAD{number}]") for number in range(size)]
    return Vocabulary(
        pattern=pattern_name(values.get("pre_tokenizer") or {}),
        tokens=tokens,
        types=[types.get(token, UNUSED) for token in tokens],
        merges=[merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]],
        end_of_turn=_special(ids, END_OF_TURN, path),
        end_of_text=_special(ids, END_OF_TEXT, path),
        padding=ids.get(PADDING, _special(ids, END_OF_TEXT, path)),
        chat_template=read_chat_template(folder),
    )


def _special(ids: dict[str, int], token: str, path: Path) -> int:
    if token not in ids:
        raise UserError(f"{path} lacks the special token {token}", "chat needs a tokenizer with ChatML tokens")
    return ids[token]


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
        return separate.read_text(encoding="utf-8")
    path = folder / "tokenizer_config.json"
    template = json.loads(path.read_text(encoding="utf-8")).get("chat_template") if path.exists() else None
    if not isinstance(template, str):
        raise UserError(
            f"{folder} holds no chat template", "chat needs chat_template.jinja or tokenizer_config.json with it"
        )
    return template


def write_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    """Write the tokenizer's metadata; that no BOS is added is said explicitly, the default differs by tokenizer."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.pattern)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.end_of_text)
    writer.add_eos_token_id(vocabulary.end_of_turn)
    writer.add_eot_token_id(vocabulary.end_of_turn)
    writer.add_pad_token_id(vocabulary.padding)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(vocabulary.chat_template)
