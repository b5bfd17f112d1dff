import io
import json
import random

import pytest
import sentencepiece

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import document_schema, write_rows
from deepred.corpus.tokenizer import SPECIAL_TOKENS, answer_spans, end_of_text, load_encoder, render, train_tokenizer
from deepred.run.config import Tokenizer
from deepred.run.settings import Settings
from deepred.run.stage import Work

TEXTS = [
    f"In {1800 + n} the mayor of Tollen{n % 7} opened bridge number {n}; don't forget the naïve engineers."
    for n in range(300)
]


SPOKEN = [
    "The quiet town built two bridges in 1911.",
    "Engineers read old letters by lamplight.",
    "Москва 北京 naïve",
] * 60


TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Good day."},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "Nothing."},
]


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixture")
    rows = [{"id": f"x:{n}", "source": "wikipedia", "title": "", "text": text} for n, text in enumerate(TEXTS)]
    write_rows(folder / "train-wikipedia-00000.parquet", rows, document_schema())
    held = [{"id": "v", "source": "wikipedia", "title": "", "text": "Zyzzyva zyzzyva"}]
    write_rows(folder / "validation-wikipedia-00000.parquet", held, document_schema())
    return folder


def train(mixture, out, **config):
    out.mkdir(exist_ok=True)
    return train_tokenizer(mixture=mixture, config=Tokenizer(**config), out=out, work=Work(Settings()))


@pytest.mark.parametrize("pattern", ["gpt-2", "llama-bpe", "smollm"])
def test_trained_tokenizer_gives_every_text_back(mixture, tmp_path, pattern):
    train(mixture, tmp_path / "t", vocabulary=400, pattern=pattern)
    encoder = load_encoder(tmp_path / "t")
    for text in [*TEXTS, " \n\t x", "Ωμέγα 🚀 1234567", "<not special>"]:
        assert encoder.decode(encoder.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("gpt-2", "don't 12345\n\n x", ["don", "'t", "Ġ12345", "ĊĊ", "Ġx"]),
        ("smollm", "a 123", ["a", "Ġ", "1", "2", "3"]),
        ("llama-bpe", "a 12345\n\nx", ["a", "Ġ", "123", "45", "ĊĊ", "x"]),
    ],
)
def test_text_is_split_as_llama_cpp_splits_under_that_name(mixture, tmp_path, pattern, text, expected):
    train(mixture, tmp_path / "t", vocabulary=300, pattern=pattern)
    split = load_encoder(tmp_path / "t").pre_tokenizer.pre_tokenize_str(text)
    assert [piece for piece, _ in split] == expected


def test_special_tokens_have_the_first_ids_and_a_size_is_kept(mixture, tmp_path):
    counts = train(mixture, tmp_path / "t", vocabulary=320)
    encoder = load_encoder(tmp_path / "t")
    assert [encoder.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]
    assert encoder.get_vocab_size() == counts.numbers["vocabulary"] == 320


def test_only_the_training_split_is_read(mixture, tmp_path):
    counts = train(mixture, tmp_path / "t", vocabulary=400)
    assert counts.numbers["documents"] == len(TEXTS)


def test_training_twice_gives_the_same_bytes(mixture, tmp_path):
    for name in ("a", "b"):
        train(mixture, tmp_path / name, vocabulary=500)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_byte_limit_samples_documents_evenly(mixture, tmp_path):
    total = sum(len(text.encode()) for text in TEXTS)
    counts = train(mixture, tmp_path / "t", vocabulary=300, sample_bytes=total // 2)
    assert 0.35 * total < counts.numbers["bytes"] < 0.65 * total


def test_transformers_loads_it_with_its_chat_template(mixture, tmp_path):
    from transformers import AutoTokenizer

    train(mixture, tmp_path / "t", vocabulary=400)
    loaded = AutoTokenizer.from_pretrained(tmp_path / "t")
    assert (loaded.eos_token, loaded.pad_token) == ("<|endoftext|>", "<|pad|>")
    assert loaded("Bridge number 7")["input_ids"] == load_encoder(tmp_path / "t").encode("Bridge number 7").ids
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    assert loaded.apply_chat_template(talk, tokenize=False) == (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n"
    )
    assert loaded.apply_chat_template(talk[:1], tokenize=False, add_generation_prompt=True).endswith("assistant\n")
    assert loaded.encode("<|im_end|>") == [2]


def test_a_tokenizer_is_adopted_as_it_is(mixture, tmp_path):
    train(mixture, tmp_path / "base", vocabulary=400)
    counts = train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / "t" / name).read_bytes() == (tmp_path / "base" / name).read_bytes()
    assert counts.numbers["vocabulary"] == 400
    assert end_of_text(tmp_path / "t") == "<|endoftext|>"


def test_a_damaged_tokenizer_is_named(mixture, tmp_path, samples):
    damaged = (samples / "tokenizers" / "tinyllama-tokenizer-damaged.json").read_bytes()
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "tokenizer.json").write_bytes(damaged)
    with pytest.raises(UserError, match=r"tokenizer\.json does not load"):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))


