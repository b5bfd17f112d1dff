"""Themes: rare phrases decide, common ones count for nothing, and books can be taken by theme."""

import pytest

from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.run.config import Books
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.sources.books.books import collect_books
from deepred.sources.books.themes import Themes, load_themes, rarities, shipped_themes

MARS = Themes.of({"mars": {"3": ["canals of mars"], "1": ["moon", "queen's-moon"]}, "sea": {"2": ["sea"]}}, "t.toml")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("The canals\nof  Mars; CANALS OF MARS.", {0: 2}),
        ("The moon, the Moon! moonlight, moons", {1: 2}),
        ("seas, overseas, sea", {3: 1}),
        ("the Queen’s-Moon", {2: 1}),
        ("canals of Venus and of Mars", {}),
        ("", {}),
    ],
)
def test_phrases_are_counted_as_whole_words(text, counts):
    assert MARS.count(text) == counts


def test_a_phrase_in_every_text_counts_for_nothing_and_a_rare_one_for_most():
    rarity = rarities(100, {0: 1, 1: 100, 3: 50})
    assert MARS.score({1: 9}, rarity) == {}
    scores = MARS.score({0: 1, 3: 1}, rarity)
    assert scores["mars"] > 5 * scores["sea"] > 0


def test_repetition_saturates():
    rarity = rarities(100, {0: 1})
    assert MARS.score({0: 50}, rarity)["mars"] < 2 * MARS.score({0: 1}, rarity)["mars"]


def test_the_shipped_themes_are_those_of_the_reading_list_and_name_no_phrase_twice():
    themes = shipped_themes()
    assert themes.names == ["space", "mars", "utopia", "revolution", "exploration", "russia", "philosophy", "chess"]
    named = [(phrase.theme, phrase.words) for phrase in themes.phrases]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mars]\n", r"\[mars\] holds no phrases"),
        ('[mars]\nhigh = ["moon"]\n', "high"),
        ("[mars]\n2 = 'moon'\n", "a list"),
        ('[mars]\n2 = ["?"]\n', "empty phrase"),
        ("[mars\n", "not valid TOML"),
    ],
)
def test_an_unusable_file_of_themes_is_explained(tmp_path, text, said):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        load_themes(path)


CANALS = "The Martian looked over the canals of Mars, where other Martians stood in the dust of the dead sea bottom."
GARDEN = "She walked in the garden every evening and spoke of the weather, the roses and the neighbours' new gate."


@pytest.mark.parametrize("workers", [1, 2])
def test_only_chunks_of_the_wanted_themes_are_taken_from_books(tmp_path, workers):
    paths = []
    for number in range(18):
        body = [GARDEN] * 30 + ([CANALS] * 3 if number < 2 else [])
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_text(f"Title: Book {number}\n\nLONDON\n1900\n\n" + "\n\n".join(body), encoding="utf-8")
    out = tmp_path / f"out-{workers}"
    out.mkdir()
    counts = collect_books(
        world=None, config=Books(themes=["mars"], chunk_tokens=64), sources={"files": paths, "catalogue": []},
        cutoff=19690720, straddling="drop", out=out, work=Work(Settings(workers=workers)),
    )  # fmt: skip
    rows = list(read_rows(out, "documents-*.parquet"))
    assert rows
    assert all("Martian" in row["text"] for row in rows)
    assert sum(row["text"].count("Martian ") for row in rows) == 6
    assert len({row["id"] for row in rows}) == len(rows) == counts.numbers["documents"]
    assert counts.numbers["books"] == 18
    assert counts.drops["off-theme"] > 100
    assert counts.tallies["themes: chunks"] == {"mars": len(rows)}
    assert len(list(out.glob("decisions-*.jsonl"))) == 2
    kinds = (("documents", "parquet"), ("decisions", "jsonl"))
    expected = {f"{kind}-{number:05d}.{ending}" for kind, ending in kinds for number in (0, 1)}
    assert {path.name for path in out.glob("*.*") if path.is_file()} == expected


def test_an_unknown_theme_is_an_error_that_names_those_there_are(tmp_path):
    with pytest.raises(UserError, match="no theme venus"):
        collect_books(
            world=None, config=Books(themes=["venus"]), sources={"files": [], "catalogue": []}, cutoff=19690720,
            straddling="drop", out=tmp_path, work=Work(Settings()),
        )  # fmt: skip
