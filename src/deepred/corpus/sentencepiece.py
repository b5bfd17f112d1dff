"""A bare SentencePiece model (``tokenizer.model`` of Llama 2, TinyLlama) as a folder that everything else reads.

In: the model file. Out: ``tokenizer.json`` and ``tokenizer_config.json``. What SentencePiece joins by score, Hugging
Face's BPE joins by the order of merges; the result is kept only if it gives the ids that SentencePiece itself gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError, UserError
from deepred.base.files import write_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

MODEL_FILE = "tokenizer.model"
SPACE = "▁"
"""SentencePiece's mark for a space (U+2581)."""
CHECKED_TEXTS = (
    "The Moon, seen on 19 July 1969.",
    " two  spaces,\ttabs\nand\n\n\nlines \n",
    "naïve Ærøskøbing — “quotes” … Москва 北京 🚀",
    "1. e4 e5 2. Nf3 Nc6 1-0  x²+y³=12345678",
    "don't WE'LL they're ﬁn ½ Ａ",
    "The engineers of the colony read old letters by lamplight; nobody knew what the ninth of November would bring.",
)


def convert(path: Path, out: Path) -> None:
    """Write ``tokenizer.json`` and its configuration into ``out``; a model that cannot be told exactly is refused."""
    model = _load(path)
    encoder = _encoder(model)
    for text in CHECKED_TEXTS:
        ours, theirs = encoder.encode(text, add_special_tokens=False).ids, model.encode(text)
        if ours != theirs:
            raise FaultError(
                f"{path} is a SentencePiece model of another kind than Llama 2's: {text!r} gets other ids",
                "use its tokenizer.json, which its publisher has made",
            )
    special = {
        f"{name}_token": model.id_to_piece(number)
        for name, number in (("bos", model.bos_id()), ("eos", model.eos_id()), ("unk", model.unk_id()))
        if number >= 0
    }
    settings = special | {
        "add_bos_token": "bos_token" in special,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    for name, text in (("tokenizer.json", encoder.to_str()), ("tokenizer_config.json", json.dumps(settings, indent=2))):
        write_text(out / name, text)


def _load(path: Path) -> Any:
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        raise UserError(f"{path} is read by the package sentencepiece", "pip install deepred[train]") from None
    try:
        return SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path} is no SentencePiece model: {str(error).splitlines()[0]}", "fetch it again") from None


def _encoder(model: Any) -> Encoder:
    """The same tokenizer in the form that Llama 2's publishers gave it: a space before the text, bytes as fallback."""
    from tokenizers import AddedToken, decoders, models, normalizers
    from tokenizers import Tokenizer as Encoder

    pieces = [str(model.id_to_piece(number)) for number in range(model.get_piece_size())]
    unknown = pieces[model.unk_id()]
    bpe = models.BPE(
        {piece: number for number, piece in enumerate(pieces)},
        _merges(model, pieces),
        unk_token=unknown,
        fuse_unk=True,
        byte_fallback=any(model.is_byte(number) for number in range(len(pieces))),
    )
    encoder = Encoder(bpe)
    encoder.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    encoder.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = [piece for number, piece in enumerate(pieces) if model.is_control(number) or number == model.unk_id()]
    encoder.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in special])
    return encoder


def _merges(model: Any, pieces: list[str]) -> list[tuple[str, str]]:
    """Every pair that makes a piece, the best piece first, and of one piece's pairs the earliest pieces first."""
    ranks = {
        piece: number
        for number, piece in enumerate(pieces)
        if not (model.is_control(number) or model.is_unknown(number) or model.is_byte(number))
    }
    order = sorted(ranks, key=lambda piece: (-float(model.get_score(ranks[piece])), ranks[piece]))
    merges: list[tuple[str, str]] = []
    for piece in order:
        halves = ((piece[:cut], piece[cut:]) for cut in range(1, len(piece)))
        found = [pair for pair in halves if pair[0] in ranks and pair[1] in ranks]
        merges += sorted(found, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return merges
