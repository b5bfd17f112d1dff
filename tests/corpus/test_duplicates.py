import random
from itertools import islice

import numpy as np
import pytest

from deepred.base.tables import read_rows
from deepred.corpus import duplicates
from deepred.corpus import minhash as stored
from deepred.corpus.duplicates import EXACT, NEAR, NONE, find_duplicates, resemblance
from deepred.corpus.minhash import Bands, Signatures, SignatureWriter, exact_hash, numbers_of, shingles_of
from deepred.text.phrases import names_of

THRESHOLD = 0.85


def write(folder, name, texts, threshold=THRESHOLD):
    writer = SignatureWriter(folder, name, Bands.of(threshold) if threshold else None)
    for text in texts:
        writer.add(text, names_of(text))
    writer.close()


def find(folder, texts, threshold=THRESHOLD):
    write(folder, "a", texts, threshold)
    return find_duplicates(Signatures(folder, ["a"]), threshold, folder)


def random_texts(count, words=120, seed=0):
    pick = random.Random(seed)
    return [" ".join(f"w{pick.randrange(4000)}" for _ in range(words)) for _ in range(count)]


def changed(text, pick, share=0.1):
    words = text.split()
    for place in pick.sample(range(len(words)), round(share * len(words))):
        words[place] = f"w{pick.randrange(4000)}"
    return " ".join(words)


def inserted_and_deleted(text, pick, share=0.1):
    words = text.split()
    for number in range(round(share * len(words))):
        place = pick.randrange(len(words))
        words[place : place + number % 2] = [] if number % 2 else [f"w{pick.randrange(4000)}"]
    return " ".join(words)


def moved(text, pick):
    words = text.split()
    blocks = [words[start : start + 30] for start in range(0, len(words), 30)]
    return " ".join(word for block in pick.sample(blocks, len(blocks)) for word in block)


def test_bands_find_a_copy_at_the_threshold_with_the_wanted_recall():
    for share in (0.5, 0.7, 0.8, 0.9, 1.0):
        bands = Bands.of(share)
        jaccard = share**3 / (2 - share**3)
        assert 1 - (1 - jaccard**bands.rows) ** bands.count >= 0.9
        assert bands.count * bands.rows <= 256


@pytest.mark.parametrize("edit", [changed, inserted_and_deleted, moved])
def test_planted_copies_with_scattered_edits_are_found_and_nothing_else(tmp_path, edit):
    texts = random_texts(400)
    pick = random.Random(5)
    kinds, originals = find(tmp_path, texts + [edit(text, pick) for text in texts[:200]])
    assert (kinds[:400] == NONE).all()
    assert (kinds[400:] != NONE).sum() >= 190
    assert all(original in (-1, number) for number, original in enumerate(originals[400:].tolist()))


def test_a_text_with_every_fourth_word_changed_is_another_text(tmp_path):
    texts = random_texts(50)
    pick = random.Random(6)
    kinds, _ = find(tmp_path, texts + [changed(text, pick, 0.25) for text in texts])
    assert (kinds == NONE).all()


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("a b c d e f", "a b c d e f", 1.0),
        ("a b c d e f", "a b c x e f", 5 / 6),
        ("a b c d e f", "a b c d e", 5 / 6),
        ("a b c d e f g h i j k l m n o p q r s t", "k l m n o p q r s t a b c d e f g h i j", 1.0),
        ("a b c d e f", "d e f a b c", 0.5),
        ("a b c", "x y z", 0.0),
        ("", "", 0.0),
        ("a", "a", 1.0),
    ],
)
def test_resemblance_is_the_share_of_common_words(a, b, expected):
    assert resemblance(numbers_of(a.split()), numbers_of(b.split())) == pytest.approx(expected)


YEAR = (
    "{y} was a {common} year of the Julian calendar, beginning on a {day}. In Rome it was known as the year of the "
    "consulship of {a} and {b}. The name {y} for this year has been used since the early medieval period, when the era "
    "of {y} became the method in Europe for naming years. It was also a year in which the harvest was good."
)


