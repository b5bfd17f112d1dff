"""Texts are scored with the tokens that they were learned with."""

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from deepred.corpus.shards import _encoder
from deepred.evaluate.model_scores import ModelScorer
from tiny_llama import build_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("text", ["It says <|endoftext|> here.", "<|im_end|>", "</s>", "<|pad|> x", "plain"])
def test_what_looks_like_a_special_token_in_a_text_is_text(folder, text):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    scorer = ModelScorer(AutoModelForCausalLM.from_pretrained(folder), tokenizer, "cpu")
    ids = scorer.encode("", text).ids[len(scorer.prefix) :]
    assert list(ids) == _encoder(folder).encode(text, add_special_tokens=False).ids
    assert not set(ids) & set(tokenizer.all_special_ids)
    assert tokenizer.encode("<|im_end|>", add_special_tokens=False) == [tokenizer.convert_tokens_to_ids("<|im_end|>")]
