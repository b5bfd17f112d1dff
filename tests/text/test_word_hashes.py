from __future__ import annotations

import numpy as np

from deepred.text.word_hashes import BLOCK, find_words, hash_runs, hash_sequence, hash_words


def words_of(text: str) -> list[str]:
    words = find_words(text)
    return [text[a:b] for a, b in zip(words.starts, words.ends)]


def test_words_are_runs_of_letters_and_digits_of_any_script() -> None:
    assert words_of("Eagle's x-ray, 1969 – Ærø; Москва") == ["Eagle", "s", "x", "ray", "1969", "Ærø", "Москва"]
    assert words_of("東京 ok") == ["東", "京", "ok"]
    assert words_of("a\u0301 \x00\ud800 b") == ["a\u0301", "b"]
    assert words_of("") == words_of(" ... ") == []


def test_equal_words_have_equal_hashes_whatever_their_place_and_case() -> None:
    far = find_words("x" * (BLOCK - 3) + " Alpha " + "y" * (3 * BLOCK) + " ALPHA alphb")
    assert far.hashes[1] == far.hashes[3] == hash_words("alpha")[0]
    assert far.hashes[4] != far.hashes[1]


def test_hashes_never_change_between_versions() -> None:
    assert hash_words("eagle").tolist() == [0x5563EB54FE0F49E3]


def test_a_run_of_words_hashes_as_the_same_words_alone_and_order_counts() -> None:
    hashes = hash_words("one two three two one")
    assert hash_runs(hashes, np.array([1]), 2).tolist() == [hash_sequence(hash_words("two three"))]
    assert hash_sequence(hash_words("one two")) != hash_sequence(hash_words("two one"))


def test_capitals_and_numbers_are_told() -> None:
    words = find_words("The 2nd École of x86")
    assert words.capital.tolist() == [True, False, True, False, False]
    assert words.number.tolist() == [False, True, False, False, True]
