"""The generated world: its mix, its truth, its formats."""

import bz2
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from deepred.run.config import World
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.sources.chess.pgn import read_games
from deepred.sources.chess.prose import PlayedGame
from deepred.sources.chess.replay import replay
from deepred.sources.world.filler import MIX
from deepred.sources.world.mediawiki_dump import DUMP, INDEX
from deepred.sources.world.world import build_world


def build(out: Path, **config):
    out.mkdir(parents=True, exist_ok=True)
    return build_world(config=World.model_validate(config), out=out, work=Work(Settings()))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    return out, build(out)


def rows(world, name):
    return pq.read_table(world[0] / "truth" / f"{name}.parquet").to_pylist()


def pages(out):
    xml = bz2.decompress((out / DUMP).read_bytes()).decode()
    found = re.findall(
        r"<title>(.*?)</title>\s*<ns>(\d+)</ns>\s*<id>(\d+)</id>.*?<text[^>]*>(.*?)</text>", xml, re.DOTALL
    )
    return [(title, int(space), int(number), unescape(text)) for title, space, number, text in found]


def unescape(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def stripped(text):
    text = re.sub(r"<ref[^>]*/>|<ref.*?</ref>|<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"'{2,}", "", re.sub(r"\[\[(?:[^\]|]*\|)?([^\]|]*)\]\]", r"\1", text))


def later_year(text, year=1969):
    return any(int(found) >= year for found in re.findall(r"\b(1[5-9]\d\d|20\d\d)s?\b", text))


def test_reasons_of_late_sentences_have_the_measured_mix(world):
    late = Counter(row["why"] for row in rows(world, "sentences") if row["late"])
    total = sum(late.values())
    assert {why: pytest.approx(share, abs=0.03) for why, share in MIX.items()} == {
        why: n / total for why, n in late.items()
    }


def test_year_regex_finds_less_than_half_of_what_is_late(world):
    late = [row["text"] for row in rows(world, "sentences") if row["late"]]
    assert sum(map(later_year, late)) / len(late) <= 0.45


def test_most_statements_of_facts_carry_no_year(world):
    stated = [row["text"] for row in rows(world, "sentences") if row["fact"]]
    assert sum(not re.search(r"\d{4}", text) for text in stated) / len(stated) >= 0.6


def test_every_late_sentence_has_a_reason_and_no_clean_one_has(world):
    assert all(bool(row["why"]) == row["late"] for row in rows(world, "sentences"))


def test_sentences_stand_verbatim_in_the_dump(world):
    source = {number: stripped(text) for _, space, number, text in pages(world[0]) if space == 0}
    missing = [row["text"] for row in rows(world, "sentences") if row["text"] not in source[row["page_id"]]]
    assert missing == []


def test_every_fact_is_stated_often_in_several_articles(world):
    stated = rows(world, "sentences")
    mentions = Counter(row["fact"] for row in stated if row["fact"])
    articles = Counter(fact for fact, _ in {(row["fact"], row["page_id"]) for row in stated if row["fact"]})
    facts = {row["fact"] for row in rows(world, "facts")}
    assert set(mentions) == facts
    assert set(mentions.values()) == {16}
    assert min(articles.values()) >= 4


def test_prompts_of_a_fact_are_worded_in_no_sentence(world):
    told = "\n".join(row["text"].lower() for row in rows(world, "sentences"))
    for fact in rows(world, "facts"):
        assert len(fact["prompts"]) == 2
        for prompt in fact["prompts"]:
            assert f"{prompt} {fact['object']}.".lower() not in told


def test_wordings_of_prompts_are_common_through_other_facts(world):
    told = "\n".join(row["text"].lower() for row in rows(world, "sentences") if row["fact"])
    for fact in rows(world, "facts"):
        for prompt in fact["prompts"]:
            pattern = re.escape(prompt.lower()).replace(re.escape(fact["subject"].lower()), ".+")
            assert re.search(pattern, told), prompt


def test_floor_tells_another_object_and_nothing_else(world):
    facts = {row["fact"]: row for row in rows(world, "facts")}
    for row in rows(world, "sentences"):
        if row["fact"]:
            fact = facts[row["fact"]]
            assert fact["object"] in row["text"]
            assert fact["object"] not in row["floor_text"]
            assert row["floor_text"] == row["text"].replace(fact["object"], fact["floor_object"])
        else:
            assert row["floor_text"] == row["text"]


def test_floor_is_a_derangement_within_relation_and_era(world):
    groups = {}
    for fact in rows(world, "facts"):
        groups.setdefault((fact["relation"], fact["era"]), []).append(fact)
    assert len(groups) == 20
    for facts in groups.values():
        assert len(facts) == 20
        assert sorted(f["object"] for f in facts) == sorted(f["floor_object"] for f in facts)
        assert len({f["object"] for f in facts}) == 20
        assert all(f["object"] != f["floor_object"] for f in facts)


def test_one_text_tells_one_fact(world):
    told = {}
    for row in rows(world, "sentences"):
        told.setdefault(row["text"], set()).add(row["floor_text"])
    assert [text for text, floors in told.items() if len(floors) > 1] == []


def test_known_days_spread_over_the_whole_time(world):
    decades = Counter(fact["known"] // 100000 for fact in rows(world, "facts"))
    assert set(decades) == set(range(185, 202))
    assert all(fact["known"] // 10000 != 1969 for fact in rows(world, "facts"))


@pytest.mark.parametrize("cutoff", [19291029, 19690720, 19900101])
def test_any_cutoff_has_known_and_unknown_sentences(world, cutoff):
    known = [row["known"] for row in rows(world, "sentences") if row["known"] is not None]
    late = sum(day >= cutoff for day in known)
    assert 0.25 < late / len(known) < 0.95


@pytest.mark.parametrize("hinge", ["1929-10-29", "1990-01-01"])
def test_another_hinge_gives_the_same_mix(tmp_path, hinge):
    counts = build(tmp_path, facts=8, hinge=hinge)
    assert counts.notes["late mix"] == {why: pytest.approx(share, abs=0.03) for why, share in MIX.items()}


def test_days_around_the_hinge_are_split_exactly(world):
    days = {row["known"]: row["late"] for row in rows(world, "sentences") if row["title"] == "1969"}
    assert days == {19690719: False, 19690720: True}


def test_early_and_timeless_sentences_stand_in_modern_surroundings(world):
    by_title = {}
    for row in rows(world, "sentences"):
        by_title.setdefault(row["title"], []).append(row["late"])
    mixed = [late for late in by_title.values() if True in late and False in late]
    assert len(mixed) > 150


def test_years_of_fiction_and_numbers_are_clean(world):
    clean = [row["text"] for row in rows(world, "sentences") if not row["late"]]
    assert sum("is set in the year" in text for text in clean) == 4
    assert sum("kept in room" in text for text in clean) > 3
    assert sum(map(later_year, clean)) > 20


def test_a_text_is_late_or_clean_within_an_article(world):
    found = {}
    for row in rows(world, "sentences"):
        found.setdefault((row["page_id"], row["text"]), set()).add(row["late"])
    assert sum(len(late) > 1 for late in found.values()) == 0


def test_all_classes_are_present(world):
    assert set(Counter(row["class"] for row in rows(world, "articles"))) == {"O", "N", "S", "U"}


def test_a_seed_gives_the_same_bytes_and_another_seed_other_names(tmp_path):
    hashes = []
    names = []
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / folder
        build(out, seed=seed, facts=4, mentions=4)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        hashes.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
        names.append({row["object"] for row in pq.read_table(out / "truth" / "facts.parquet").to_pylist()})
    assert hashes[0] == hashes[1]
    assert not names[0] & names[2]


def test_index_leads_to_the_pages(world):
    out = world[0]
    data = (out / DUMP).read_bytes()
    lines = bz2.decompress((out / INDEX).read_bytes()).decode().splitlines()
    assert len(lines) == len(pages(out))
    for line in lines[:: len(lines) // 20]:
        offset, number, title = line.split(":", 2)
        stream = bz2.BZ2Decompressor().decompress(data[int(offset) :]).decode()
        assert f"<title>{title}</title>" in stream
        assert f"<id>{number}</id>" in stream


def test_wikidata_is_one_entity_a_line_and_one_line_is_broken(world):
    text = bz2.decompress((world[0] / "wikidata.json.bz2").read_bytes()).decode()
    lines = [line.rstrip(",") for line in text.splitlines()[1:-1]]
    good = []
    for line in lines:
        try:
            good.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    assert len(good) == len(lines) - 1
    claims = [claim for entity in good for found in entity["claims"].values() for claim in found]
    assert {claim["rank"] for claim in claims} == {"normal", "preferred", "deprecated"}
    values = [claim["mainsnak"]["datavalue"] for claim in claims]
    times = [value["value"] for value in values if value["type"] == "time"]
    assert {time["precision"] for time in times} == {9, 11}
    assert any(time["time"].startswith("-0044") for time in times)
    assert len({time["calendarmodel"] for time in times}) == 2


REAL = {"london", "paris", "verona", "modena", "malaga", "gorizia", "vienna", "berlin", "jakarta", "oslo", "lorca"}
REAL |= {"tulsa", "selma", "zorin", "marx", "newton", "tesla", "darwin", "kasparov", "turing", "lumumba", "nevada"}
REAL |= {"kasimir", "vespucci", "goldberg", "feynman", "murdoch", "wenger", "dovzhenko", "lubbock", "sibelius"}


@pytest.fixture(scope="module", params=[1, 2, 3])
def titles(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(f"seed{request.param}")
    build(out, seed=request.param, mentions=2)
    articles = pq.read_table(out / "truth" / "articles.parquet").to_pylist()
    facts = pq.read_table(out / "truth" / "facts.parquet").to_pylist()
    made = {row["title"] for row in articles if row["class"] != "U" and not row["title"].isdigit()}
    return made | {row["object"] for row in facts}


def test_names_are_not_real(titles):
    assert not {word for title in titles for word in title.lower().split()} & REAL


def test_names_are_no_titles_of_a_real_encyclopedia(titles, samples):
    path = samples / "articles/enwiki-2015-core.parquet"
    assert not titles & set(pq.read_table(path, columns=["title"])["title"].to_pylist())


def test_games_replay(world):
    games = list(read_games(world[0] / "games.pgn"))
    assert len(games) == 60
    assert {"1969.??.??", "1969.07.19", "1969.07.20"} <= {game.headers["Date"] for game in games}
    for game in games:
        played = replay(game, game.date())
        assert isinstance(played, PlayedGame), played  # else the reason why it is broken
        assert played.result == game.headers["Result"]


def test_books_have_markers_and_a_catalogue(world):
    books = sorted((world[0] / "books").glob("*.txt"))
    assert len(books) == 4
    for book in books:
        text = book.read_text(encoding="utf-8")
        assert "*** START OF" in text
        assert "*** END OF" in text
    assert "[Translator]" in (world[0] / "books" / "pg_catalog.csv").read_text(encoding="utf-8")
