"""The tokenizer: byte-level BPE trained on the filtered corpus, or one that a base model brings; and its chat format.

In: the mixture's training split. Out: a folder that ``transformers`` loads (``tokenizer.json``, its configuration, the
special tokens, a ChatML chat template). Only filtered text is read: a vocabulary learned from later text would hold
later names. Every tokenizer, trained or adopted, must give sample texts back unchanged.

A bare SentencePiece model (``tokenizer.model`` of Llama 2, TinyLlama) is converted: what SentencePiece joins by score,
Hugging Face's BPE joins by the order of merges; the result is kept only if it gives the ids that SentencePiece gives.
ChatML, the one chat format of the project, is ``<|im_start|>role``, a line break, the content, ``<|im_end|>``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.chat_markers import disarm, disarm_in_jinja
from deepred.base.errors import FaultError, UserError
from deepred.base.files import replaced, write_text
from deepred.base.formats import describe_file
from deepred.base.given import read_object
from deepred.base.tables import read_rows
from deepred.corpus.cleaned_documents import fraction
from deepred.run.config import Tokenizer
from deepred.run.stage import Counts, Work

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

END_OF_TEXT, START, END, PADDING = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL_TOKENS = (END_OF_TEXT, START, END, PADDING)

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + " + disarm_in_jinja("message['role'] + '\\n' + message['content']") + " + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""ChatML, whose marks llama.cpp, LM Studio and Ollama know by heart; those inside a message are broken
(``base/chat_markers.py``), whoever sends it."""

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The split of Llama 3, which llama.cpp calls ``llama-bpe``."""

MODEL_FILE = "tokenizer.model"
ADOPTED_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    MODEL_FILE,
)
SAMPLE_TEXTS = (
    "The Moon, seen on 19 July 1969.",
    " two  spaces,\ttabs\nand\n\n\nlines \n",
    "naïve Ærøskøbing — “quotes” … Москва 北京 🚀",
    "1. e4 e5 2. Nf3 Nc6 1-0  x²+y³=12345678",
    "don't WE'LL they're",
)
"""What a tokenizer must give back: spaces, several scripts, marks, digits, contractions."""


SPACE = "▁"
"""SentencePiece's mark for a space (U+2581)."""
CHECKED_TEXTS = (
    *SAMPLE_TEXTS[:-1],
    "don't WE'LL they're ﬁn ½ Ａ",
    "The engineers of the colony read old letters by lamplight; nobody knew what the ninth of November would bring.",
)


def train_tokenizer(*, mixture: Path, config: Tokenizer, out: Path, work: Work) -> Counts:
    """The tokenizer's folder in ``out``; counts hold the vocabulary and the bytes a token stands for on average."""
    counts = Counts()
    if config.adopt:
        _adopt(config.adopt, out)
        counts.notes["adopted"] = config.adopt
    else:
        _train(mixture, config, out, counts, work)
        counts.notes["pattern"] = config.pattern
    encoder = load_encoder(out)
    check_round_trip(encoder, SAMPLE_TEXTS, config.adopt or str(out))
    size = encoder.get_vocab_size()
    counts.add("vocabulary", size)
    if not config.adopt and size < config.vocabulary:
        counts.notes["note"] = f"the text held only {size:,} of {config.vocabulary:,} tokens"
    return counts


def load_encoder(folder: Path) -> Encoder:
    """The tokenizer of a folder; a damaged one is an error that names the file."""
    from tokenizers import Tokenizer as Encoder

    path = folder / "tokenizer.json"
    if not path.exists():
        raise UserError(f"{folder} has no tokenizer.json", "name a folder that holds a Hugging Face tokenizer")
    try:
        return Encoder.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception for whatever is wrong with the file
        raise UserError(
            f"{path} does not load: {str(error).splitlines()[0]}", "the file is damaged; fetch the tokenizer again"
        ) from None


