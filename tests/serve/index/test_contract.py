"""What every store and search engine answers alike."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepred.base.tables import read_rows
from deepred.serve.index.contract import LATER, BadQueryError, NotFoundError

CUTOFF = 19690720
BACKENDS = ["sqlite+embedded", "postgresql+embedded", "sqlite+opensearch"]


@pytest.fixture(scope="module", params=BACKENDS)
def index(request, world):
    store, search = request.param.split("+")
    if store == "postgresql":
        store = request.getfixturevalue("postgres").dsn
    if search == "opensearch":
        search = request.getfixturevalue("opensearch")
    world.index(store, search)
    opened = world.open(store, search)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def folders(world):
    return {
        name: world.pipeline.folder(world.pipeline.node(name)) for name in ("world", "dates", "passages", "articles")
    }


@pytest.fixture(scope="module")
def truth(folders):
    """By page and sentence, the day from which the world itself says that it was known."""
    known = defaultdict(dict)
    for row in pq.read_table(folders["world"] / "truth" / "sentences.parquet").to_pylist():
        known[row["page_id"]][row["text"].strip()] = row["known"]
    return known


@pytest.fixture(scope="module")
def first_known(folders):
    return {row["page_id"]: row["first_known"] for row in read_rows(folders["dates"], "dates-*.parquet")}


def sentences_of(article):
    return [sentence for paragraph in article.paragraphs for sentence in paragraph.sentences]


def test_a_word_is_found_and_highlighted(index):
    page = index.search("novels", mode="bm25")
    assert page.total > 10 and len(page.results) == 10 and page.next == 2
    for result in page.results:
        assert any(result.snippet[start:end].lower() in ("novel", "novels") for start, end in result.highlights) or (
            "novel" in result.title.lower() or "novel" in result.section.lower()
        )


@pytest.mark.parametrize("mode", ["bm25", "semantic", "hybrid"])
def test_pages_follow_each_other_without_repeats(index, mode):
    pages = [index.search("the town on the river", mode=mode, page=n, size=7) for n in (1, 2, 3)]
    assert pages == [index.search("the town on the river", mode=mode, page=n, size=7) for n in (1, 2, 3)]
    places = [(result.page_id, result.paragraph) for page in pages for result in page.results]
    assert len(places) == len(set(places)) == 21
    if mode == "bm25":
        scores = [result.score for page in pages for result in page.results]
        assert scores == sorted(scores, reverse=True)


def test_all_pages_together_are_the_total(index):
    found, page = [], 1
    while page is not None:
        answer = index.search("province", mode="bm25", page=page, size=50)
        found += [(result.page_id, result.paragraph) for result in answer.results]
        page = answer.next
    assert len(found) == len(set(found)) == min(answer.total, 1000)


def test_a_phrase_is_one(index):
    loose = index.search("published novel a in", mode="bm25")
    exact = index.search('"a novel published in"', mode="bm25", size=50)
    assert 0 < exact.total < loose.total
    assert all("a novel published in" in result.snippet for result in exact.results)


def test_filters_by_day_class_and_source(index):
    for mode in ("bm25", "semantic", "hybrid"):
        assert all(r.first_known >= 19300101 for r in index.search("town", after=19300101, mode=mode, size=50).results)
        found = index.search("novel", classes=("O",), mode=mode, size=50).results
        assert found and {r.kind for r in found} == {"O"}
        books = index.search("the people there", sources=("books",), mode=mode, size=50).results
        assert books and {r.source for r in books} == {"books"}
    assert index.search("novel", classes=("X",), mode="bm25").total == 0


def test_no_class_n_is_ever_found(index):
    assert index.search("is", classes=("N",), mode="bm25").total == 0


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(year=st.integers(1600, 2030), month=st.integers(1, 12), word=st.sampled_from(["town", "novel", "moved", "it"]))
def test_as_of_never_returns_a_later_article_or_sentence(index, truth, first_known, year, month, word):
    as_of = year * 10000 + month * 100 + 1
    limit = min(as_of, CUTOFF)
    for mode in ("bm25", "hybrid", "semantic"):
        for result in index.search(word, as_of=as_of, mode=mode, size=20).results:
            if result.source != "wikipedia":
                continue
            known = first_known[result.page_id]
            assert known < limit if known is not None else limit == CUTOFF
            served = sentences_of(index.article(result.page_id, as_of=as_of))
            text = " ".join(sentence.text for sentence in served)
            assert all(" ".join(part.split()) in " ".join(text.split()) for part in [result.snippet.strip("…")])
            for sentence in served:
                assert sentence.kept and sentence.day < limit


def test_no_sentence_is_later_than_the_world_knows(index, truth, folders):
    """By the world's own truth: what the filter missed at the cutoff, and direct evidence at earlier days."""
    for as_of, most in ((CUTOFF, 0.005), (19550101, 0.01), (19200101, 0.02)):
        served = late = 0
        for page, known in list(truth.items())[::3]:
            try:
                article = index.article(page, as_of=as_of)
            except NotFoundError:
                continue
            for sentence in sentences_of(article):
                day = known.get(sentence.text)
                served += day is not None
                late += day is not None and day >= as_of
        assert served > 100 and late <= most * served, (as_of, late, served)


