import random

import numpy as np
import pytest

from deepred.corpus.duplicates import (
    EXACT,
    NEAR,
    NONE,
    Bands,
    Signatures,
    SignatureWriter,
    exact_hash,
    find_duplicates,
    jaccard,
    shingles_of,
)
from deepred.corpus.phrases import words_of


def signatures(folder, texts, threshold=0.8):
    writer = SignatureWriter(folder, "a", Bands.of(threshold) if threshold else None)
    for text in texts:
        writer.add(text, words_of(text))
    writer.close()
    return Signatures(folder, ["a"])


def random_texts(count, words=120, seed=0):
    pick = random.Random(seed)
    return [" ".join(f"w{pick.randrange(4000)}" for _ in range(words)) for _ in range(count)]


def test_bands_find_a_pair_at_the_threshold_with_the_wanted_recall():
    for threshold in (0.5, 0.7, 0.8, 0.9, 1.0):
        bands = Bands.of(threshold)
        assert 1 - (1 - threshold**bands.rows) ** bands.count >= 0.99
        assert bands.count * bands.rows <= 128


def test_planted_copies_with_a_changed_passage_are_found_and_nothing_else(tmp_path):
    texts = random_texts(300)
    copies = []
    for text in texts[:100]:
        words = text.split()
        words[50:56] = ["new"] * 6  # 10 of 116 shingles differ: Jaccard about 0.84
        copies.append(" ".join(words))
    kinds, originals = find_duplicates(signatures(tmp_path, texts + copies), 0.8)
    assert (kinds[:300] == NONE).all()
    assert (kinds[300:] == NEAR).sum() >= 95
    assert all(original in (-1, number) for number, original in enumerate(originals[300:].tolist()))


def test_exact_copies_point_to_the_first(tmp_path):
    kinds, originals = find_duplicates(signatures(tmp_path, ["one two three", "x y z", "one  two\nthree"]), 0.8)
    assert kinds.tolist() == [NONE, NONE, EXACT]
    assert originals.tolist() == [-1, -1, 0]


def test_games_from_one_template_stay_apart(tmp_path):
    pick = random.Random(1)
    squares = [file + rank for file in "abcdefgh" for rank in "12345678"]
    games = [
        "[White to play] 1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6 "
        + " ".join(f"{n}. {pick.choice('NBRQK')}{pick.choice(squares)} {pick.choice(squares)}" for n in range(5, 30))
        + " White resigns. 0-1"
        for _ in range(300)
    ]
    kinds, _ = find_duplicates(signatures(tmp_path, games), 0.8)
    assert (kinds == NONE).all()


def test_threshold_zero_finds_exact_copies_only(tmp_path):
    text = random_texts(1)[0]
    kinds, _ = find_duplicates(signatures(tmp_path, [text, text + " more", text], 0.0), 0.0)
    assert kinds.tolist() == [NONE, NONE, EXACT]


def test_a_thousand_near_copies_of_one_page_leave_one(tmp_path):
    text = random_texts(1)[0]
    kinds, originals = find_duplicates(signatures(tmp_path, [f"{text} {n}" for n in range(1000)]), 0.8)
    assert kinds[0] == NONE
    assert (kinds[1:] == NEAR).all()
    assert set(originals[1:].tolist()) == {0}


def test_parts_are_read_as_one_sequence(tmp_path):
    for name, texts in (("a", ["one two three four five six"]), ("b", []), ("c", ["one two three four five six"])):
        writer = SignatureWriter(tmp_path, name, Bands.of(0.8))
        for text in texts:
            writer.add(text, words_of(text))
        writer.close()
    kinds, originals = find_duplicates(Signatures(tmp_path, ["a", "b", "c"]), 0.8)
    assert kinds.tolist() == [NONE, EXACT]
    assert originals.tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("a b c d e f", "a b c d e f", 1.0), ("a b c d e f", "a b c d e g", 1 / 3), ("", "", 0.0), ("a", "a", 1.0)],
)
def test_jaccard_of_word_shingles(a, b, expected):
    assert jaccard(shingles_of(a.split()), shingles_of(b.split())) == pytest.approx(expected)


def test_white_space_does_not_distinguish_texts():
    assert exact_hash("a  b") == exact_hash("a b\n") != exact_hash("ab")


def test_shingles_are_a_sorted_set():
    found = shingles_of(list("abcdefabcdefabcdef"))
    assert len(found) == 6
    assert (np.diff(found.astype(np.int64)) > 0).all()
