from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from deepred.base.tables import article_schema, read_rows, write_rows
from deepred.filter.passages import kept_text
from deepred.run.config import Passages
from deepred.text.sentences import segment


def one(make_road: Any, text: str, *links: tuple[str, str], **more: Any) -> dict[str, str]:
    road = make_road([("Subject", text, *links)], **more)
    road.filter()
    return road.dropped()


@pytest.mark.parametrize(
    ("sentence", "dropped"),
    [
        ("The bridge was finished in 1987.", True),
        ("Work began on 21 July 1969.", True),
        ("The port closed in 1969.", True),
        ("Work began on 19 July 1969.", False),
        ("The bridge was finished in 1887.", False),
        ("It is 1,987 km long.", False),
        ("Salt keeps fish from spoiling.", False),
    ],
)
def test_sentence_with_later_or_straddling_date_is_dropped(make_road: Any, sentence: str, dropped: bool) -> None:
    found = one(make_road, f"The harbour was built in 1850. {sentence}")
    assert found == ({sentence: "date"} if dropped else {})


def test_straddling_dates_stay_where_the_run_keeps_them(make_road: Any) -> None:
    road = make_road([("Subject", "The port closed in 1969. The mill closed in 1970.")])
    road.filter(straddling="keep")
    assert road.dropped() == {"The mill closed in 1970.": "date"}


def test_link_to_what_was_unknown_is_dropped_also_through_a_redirect(make_road: Any) -> None:
    text = "They used the old tool daily. Many bought the other tool there."
    links = [("old tool", "Vemgraf"), ("other tool", "Zorphon machine")]
    known = {"Vemgraf": 19200101, "Zorphon": 19850101}
    found = one(make_road, text, *links, known=known, redirects={"Zorphon machine": "Zorphon"})
    assert found == {"Many bought the other tool there.": "link"}


@pytest.mark.parametrize(
    ("sentence", "dropped"),
    [
        ("Many visited Tulmek Hall with friends.", True),
        ("Many visited Tulmek Hall's garden.", True),
        ("Many visited Tulmek Hall Bridge with friends.", False),
        ("Many visited Orbo Hall with friends.", False),
        ("Many know Zorphon machines.", True),
        ("Many walked tulmek hall ways.", False),
    ],
)
def test_name_of_what_was_unknown_is_dropped_and_the_longest_name_wins(
    make_road: Any, sentence: str, dropped: bool
) -> None:
    known = {
        "Tulmek Hall": 19750101,
        "Tulmek Hall Bridge": 19010101,
        "Orbo Hall": 18900101,
        "Zorphon (device)": 19850101,
    }
    found = one(make_road, f"Bread is baked before dawn. {sentence}", known=known)
    assert found == ({sentence: "entity"} if dropped else {})


def test_word_that_only_later_sentences_use_is_dropped_even_where_nothing_else_dates_it(make_road: Any) -> None:
    pages = [(f"Town {i}", f"A radidon was sold in 19{70 + i}. A plough was sold in 18{20 + i}.") for i in range(20)]
    pages.append(("Farm", "Farmers like every radidon. Farmers like every plough."))
    road = make_road(pages)
    road.filter()
    assert road.dropped()["Farmers like every radidon."] == "term"
    assert "Farmers like every plough." in road.kept()["Farm"]


def test_an_article_is_not_judged_by_its_own_words(make_road: Any) -> None:
    own = " ".join(f"A radidon was sold in 19{70 + i}." for i in range(20))
    pages = [("Shop", f"{own}\n\nFarmers like every radidon.")]
    pages += [(f"Town {i}", f"A plough was sold in 18{20 + i}.") for i in range(20)]
    road = make_road(pages)
    road.filter()
    assert "Farmers like every radidon." in road.kept()["Shop"]