def test_a_truncated_tokenizer_is_named(mixture, tmp_path):
    train(mixture, tmp_path / "base", vocabulary=300)
    path = tmp_path / "base" / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"tokenizer\.json does not load"):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))


def test_a_folder_without_a_tokenizer_is_named(mixture, tmp_path):
    (tmp_path / "base").mkdir()
    with pytest.raises(UserError, match=r"has no tokenizer\.json"):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))


def test_a_hub_that_cannot_be_reached_says_how_to_get_the_tokenizer(mixture, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match="download the model"):
        train(mixture, tmp_path / "t", adopt="nobody/nothing")


def test_a_tokenizer_that_alters_text_is_refused(mixture, tmp_path):
    train(mixture, tmp_path / "base", vocabulary=300)
    path = tmp_path / "base" / "tokenizer.json"
    content = json.loads(path.read_text())
    content["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(content))
    with pytest.raises(FaultError, match="does not give a text back"):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))


def test_a_tokenizer_without_an_end_of_text_is_refused(mixture, tmp_path):
    train(mixture, tmp_path / "base", vocabulary=300)
    (tmp_path / "base" / "tokenizer_config.json").unlink()
    with pytest.raises(UserError, match="eos_token"):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "base"))


def train_pieces(path, **more):
    """A SentencePiece model of Llama 2's kind, unless said otherwise."""
    written = io.BytesIO()
    options = {
        "model_type": "bpe",
        "vocab_size": 420,
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "character_coverage": 1.0,
        "minloglevel": 2,
    }
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(SPOKEN), model_writer=written, **options | more)
    path.write_bytes(written.getvalue())
    return path


def adopt(name, out):
    out.mkdir()
    train_tokenizer(mixture=out, config=Tokenizer(adopt=str(name)), out=out, work=Work(Settings()))
    return out


def test_a_bare_model_gives_the_ids_that_sentencepiece_gives(tmp_path):
    path = train_pieces(tmp_path / "tokenizer.model")
    encoder = load_encoder(adopt(tmp_path, tmp_path / "out"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for text in [*SPOKEN[:3], "  odd   spaces ", "unseen: Ωmega ☭ 🚀", "a\tb\nc"]:
        ids = encoder.encode(text, add_special_tokens=False).ids
        assert ids == model.encode(text)
        assert encoder.decode(ids) == text


def test_llama_2s_own_model_agrees_on_varied_text(samples, tmp_path):
    path = samples / "tokenizers" / "llama2-tokenizer.model"
    out = adopt(path, tmp_path / "out")
    encoder = load_encoder(out)
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    articles = (samples / "wikitext").glob("*")
    words = [word for article in sorted(articles)[:8] for word in article.read_text(encoding="utf-8").split()[:400]]
    pick = random.Random(1)
    for _ in range(200):
        text = "".join(pick.choice(words) + pick.choice([" ", " ", "  ", "\n", ""]) for _ in range(20))
        assert encoder.encode(text, add_special_tokens=False).ids == model.encode(text)
    settings = json.loads((out / "tokenizer_config.json").read_text())
    assert (settings["bos_token"], settings["eos_token"], settings["add_bos_token"]) == ("<s>", "</s>", True)


def test_transformers_loads_what_was_made(tmp_path):
    from transformers import AutoTokenizer

    path = train_pieces(tmp_path / "tokenizer.model")
    tokenizer = AutoTokenizer.from_pretrained(adopt(tmp_path, tmp_path / "out"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert tokenizer.encode(SPOKEN[0], add_special_tokens=False) == model.encode(SPOKEN[0])


def test_another_kind_of_model_is_refused_by_its_ids(tmp_path):
    train_pieces(tmp_path / "tokenizer.model", normalization_rule_name="nmt_nfkc")
    with pytest.raises(FaultError, match="another kind than Llama 2's"):
        adopt(tmp_path, tmp_path / "out")


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"tokenizer\.model is no SentencePiece model"):
        adopt(tmp_path, tmp_path / "out")


def test_spans_hold_every_answer_with_its_end_and_nothing_else():
    text = render(TALK)
    assert [text[start:end] for start, end in answer_spans(TALK)] == ["Good day.<|im_end|>", "Nothing.<|im_end|>"]


def test_a_conversation_is_rendered_turn_by_turn():
    assert render(TALK[:2]) == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"version": "1.0"}', "but JSON.*folder that holds a tokenizer.json"),
        (b"GGUF\x03" + bytes(40), "a GGUF file"),
        (b"IQ== 0\nIg== 1\n", "begins with 'IQ=="),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
    ],
)
def test_a_tokenizer_file_of_another_kind_is_named(mixture, tmp_path, content, words):
    pytest.importorskip("sentencepiece")
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match=words):
        train(mixture, tmp_path / "t", adopt=str(tmp_path / "file"))
