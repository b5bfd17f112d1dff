import io
import json
import random

import pytest
import sentencepiece

from deepred.base.errors import FaultError, UserError
from deepred.corpus.tokenizer import load_encoder, train_tokenizer
from deepred.run.config import Tokenizer
from deepred.run.settings import Settings
from deepred.run.stage import Work

TEXTS = [
    "The quiet town built two bridges in 1911.",
    "Engineers read old letters by lamplight.",
    "Москва 北京 naïve",
] * 60


def train(path, **more):
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
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=written, **options | more)
    path.write_bytes(written.getvalue())
    return path


def adopt(name, out):
    out.mkdir()
    train_tokenizer(mixture=out, config=Tokenizer(adopt=str(name)), out=out, work=Work(Settings()))
    return out


def test_a_bare_model_gives_the_ids_that_sentencepiece_gives(tmp_path):
    path = train(tmp_path / "tokenizer.model")
    encoder = load_encoder(adopt(tmp_path, tmp_path / "out"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for text in [*TEXTS[:3], "  odd   spaces ", "unseen: Ωmega ☭ 🚀", "a\tb\nc"]:
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

    path = train(tmp_path / "tokenizer.model")
    tokenizer = AutoTokenizer.from_pretrained(adopt(tmp_path, tmp_path / "out"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert tokenizer.encode(TEXTS[0], add_special_tokens=False) == model.encode(TEXTS[0])


def test_another_kind_of_model_is_refused_by_its_ids(tmp_path):
    train(tmp_path / "tokenizer.model", normalization_rule_name="nmt_nfkc")
    with pytest.raises(FaultError, match="another kind than Llama 2's"):
        adopt(tmp_path, tmp_path / "out")


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"tokenizer\.model is no SentencePiece model"):
        adopt(tmp_path, tmp_path / "out")