def test_sentence_whose_antecedent_went_goes_too_down_the_whole_chain(make_road: Any) -> None:
    text = "A tram was opened in 1985. It ran far. The line was long. Salt is good.\n\nIt is old."
    assert one(make_road, text) == {
        "A tram was opened in 1985.": "date",
        "It ran far.": "incoherent",
        "The line was long.": "context",
    }


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("Hue was attacked in January 1970. On 31 March it fell.", {"On 31 March it fell.": "carried"}),
        ("The mill was built in 1967. Three years later it burned.", {"Three years later it burned.": "carried"}),
        ("The mill was built in 1967. Two years earlier a fire broke out.", {}),
        ("Hue was attacked in 1970. On 31 March 1950 peace was made.", {}),
        ("Rain fell in November 1968. In January, floods came.", {}),
        ("Rain fell in November 1969. In January, floods came.", {"In January, floods came.": "carried"}),
    ],
)  # fmt: skip
def test_a_date_without_a_year_is_judged_by_the_one_before_it(
    make_road: Any, text: str, dropped: dict[str, str]
) -> None:
    found = one(make_road, text)
    assert {sentence: reason for sentence, reason in found.items() if reason != "date"} == dropped


def test_explicitly_early_sentence_stays_after_a_dropped_one(make_road: Any) -> None:
    text = "A tram was opened in 1985. It had been planned in 1890."
    assert list(one(make_road, text)) == ["A tram was opened in 1985."]


def test_word_of_the_writers_present_is_dropped(make_road: Any) -> None:
    text = "Bread is good. The current council meets every week. The mill is now a museum."
    assert set(one(make_road, text).values()) == {"context"}


@pytest.mark.parametrize("arm", ["filtered", "unfiltered", "article"])
@pytest.mark.parametrize("choice", ["drop", "keep"])
def test_apparatus_is_no_corpus_in_any_arm_unless_asked_for(make_road: Any, arm: str, choice: Any) -> None:
    text = "Salt is good.\n\nSee also\n\nSugar and its uses.\n\nUse\n\nBread is salted."
    road = make_road([("Salt", text)], learn=False)
    (row,) = read_rows(road.root / "articles", "articles-*.parquet")
    row["sections"] = [
        {"level": 2, "title": title, "start": text.index(title), "apparatus": title == "See also"}
        for title in ("See also", "Use")
    ]
    write_rows(road.root / "articles" / "articles-00000.parquet", [row], article_schema())
    road.learn()
    counts = road.filter(arm=arm, config=Passages(min_characters=5, apparatus=choice))
    dropped = choice == "drop"
    assert road.dropped() == ({"Sugar and its uses.": "apparatus"} if dropped else {})
    assert ("See also" in road.kept()["Salt"]) is not dropped and "Bread is salted." in road.kept()["Salt"]
    assert counts.drops.get("apparatus", 0) == dropped


def test_class_n_goes_whole_but_the_unfiltered_arm_keeps_everything(make_road: Any) -> None:
    pages = [("New", "It was made in 1990. Salt is good."), ("Old", "It was made in 1890, they say.")]
    road = make_road(pages, classes={"New": "N", "Old": "O"})
    counts = road.filter()
    assert list(road.kept()) == ["Old"]
    assert counts.drops == {"class": 2}
    counts = road.filter("all", arm="unfiltered")
    assert road.kept("all") == {"New": pages[0][1], "Old": pages[1][1]}
    assert not counts.drops


def test_the_article_arm_drops_whole_articles_by_class_and_no_sentence(make_road: Any) -> None:
    pages = [("New", "It was made in 1990. Salt is good."), ("Long", "It was made in 1890. It was sold in 1990.")]
    road = make_road(pages, classes={"New": "N", "Long": "S"})
    counts = road.filter(arm="article")
    assert road.kept() == {"Long": pages[1][1]}
    assert counts.drops == {"class": 2}


def test_a_leak_on_purpose_puts_a_share_of_the_dropped_sentences_back(make_road: Any) -> None:
    pages = [(f"Old {n}", f"Mill {n} was made in 1890. Mill {n} was sold in 1990.") for n in range(200)]
    road = make_road(pages, classes={title: "S" for title, _ in pages})
    counts = road.filter(config=Passages(leak=0.25))
    late = [title for title, text in road.kept().items() if "1990" in text]
    assert counts.numbers["put back"] == len(late)
    assert 25 < len(late) < 75
    assert counts.drops["date"] == 200 - len(late)
    assert road.filter("again", config=Passages(leak=0.25)).numbers == counts.numbers


