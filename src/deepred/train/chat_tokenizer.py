"""The tokenizer that chat needs, made from a base model's: ChatML's tokens, its template, and no BOS of its own.

In: a model folder. Out: a folder that ``transformers`` and llama.cpp's converters read alike, whose ``tokenizer.json``
is what it says. Four things may be changed, each is named in the result: missing ChatML tokens are added; a BOS that
would be put before every text goes (ChatML begins with ``<|im_start|>``, and so do the examples); a space that is put
before some texts only is put before all, after special tokens too (llama.cpp knows no other way); the template is
ChatML.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from deepred.corpus.tokenizer import CHAT_TEMPLATE, END, START, load_encoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

COPIED_FILES = ("special_tokens_map.json", "generation_config.json")
WITHOUT = ("chat_template", "added_tokens_decoder", "legacy", "auto_map", "add_prefix_space", "extra_special_tokens")
"""Keys of ``tokenizer_config.json`` by which a class would build another tokenizer than ``tokenizer.json`` is."""


@dataclass
class ChatTokenizer:
    """The encoder, the ids of ChatML's tokens, and what was changed."""

    encoder: Tokenizer
    turns: list[int]
    changes: list[str] = field(default_factory=list[str])

    @property
    def size(self) -> int:
        """Rows of embeddings that its ids need."""
        return max(self.encoder.get_vocab(with_added_tokens=True).values()) + 1


def make_chat_tokenizer(base: Path, out: Path) -> ChatTokenizer:
    """Write the chat tokenizer of a base model's folder to ``out``."""
    from tokenizers import AddedToken, Tokenizer

    values: dict[str, Any] = json.loads(load_encoder(base).to_str())
    changes: list[str] = []
    if _adds_tokens(values.get("post_processor") or {}):
        values["post_processor"] = None
        changes.append("no special token is put before or after a text")
    if _spaces_everywhere(values):
        changes.append("a space is put before every text, after special tokens too")
    encoder: Tokenizer = Tokenizer.from_str(json.dumps(values))
    missing = [token for token in (START, END) if encoder.token_to_id(token) is None]
    if missing:
        encoder.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in missing])
        changes.append(f"{' and '.join(missing)} added")
    out.mkdir(parents=True, exist_ok=True)
    encoder.save(str(out / "tokenizer.json"), pretty=False)
    for name in COPIED_FILES:
        if (base / name).exists():
            shutil.copyfile(base / name, out / name)
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    path = base / "tokenizer_config.json"
    settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    settings = {key: value for key, value in settings.items() if key not in WITHOUT}
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "add_eos_token": False}
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return ChatTokenizer(encoder, _turns(encoder), changes)


def _adds_tokens(post_processor: dict[str, Any]) -> bool:
    """Whether special tokens are put around a text."""
    parts: list[dict[str, Any]] = post_processor.get("processors", [post_processor])
    return any("SpecialToken" in piece for part in parts for piece in part.get("single", []))


def _spaces_everywhere(values: dict[str, Any]) -> bool:
    """Turn a Metaspace, which puts a space before some texts only, into the form that puts it before all."""
    before: dict[str, Any] = values.get("pre_tokenizer") or {}
    if before.get("type") != "Metaspace" or before.get("prepend_scheme") == "never" or values.get("normalizer"):
        return False
    values["pre_tokenizer"] = None
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    values["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace]}
    return True


def load_chat_tokenizer(folder: Path) -> ChatTokenizer:
    """The chat tokenizer that ``make_chat_tokenizer`` wrote."""
    encoder = load_encoder(folder)
    return ChatTokenizer(encoder, _turns(encoder))


def _turns(encoder: Tokenizer) -> list[int]:
    vocabulary = encoder.get_vocab(with_added_tokens=True)
    return [vocabulary[START], vocabulary[END]]


def fit_embeddings(model: Any, rows: int) -> int:
    """Give a model at least so many rows of embeddings; new ones are the mean of the old. Returns the rows added."""
    before = int(model.get_input_embeddings().weight.shape[0])
    if rows <= before:
        return 0
    model.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        for weight in {id(part.weight): part.weight for part in _embeddings(model)}.values():
            weight[before:] = weight[:before].mean(0)
    return rows - before


def _embeddings(model: Any) -> list[Any]:
    return [part for part in (model.get_input_embeddings(), model.get_output_embeddings()) if part is not None]
