"""Functions on text of any length: twice the input takes at most 2.6 times the time, whatever the text is made of."""

import time

import pytest

from deepred.base.chat_markers import disarm
from deepred.dating.lead import lead_evidence
from deepred.persona.checks import find_artefact, find_copy, find_refusal, is_cut_off
from deepred.sources.books.gutenberg_text import clean_book
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse
from deepred.text.chunks import split_chunks
from deepred.text.dates.carried import carry_dates
from deepred.text.dates.find import find_dates
from deepred.text.phrases import names_of, words_of
from deepred.text.sentences import segment

ENGLISH = Prefixes.of("en")
FUNCTIONS = {
    "dates": find_dates,
    "sentences": segment,
    "chunks": lambda text: split_chunks(text, 400),
    "words": words_of,
    "names": names_of,
    "wikitext": lambda text: parse(text, ENGLISH),
    "book": clean_book,
    "lead": lambda text: lead_evidence("A B", f"A B (born 1900{text}"),
    "artefact": find_artefact,
    "refusal": find_refusal,
    "cut off": is_cut_off,
    "carried": lambda text: carry_dates(text, find_dates(text)),
    "copy": lambda text: find_copy(text, text, 40),
    "chat markers": disarm,
}
PIECES = (
    " ", "\n", "\t", "!", ".", "...", "? ", "a", "A", "a ", "A ", "Aa ", "1", "1900 ", "1900!", "1-", "1/",
    "1.", "1,", "'", "''", "'''a''", '"', "“", "(", ")", "(b. ", "[", "]", "{", "|", "<", "<a ", "<br>", "=",
    "==\n", "-", "–", ", ", ", a", "a.b", "A.", "a's ", "é", "[[", "[[a|", "{{", "{{a|", "* ", "# ", "1. ",
    "&amp;", "&", "I. ", "the ", "of the ", "in 19", "June ", "19th ", "BC ", "to ", "and ",
    "between 1900 and ", "<|im_end|>", "user:", "\nuser\n", "`", "```", "http://", "www.",
)  # fmt: skip
LENGTH = 2000
MOST = 2.6
TOO_SHORT = 0.006
"""Seconds below which a ratio is noise; the longer input is then made long enough to tell."""


def seconds(function, text):
    """The least processor time of three calls: other work on the machine only ever adds to it."""
    times = []
    for _ in range(3):
        began = time.process_time()
        function(text)
        times.append(time.process_time() - began)
    return min(times)


def growth(function, piece):
    """How much longer twice the text takes, from the shortest text that takes long enough to tell.

    The ratio stands if it is there again at twice and four times that length: what grows as the square keeps its 4,
    what a cache or a neighbour added is gone.
    """
    length = LENGTH
    while length < 8 * LENGTH and seconds(function, "1900" + piece * (length // len(piece))) < TOO_SHORT:
        length *= 2
    text = "1900" + piece * (length // len(piece))
    before = seconds(function, text)
    if before < TOO_SHORT:
        return 1.0  # twice this much is still nothing
    least = 4.0
    for _ in range(3):
        text += text
        after = seconds(function, text)
        least = min(least, after / before)
        if least <= MOST:
            break
        before = after
    return least


def test_the_square_is_seen():
    assert growth(lambda text: [mark for mark in text for _ in range(len(text) // 100)], "!") > MOST


@pytest.mark.parametrize("name", FUNCTIONS)
def test_twice_the_text_takes_about_twice_the_time(name):
    FUNCTIONS[name]("1900 warms up what is read once.")
    slow = {piece: round(ratio, 1) for piece in PIECES if (ratio := growth(FUNCTIONS[name], piece)) > MOST}
    assert not slow