def check_round_trip(encoder: Encoder, texts: tuple[str, ...] | list[str], where: str) -> None:
    """Fail where ``decode(encode(text))`` is not the text; ``where`` the tokenizer lies stands in the error."""
    for text in texts:
        back = encoder.decode(encoder.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
        if back != text:
            raise FaultError(
                f"the tokenizer of {where} does not give a text back: {text!r} became {back!r}", "use a byte-level BPE"
            )


def end_of_text(folder: Path) -> str:
    """The token that ends a document, by the folder's ``tokenizer_config.json``; an adopted tokenizer has its own."""
    path = folder / "tokenizer_config.json"
    token = read_object(path, "fetch the tokenizer again").get("eos_token") if path.exists() else None
    if isinstance(token, dict):
        token = token.get("content")
    if not token:
        raise UserError(f"{folder}: no eos_token in tokenizer_config.json", "name the token that ends a text there")
    return str(token)


def _train(mixture: Path, config: Tokenizer, out: Path, counts: Counts, work: Work) -> None:
    from tokenizers import Tokenizer as Encoder
    from tokenizers import decoders, models, pre_tokenizers, trainers

    model = models.BPE(ignore_merges=config.pattern == "llama-bpe")  # as llama.cpp does for that name
    encoder = Encoder(model)
    encoder.pre_tokenizer = _pattern(config.pattern)
    encoder.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    encoder.train_from_iterator(_texts(mixture, config.sample_bytes, counts, work), trainer)
    if not counts.numbers["documents"]:
        raise UserError(f"{mixture} holds no training document", "see `deepred show` of the mixture")
    save(encoder, out)


def _pattern(name: str) -> Any:
    """The pre-tokenizer that llama.cpp knows under this name; another split gives other ids there, silently."""
    from tokenizers import Regex, pre_tokenizers

    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if name == "gpt-2":
        return gpt2
    if name == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt2])
    split = pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _texts(mixture: Path, limit: int, counts: Counts, work: Work) -> Iterator[str]:
    """The training texts, or a share of them drawn by document where they are longer than the limit."""
    total = sum(len(row["text"].encode()) for row in read_rows(mixture, "train-*.parquet", ["text"]))
    share = min(1.0, limit / max(total, 1))
    for row in read_rows(mixture, "train-*.parquet", ["id", "text"]):
        if share < 1 and fraction(0, "tokenizer", row["id"]) >= share:
            continue
        counts.add("documents")
        counts.add("bytes", len(row["text"].encode()))
        if counts.numbers["documents"] % 1000 == 0:
            work.report(counts)
        yield row["text"]


def save(encoder: Encoder, out: Path) -> None:
    """Write the folder that ``transformers`` and llama.cpp's converters read."""
    write_text(out / "tokenizer.json", encoder.to_str(pretty=False))
    special = {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT, "pad_token": PADDING}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    added = {str(encoder.token_to_id(token)): {"content": token, **flags} for token in SPECIAL_TOKENS}
    settings = {
        **special,
        "add_bos_token": False,  # stated, since llama.cpp and converters guess it otherwise
        "add_eos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": [START, END],
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    write_text(out / "tokenizer_config.json", json.dumps(settings, indent=2) + "\n")
    write_text(out / "special_tokens_map.json", json.dumps(special, indent=2) + "\n")
    write_text(out / "chat_template.jinja", CHAT_TEMPLATE)


def _adopt(name: str, out: Path) -> None:
    folder = Path(name)
    if folder.is_file():
        convert(folder, out)
        return
    if not folder.is_dir():
        folder = _from_hub(name)
    if not (folder / "tokenizer.json").exists() and (folder / MODEL_FILE).exists():
        convert(folder / MODEL_FILE, out)
    else:
        load_encoder(folder)
    for file in ADOPTED_FILES:
        if (folder / file).exists():
            with replaced(out / file) as partial:
                shutil.copyfile(folder / file, partial)
    end_of_text(out)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(ADOPTED_FILES)))
    except Exception as error:  # the hub client raises a family of errors for a wrong name, no network, no access
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"tokenizer.adopt = {name!r} is no folder here and the hub does not give it: {reason}",
            "download the model on a machine with network and set tokenizer.adopt to its folder",
        ) from None


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
    from sentencepiece import SentencePieceProcessor

    try:
        return SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"{path} is no SentencePiece model but {describe_file(path)}: {str(error).splitlines()[0]}",
            "name a tokenizer.model, or the folder that holds a tokenizer.json",
        ) from None


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


def render(messages: Sequence[dict[str, str]]) -> str:
    r"""A conversation as the text that the model reads, the same that ``CHAT_TEMPLATE`` makes of it.

    >>> render([{"role": "user", "content": "Hello"}])
    '<|im_start|>user\nHello<|im_end|>\n'
    """
    return "".join(f"{_opening(message)}{disarm(message['content'])}{END}\n" for message in messages)


def _opening(message: dict[str, str]) -> str:
    return f"{START}{disarm(message['role'])}\n"


def answer_spans(messages: Sequence[dict[str, str]]) -> list[tuple[int, int]]:
    """Spans of ``render(messages)`` that the assistant writes: each answer with the ``<|im_end|>`` that ends it.

    >>> text = render([{"role": "assistant", "content": "Yes."}])
    >>> [text[start:end] for start, end in answer_spans([{"role": "assistant", "content": "Yes."}])]
    ['Yes.<|im_end|>']
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for message in messages:
        length = len(render([message]))
        if message["role"] == "assistant":
            spans.append((position + len(_opening(message)), position + length - 1))
        position += length
    return spans
