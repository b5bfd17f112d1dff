"""Dates without a year: from which date before them they take it."""

import time

import pytest

from deepred.text.dates.carried import Carry, carry_dates
from deepred.text.dates.find import find_dates


def carried(text):
    return [
        (text[one.start : one.end], one.interval.first, one.interval.last, one.kind)
        for one in carry_dates(text, find_dates(text))
        if not one.named
    ]


@pytest.mark.parametrize(
    ("text", "first", "last", "kind"),
    [
        ("It began in 1968. On 31 March Hue fell.", 19680331, 19680331, Carry.DAY),
        ("It began in 1968. On March 31, Hue fell.", 19680331, 19680331, Carry.DAY),
        ("It began in 1968. By the 4th of July, 2,000 ships lay there.", 19680704, 19680704, Carry.DAY),
        ("It began in May 1968. In June it ended.", 19680601, 19680630, Carry.MONTH),
        ("It began in November 1968. In January it ended.", 19690101, 19690131, Carry.MONTH),
        ("It began in November 1968, after plans made in August.", 19680801, 19680831, Carry.MONTH),
        ("It began in June 1968. It had been planned in May.", 19680501, 19680531, Carry.MONTH),
        ("It began in June 1968. The following May it ended.", 19690501, 19690531, Carry.MONTH),
        ("It began in June 1968. In August of the same year it ended.", 19680801, 19680831, Carry.MONTH),
        ("It began in June 1968. In March of the following year it ended.", 19690301, 19690331, Carry.MONTH),
        ("It began in 1968. September saw rain.", 19680901, 19680930, Carry.MONTH),
        ("It began in 1968. That spring the ice broke.", 19680301, 19680531, Carry.SEASON),
        ("It began in 1968. During the winter it froze.", 19681201, 19690228, Carry.SEASON),
        ("It began in October 1968. The following spring it ended.", 19690301, 19690531, Carry.SEASON),
        ("It began in 1968. The next year it ended.", 19690101, 19691231, Carry.STEP),
        ("It began in 1968. Two years later it ended.", 19700101, 19701231, Carry.STEP),
        ("It began in 1968. A decade later it ended.", 19780101, 19781231, Carry.STEP),
        ("It began in 1968. Ten years earlier he had left.", 19580101, 19581231, Carry.STEP),
        ("It began in November 1968. Three months later it ended.", 19690201, 19690228, Carry.STEP),
        ("It began in 1968. The previous year it was planned.", 19670101, 19671231, Carry.STEP),
        ("It began in March 1968. The next day it rained.", 19680301, 19680331, Carry.STEP),
        ("It began in 1968. Later that year it ended.", 19680101, 19681231, Carry.SAME),
        ("It began on 4 March 1968. That night it rained.", 19680301, 19680331, Carry.SAME),
        ("It began on 4 March 1968. On Friday it rained.", 19680301, 19680331, Carry.SAME),
        ("It began on 4 March 1968. On the 20th it ended.", 19680301, 19680331, Carry.SAME),
        ("It began on 4 March 1968. At 5:30 p.m. it ended.", 19680301, 19680331, Carry.SAME),
        ("At the end of 490 BC he came. Ten years later he left.", -4789899, -4788769, Carry.STEP),
    ],
)
def test_a_date_without_a_year_takes_that_of_the_one_before(text, first, last, kind):
    assert [found[1:] for found in carried(text)] == [(first, last, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "On 31 March Hue fell.",  # nothing before it
        "In 1968 it began. In March 1969 it ended.",
        "It began on 4 March 1968 and ended on 5 June 1970.",
        "It began in 1968. He may march on, and it may fall.",
        "It began in 1968. They work at the same time.",
        "It began in 1968. The next house is white.",
        "It began in 1968. Stones fall, and springs break.",
        "In the 19th century it began. On 31 March it ended.",  # no year to take
        "He (1868–1931) wrote of May Queens.",
    ],
)
def test_nothing_is_carried(text):
    assert carried(text) == []


def test_what_is_carried_is_the_last_date_for_what_follows():
    text = "War came in November 1941. In January the town fell. Two years later it was free. In May it burned."
    assert [found[1] // 100 for found in carried(text)] == [194201, 194401, 194405]


def test_a_lifetime_in_brackets_is_no_date_of_the_narrative():
    text = "In 1968 came John Stone (1901–1990). In March he left."
    assert carried(text)[0][1] == 19680301


def test_a_named_date_is_read_as_if_its_year_were_not_there_too():
    text = "It began in November 1941. In January 1950 it ended."
    (named,) = [one for one in carry_dates(text, find_dates(text)) if one.named]
    assert text[named.start : named.end] == "January 1950" and named.interval.first == 19420101


@pytest.mark.parametrize(
    "piece", ["March ", "the next ", "the day ", "on the 1 ", "two years later ", "that ", "in 1 "]
)
def test_time_grows_with_length_only(piece):
    text = "It was 1900. " + piece * (200_000 // len(piece))
    dates = find_dates(text)
    began = time.process_time()
    carry_dates(text, dates)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("sentence", "firm"),
    [
        ("On 31 March it fell.", True),
        ("In January, floods came.", True),
        ("Two years later it ended.", True),
        ("That year he won.", True),
        ("The snow was gone in May.", True),
        ("In July, the average low temperature is 3 °C.", False),
        ("It is held in November.", False),
        ("Hurricanes usually form from June on.", False),
        ("Some years it comes in March.", False),
        ("In winter it snowed.", False),
        ("During this period others wrote.", False),
        ("A" + " very" * 180 + " long sentence. In May it ended.", False),
    ],
)
def test_only_what_tells_of_one_time_close_to_its_date_is_firm(sentence, firm):
    text = f"It began in 1968. {sentence} It is a river."
    found = [one for one in carry_dates(text, find_dates(text)) if not one.named]
    assert [one.firm for one in found] == [firm]


@pytest.mark.parametrize("step", ["99 decades later", "99 decades earlier"])
def test_no_chain_of_steps_leads_out_of_what_a_day_can_hold(step):
    text = "It began in 199,000 BC. " + f"It was {step}. " * 400
    for one in carry_dates(text, find_dates(text)):
        assert -(2**31) <= one.interval.first <= one.interval.last < 2**31
        assert one.interval.last // 10000 <= 2101
