"""Where a book is free: what is not known counts as protected."""

import pytest

from deepred.base.days import Interval
from deepred.run.config import Books
from deepred.sources.books.catalogue import Person, Record
from deepred.sources.books.first_published import free_from, licence_of, rights_refusal, states_free_in_us

OLD = Person("A", "author", 1800, 1860)
TRANSLATOR = Person("B", "translator", 1880, 1960)
UNKNOWN = Person("C", "translator")
STATED = Record(1, rights="Public domain in the USA.")
BY_PERMISSION = Record(1, rights="Copyrighted. Read the copyright notice inside this book for details.")


def test_a_work_is_free_71_years_after_the_last_death_where_works_last_for_life_and_70():
    assert free_from([OLD, TRANSLATOR]) == 2031
    assert free_from([OLD, TRANSLATOR], 50) == 2011
    assert free_from([OLD, UNKNOWN]) is None
    assert free_from([]) is None


@pytest.mark.parametrize(
    ("config", "people", "published", "stated", "reason"),
    [
        (Books(), [UNKNOWN], None, False, ""),
        (Books(public_domain=["US"]), [OLD], Interval.of(1930), False, ""),
        (Books(public_domain=["US"]), [OLD], Interval.of(1931), False, "not-free-us"),
        (Books(public_domain=["US"], free_by=2027), [OLD], Interval.of(1931), False, ""),
        (Books(public_domain=["US"]), [OLD], Interval(19200101, 19491231), False, "not-free-us"),
        (Books(public_domain=["US"]), [OLD], None, False, "not-free-us"),
        (Books(public_domain=["US"]), [OLD], Interval.of(1950), True, ""),
        (Books(public_domain=["life+70"]), [OLD], None, False, ""),
        (Books(public_domain=["life+70"]), [OLD, TRANSLATOR], Interval.of(1900), True, "not-free-life+70"),
        (Books(public_domain=["life+70"], free_by=2031), [OLD, TRANSLATOR], None, False, ""),
        (Books(public_domain=["life+50"]), [OLD, TRANSLATOR], None, False, ""),
        (Books(public_domain=["life+70"]), [OLD, UNKNOWN], Interval.of(1900), False, "not-free-life+70"),
        (Books(public_domain=["US", "life+70"]), [TRANSLATOR], Interval.of(1900), False, "not-free-life+70"),
        (Books(free_by=2030), [OLD, TRANSLATOR], None, False, "not-free-life+70"),
    ],
)
def test_a_book_is_refused_where_a_rule_does_not_free_it_for_certain(config, people, published, stated, reason):
    assert rights_refusal(config, people, published, stated) == reason


def test_the_licence_states_both_and_what_is_unknown():
    assert licence_of([OLD], Interval.of(1850), False) == (
        "United States: public domain; countries of life + 70 years: from 1931"
    )
    assert licence_of([UNKNOWN], None, False) == "United States: not established; countries of life + 70 years: unknown"


def test_catalogue_or_distributor_state_that_a_book_is_free_in_the_united_states():
    assert states_free_in_us(STATED, False)
    assert states_free_in_us(None, True)
    assert not states_free_in_us(BY_PERMISSION, False)
    assert not states_free_in_us(None, False)
