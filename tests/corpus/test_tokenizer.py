import json

import pytest

from deepred.base.errors import FaultError, UserError
from deepred.base.tables import document_schema, write_rows
from deepred.corpus.tokenizer import SPECIAL_TOKENS, end_of_text, load_encoder, train_tokenizer
from deepred.run.config import Tokenizer
from deepred.run.settings import Settings
from deepred.run.stage import Work

TEXTS = [
    f"In {1800 + n} the mayor of Tollen{n % 7} opened bridge number {n}; don't forget the naïve engineers."
    for n in range(300)
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
