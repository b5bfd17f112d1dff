"""A short run of the fuzz target; ``python tests/sources/wiki/fuzz_wikitext.py`` runs it for as long as one likes."""

import pytest

from sources.wiki.fuzz_wikitext import CLOSERS, OPENERS, fuzz, problem, repetitions, shrink


def test_random_and_mutated_pages_keep_every_promise_of_the_scanner():
    count, failure = fuzz(seed=1, most=700)
    assert failure is None, failure
    assert count == 700


@pytest.mark.parametrize(("opener", "closer"), list(zip(OPENERS, CLOSERS)))
def test_100_kb_of_an_opener_cost_less_than_half_a_second(opener, closer):
    assert problem(opener * (100_000 // len(opener))) == ""
    assert problem(f"{opener}a|{closer} " * (50_000 // len(f"{opener}a|{closer} "))) == ""


def test_nor_do_combinations_of_openers():
    pages = list(repetitions())
    assert len(pages) > 1000
    assert [wrong for page in pages[16::40] if (wrong := problem(page))] == []


def test_a_failure_is_cut_down_to_a_small_page(monkeypatch):
    monkeypatch.setattr(
        "sources.wiki.fuzz_wikitext.problem", lambda text, tables="drop": "it breaks: x" if "bad" in text else ""
    )
    assert shrink("a long page with a bad word in it", "drop") == "bad"