def test_every_sentence_told_at_the_cutoff_was_kept_by_the_filter(index, folders):
    kept = {
        (row["page_id"], span["start"])
        for row in read_rows(folders["passages"], "passages-*.parquet")
        for span in row["spans"]
    }
    told = 0
    for row in list(read_rows(folders["passages"], "passages-*.parquet", ["page_id"]))[::5]:
        try:
            article = index.article(row["page_id"])
        except NotFoundError:
            continue
        for sentence in sentences_of(article):
            told += 1
            assert (row["page_id"], sentence.start) in kept
    assert told > 100


def test_a_record_shows_what_was_cut_and_why(index, folders):
    page = next(
        row["page_id"] for row in read_rows(folders["passages"], "dropped-*.parquet") if row["reason"] == "date"
    )
    whole = index.article(page, cut=True)
    text = next(r["text"] for r in read_rows(folders["articles"], "articles-*.parquet") if r["page_id"] == page)
    cut = [sentence for sentence in sentences_of(whole) if not sentence.kept]
    assert any(sentence.reason == "date" and sentence.probability > 0.5 for sentence in cut)
    assert all(sentence.text == text[sentence.start : sentence.end] for sentence in sentences_of(whole))
    assert whole.dates.dropped and whole.modified
    assert sum(whole.dates.dropped.values()) == len(cut)
    assert LATER not in {sentence.reason for sentence in sentences_of(whole) if sentence.kept}


def test_a_redirect_is_followed_and_named(index, folders):
    for row in read_rows(folders["articles"], "redirects-*.parquet"):
        try:
            article = index.article(row["title"].replace(" ", "_"))
        except NotFoundError:
            continue
        assert (article.title, article.redirected_from) == (row["target"].partition("#")[0], row["title"])
        assert index.article(article.page_id).title == article.title
        return
    pytest.fail("no redirect leads to an article that is told")


def test_evidence_and_ends_later_than_as_of_are_not_told(index, first_known):
    seen = 0
    for page, known in first_known.items():
        if known is None or known >= 19400101:
            continue
        try:
            why = index.why(page, as_of=19400601)
        except NotFoundError:
            continue
        seen += 1
        assert why.last is None or why.last < 19400601
        assert all(row.last is None or row.last < 19400601 for row in why.evidence)
        assert "ended 19" not in why.reason or why.last is not None
        if seen > 40:
            break
    assert seen > 40


def test_years_list_what_happened_before_as_of(index):
    everything = [event for year in range(1900, 1975) for event in index.year(year).events]
    assert everything and all(event.last < CUTOFF for event in everything)
    year = max(event.first for event in everything) // 10000
    assert index.year(year, as_of=year * 10000 + 101).events == ()
    assert index.year(year, size=1).total == index.year(year).total == len(index.year(year).events)
    assert index.year(10**9).total == 0


def test_random_is_told_and_repeats_by_seed(index):
    found = [index.random(as_of=19000101, seed=n) for n in range(8)]
    assert found == [index.random(as_of=19000101, seed=n) for n in range(8)]
    assert len({article.page_id for article in found}) > 2
    assert all(sentence.day < 19000101 for article in found for sentence in sentences_of(article))
    with pytest.raises(NotFoundError):
        index.random(as_of=-99990101)


@pytest.mark.parametrize(
    "page", [10**30, -(10**30), 999_999_999, "", "\x00", "\ud800", "x" * 10_000, "' OR 1=1 --", "%"]
)
def test_what_is_not_there_is_not_found(index, page):
    with pytest.raises(NotFoundError):
        index.article(page)


HOSTILE = (
    *(
        "*",
        "%",
        "_",
        "title:*",
        "body:/.*/",
        "a AND (b",
        '"',
        '""',
        "town\x00",
        "\ud800",
        "../../etc/passwd",
        "town^1e99",
    ),
    *("'; DROP TABLE articles; --", '{"query": 1}', "~", "😀" * 50, "a" * 900, "NOT town", "[1 TO 2]", "\\"),
)


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("mode", ["bm25", "hybrid", "semantic"])
def test_nothing_in_a_query_is_syntax(index, query, mode):
    page = index.search(query, mode=mode)
    assert page.total < index.health().counts["units"]


def test_wildcards_find_nothing(index):
    assert all(index.search(query, mode="bm25").total == 0 for query in ("%", "_", "*", "tow*", "t?wn", "/t.wn/"))
    assert index.search("NOT town", mode="bm25").total >= index.search("town", mode="bm25").total > 0


@pytest.mark.parametrize(
    "wrong", [{"query": ""}, {"query": " \n\x00"}, {"query": "x" * 1_000_000}, {"page": 0}, {"size": 0}, {"size": 101},
              {"page": 101, "size": 10}, {"mode": "sql"}],
)  # fmt: skip
def test_wrong_questions_are_refused(index, wrong):
    with pytest.raises(BadQueryError):
        index.search(**({"query": "town"} | wrong))


def test_many_threads_ask_at_once(index):
    def ask(number):
        page = index.search(("town", "novel", "moved")[number % 3], size=5)
        return [index.article(result.page_id).title == result.title for result in page.results]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(64)))
    assert all(all(answer) and len(answer) == 5 for answer in answers)


def test_health_tells_what_is_in_it(index):
    health = index.health()
    assert health.ready and health.parts == {"store": "ok", "search": "ok"}
    assert health.cutoff == CUTOFF and health.counts["articles"] > 100 and health.embeddings == "lsa"