def test_pages_of_one_template_that_differ_in_names_and_numbers_stay_apart(tmp_path):
    days, names = ("Monday", "Sunday", "Friday"), ("Atticus", "Rufus", "Scipio", "Piso", "Crassus", "Galba")
    texts = [
        YEAR.format(y=300 + n, common="common", day=days[n % 3], a=names[n % 6], b=names[n * 7 % 5]) for n in range(30)
    ]
    kinds, _ = find(tmp_path, texts)
    assert (kinds == NONE).all()


def test_a_copy_with_other_words_is_found_however_many_names_it_has(tmp_path):
    text = YEAR.format(y=321, common="common", day="Monday", a="Atticus", b="Piso")
    copy = text.replace("beginning", "starting").replace("method", "custom").replace("harvest", "wine")
    assert find(tmp_path, [text, copy])[0].tolist() == [NONE, NEAR]


def test_many_parts_read_in_many_ranges_and_blocks_find_the_same(tmp_path, monkeypatch):
    texts = random_texts(60)
    pick = random.Random(7)
    texts += [changed(text, pick) for text in texts[:30]] + texts[:10]
    kinds, originals = find(tmp_path, texts)
    monkeypatch.setattr(stored, "RANGE", 7)
    monkeypatch.setattr(duplicates, "BLOCK", 9)
    for number in range(0, 100, 20):
        write(tmp_path, f"part-{number:03d}", texts[number : number + 20])
    again = find_duplicates(Signatures(tmp_path, [f"part-{n:03d}" for n in range(0, 100, 20)]), THRESHOLD, tmp_path)
    assert (again[0] == kinds).all()
    assert (again[1] == originals).all()
    assert (kinds[60:] != NONE).sum() >= 38


def test_exact_copies_point_to_the_first(tmp_path):
    kinds, originals = find(tmp_path, ["one two three", "x y z", "one  two\nthree"])
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
    kinds, _ = find(tmp_path, games)
    assert (kinds == NONE).all()


def test_threshold_zero_finds_exact_copies_only(tmp_path):
    text = random_texts(1)[0]
    kinds, _ = find(tmp_path, [text, text + " more", text], 0.0)
    assert kinds.tolist() == [NONE, NONE, EXACT]


def test_hundreds_of_near_copies_of_one_page_leave_one(tmp_path):
    text = random_texts(1)[0]
    kinds, originals = find(tmp_path, [f"{text} {n}" for n in range(400)])
    assert kinds[0] == NONE
    assert (kinds[1:] == NEAR).all()
    assert set(originals[1:].tolist()) == {0}


def test_parts_are_read_as_one_sequence_and_empty_texts_are_no_near_copies(tmp_path):
    text = "one two three four five six"
    for name, texts in (("a", [text]), ("b", []), ("c", [text, "?", "!"])):
        write(tmp_path, name, texts)
    kinds, originals = find_duplicates(Signatures(tmp_path, ["a", "b", "c"]), THRESHOLD, tmp_path)
    assert kinds.tolist() == [NONE, EXACT, NONE, NONE]
    assert originals.tolist() == [-1, 0, -1, -1]


def test_white_space_does_not_distinguish_texts():
    assert exact_hash("a  b") == exact_hash("a b\n") != exact_hash("ab")


def test_shingles_are_runs_of_three_words():
    found = shingles_of(numbers_of(list("abcabc")))
    assert len(found) == 4
    assert found[0] == found[3]
    assert len(np.unique(found)) == 3


def test_planted_copies_of_real_paragraphs_are_found_and_distinct_ones_kept(samples, tmp_path):
    rows = read_rows(samples / "articles", "enwiki-2015-core.parquet", ["text"])
    lines = (" ".join(line.split()) for row in islice(rows, 400) for line in row["text"].split("\n"))
    texts = list(dict.fromkeys(line for line in lines if len(line.split()) >= 40))[:2000]
    pick = random.Random(2)
    words = " ".join(texts[:200]).split()
    copies = []
    for text in texts[:300]:
        copy = text.split()
        for place in pick.sample(range(len(copy)), len(copy) // 10):
            copy[place] = pick.choice(words)
        copies.append(" ".join(copy))
    kinds, originals = find(tmp_path, texts + copies)
    assert (kinds[: len(texts)] != NONE).sum() == 0
    assert (originals[len(texts) :] == np.arange(300)).sum() >= 0.95 * 300