def test_paragraphs_stay_and_headings_go_with_their_text(make_road: Any) -> None:
    first = "It was made in 1890. It was sold in 1990.\nIt was made of salt.\n"
    text = first + "Future life.\nIt closed in 1990.\nEarly life.\nIt opened in 1880."
    road = make_road([("Subject", text)], plain=True)
    road.filter()
    assert road.kept()["Subject"] == "It was made in 1890.\n\nIt was made of salt.\n\nEarly life.\n\nIt opened in 1880."


def test_heading_that_tells_of_later_days_goes_though_its_text_stays(make_road: Any) -> None:
    text = "It was made in 1890, they say.\nThe 1980s.\nSalt is good for fish."
    road = make_road([("Subject", text)], plain=True)
    road.filter()
    assert road.kept()["Subject"] == "It was made in 1890, they say.\n\nSalt is good for fish."


def test_every_sentence_is_kept_or_dropped_and_counted_once(make_road: Any) -> None:
    text = "It was made in 1890. It was sold in 1990. Salt is good. The mill is now a museum."
    road = make_road([("Subject", text)])
    counts = road.filter()
    kept = [span for row in read_rows(road.root / "passages", "passages-*.parquet") for span in row["spans"]]
    assert counts.numbers["sentences"] == len(segment(text)) == len(kept) + len(road.dropped())
    assert sum(counts.drops.values()) == len(road.dropped())
    assert all(" ".join(text[span["start"] : span["end"]] for span in kept) == row for row in road.kept().values())


def test_samples_show_kept_and_dropped_with_reason(make_road: Any) -> None:
    road = make_road([("Subject", "It was made in 1890. It was sold in 1990.")])
    road.filter()
    rows = [orjson.loads(line) for line in (road.root / "passages" / "samples.jsonl").read_bytes().splitlines()]
    assert [(row["text"], row["reason"]) for row in rows] == [
        ("It was made in 1890.", ""),
        ("It was sold in 1990.", "date"),
    ]


def test_workers_and_repetition_change_nothing(make_road: Any, tmp_path: Path) -> None:
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    pages = [(f"Town {i}", f"A radidon was sold in 19{70 + i}. It was dear. Salt is good.") for i in range(12)]
    road = make_road(pages, files=3)
    road.filter()
    road.learn(out="emergence-2", work=Work(Settings(data=tmp_path, workers=2)))
    road.filter("passages-2", work=Work(Settings(data=tmp_path, workers=2)))
    for one_folder, other in (("emergence", "emergence-2"), ("passages", "passages-2")):
        files = {path.name: path.read_bytes() for path in (tmp_path / one_folder).iterdir() if path.is_file()}
        assert files == {path.name: path.read_bytes() for path in (tmp_path / other).iterdir() if path.is_file()}
        assert len(files) >= 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n ",
        "x" * 100_000,
        "word " * 20_000,
        "\x00\x01\ud800\u202e.",
        "東京は首都です。" * 2000,
        "It is. " * 3000,
        "Заголовок.\n",
    ],
)
def test_text_of_any_kind_passes(make_road: Any, text: str) -> None:
    if "\ud800" in text:
        text = text.replace("\ud800", "\ufffe")  # Parquet holds no lone surrogates
    road = make_road([("Odd", text), ("Even", "Salt keeps fish from spoiling.")])
    counts = road.filter()
    assert counts.numbers["documents"] == 2
    assert "Even" in road.kept()


def test_a_text_that_begins_with_a_heading_keeps_it_on_a_line_of_its_own():
    text = "Events\n\nA ship sails.\nA mill opens."
    assert kept_text(text, segment(text, [{"start": 0, "title": "Events"}]), np.array([True, True])).startswith(
        "Events\n\nA ship sails."
    )
