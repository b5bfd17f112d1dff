import pytest

from deepred.base.errors import UserError
from deepred.base.tables import class_schema, date_schema, dropped_schema, passage_schema, redirect_schema, write_rows
from deepred.filter.use.why_article import Folders, explain_article, format_explanation, nearest_titles

BIRTH = {"kind": "birth", "first": 18090212, "last": 18090212, "source": "lead", "confidence": 0.85, "note": "born"}
DEED = {"kind": "event", "first": 18340101, "last": 18341231, "source": "wikidata", "confidence": 0.9, "note": "P39"}
DEATH = {"kind": "death", "first": 18650415, "last": 18650415, "source": "lead", "confidence": 0.85, "note": "died"}
LINCOLN = {"page_id": 7, "title": "Abraham Lincoln", "first": 18090212, "last": 18650415, "first_known": 18340101}
LINCOLN |= {"ended": True, "evidence": [DEED, BIRTH, DEATH]}
LAMP = {"page_id": 9, "title": "Lamp", "first": None, "last": None, "first_known": None, "ended": False, "evidence": []}


@pytest.fixture
def folders(tmp_path):
    """Two files of every kind, as two shards write them."""
    made = Folders(*(tmp_path / name for name in ("articles", "dates", "classes", "passages")))
    for folder in (made.articles, made.dates, made.classes, made.passages):
        folder.mkdir()
    for part, row, label, reason in (("000-00000", LAMP, "U", "undated"), ("000-00001", LINCOLN, "O", "ended 1865")):
        write_rows(made.dates / f"dates-{part}.parquet", [row], date_schema())
        classed = {"page_id": row["page_id"], "title": row["title"], "class": label, "reason": reason}
        write_rows(made.classes / f"classes-{part}.parquet", [classed], class_schema())
    redirects = [("Honest Abe", "Abe Lincoln"), ("Abe Lincoln", "Abraham Lincoln#Life"), ("Lost", "Nowhere")]
    rows = [{"title": title, "target": target} for title, target in redirects]
    write_rows(made.articles / "redirects-000-00000.parquet", rows, redirect_schema())
    spans = [{"start": 0, "end": 9}, {"start": 10, "end": 20}]
    passage = {"page_id": 7, "title": "Abraham Lincoln", "class": "O", "text": "…", "spans": spans}
    write_rows(made.passages / "passages-000-00000.parquet", [], passage_schema())
    write_rows(made.passages / "passages-000-00001.parquet", [passage], passage_schema())
    dropped = [(7, "date"), (7, "date"), (7, "term"), (8, "link")]
    rows = [{"page_id": p, "start": 0, "end": 1, "reason": reason, "probability": 0.9} for p, reason in dropped]
    write_rows(made.passages / "dropped-000-00000.parquet", [], dropped_schema())
    write_rows(made.passages / "dropped-000-00001.parquet", rows, dropped_schema())
    return made


@pytest.mark.parametrize(
    "asked", ["Abraham Lincoln", "Abraham_Lincoln", " abraham Lincoln", "Abe Lincoln", "Honest Abe", "honest_Abe"]
)
def test_an_article_is_found_by_its_title_and_through_redirects(folders, asked):
    found = explain_article(asked, folders)
    assert (found["page_id"], bool(found["redirect"])) == (7, "onest" in asked or "Abe " in asked)


def test_the_explanation_holds_dates_class_evidence_and_sentences(folders):
    found = explain_article("Honest Abe", folders)
    assert (found["title"], found["redirect"]) == ("Abraham Lincoln", "Honest Abe")
    assert (found["class"], found["reason"], found["first_known"]) == ("O", "ended 1865", 18340101)
    assert [row["kind"] for row in found["evidence"]] == ["event", "birth", "death"]
    assert found["sentences"] == {"kept": 2, "dropped": {"date": 2, "term": 1}, "in_corpus": True}


def test_it_is_told_in_lines(folders):
    lines = list(format_explanation(explain_article("Abe Lincoln", folders)))
    assert lines[0] == "Abraham Lincoln   (redirected from Abe Lincoln)"
    assert "class        O: ended 1865" in lines
    assert "interval     1809-02-12 to 1865-04-15, ended" in lines
    assert "sentences    2 kept, 3 dropped (date 2, term 1)" in lines
    assert lines[-1].split()[:3] == ["death", "1865-04-15", "lead"]


def test_an_undated_article_that_left_nothing_says_so(folders):
    lines = "\n".join(format_explanation(explain_article("Lamp", folders)))
    assert "interval     undated" in lines
    assert "0 kept, 0 dropped; the article is not in the corpus" in lines
    assert "evidence     none" in lines


def test_without_passages_nothing_is_said_of_sentences(folders):
    found = explain_article("Lamp", Folders(folders.articles, folders.dates, folders.classes))
    assert found["sentences"] is None
    assert not any(line.startswith("sentences") for line in format_explanation(found))


@pytest.mark.parametrize(
    ("asked", "near"),
    [("Abraham Lincon", "near it: Abraham Lincoln"), ("lampp", "near it: Lamp"), ("Zzz", "spelled"), ("", "spelled")],
)
def test_a_title_that_is_not_there_suggests_its_neighbours(folders, asked, near):
    with pytest.raises(UserError, match=near):
        explain_article(asked, folders)


def test_a_redirect_to_an_article_that_is_not_there_says_where_it_leads(folders):
    with pytest.raises(UserError, match="'Lost' redirects to 'Nowhere', which this run does not have"):
        explain_article("Lost", folders)


def test_suggestions_come_from_titles_with_the_same_beginning_whatever_the_case(folders):
    paths = [*folders.classes.glob("*.parquet"), *folders.articles.glob("*.parquet")]
    assert nearest_titles("ABE LINCOLM", paths)[0] == "Abe Lincoln"
    assert nearest_titles("Xbraham Lincoln", paths) == []
