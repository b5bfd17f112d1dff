"""Chunks: never above the maximum, nothing lost, cut at the best place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepred.text.chunks import estimate_tokens, split_chunks

TEXT = st.text(alphabet=st.sampled_from("ab .\n!“月é1"), max_size=400)


@settings(max_examples=150, deadline=None)
@given(TEXT, st.integers(16, 60))
def test_chunks_together_are_the_text_and_none_is_too_long(text, most):
    chunks = split_chunks(text, most)
    assert "".join(chunks) == text
    assert all(estimate_tokens(chunk) <= most for chunk in chunks)


@settings(max_examples=60, deadline=None)
@given(TEXT, st.integers(16, 60))
def test_the_maximum_is_exact_for_a_tokenizer_whose_counts_do_not_add_up(text, most):
    def count(part):
        return len(part.encode()) // 2 + part.count("\n\n") * 3 + (len(part) > 20)

    chunks = split_chunks(text, most, count)
    assert "".join(chunks) == text
    assert all(count(chunk) <= most for chunk in chunks)


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("", []),
        ("one two\n\nthree four", ["one two\n\nthree four"]),
        ("a b c d e f g h i j\n\nk l m n o p q r", ["a b c d e f g h i j\n\n", "k l m n o p q r"]),
        (
            "One is here. Two is here. Three is here. Four is here. Five is.",
            ["One is here. Two is here. Three is here. Four is here. ", "Five is."],
        ),
        ("x " * 20, ["x " * 16, "x " * 4]),
    ],
)
def test_a_text_is_cut_at_paragraphs_then_sentences_then_words(text, chunks):
    assert split_chunks(text, 16) == chunks


def test_a_word_longer_than_a_chunk_is_cut():
    chunks = split_chunks("a" * 1000, 16)
    assert "".join(chunks) == "a" * 1000
    assert all(estimate_tokens(chunk) <= 16 for chunk in chunks)


def test_a_maximum_that_one_character_may_exceed_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        split_chunks("a", 3)
