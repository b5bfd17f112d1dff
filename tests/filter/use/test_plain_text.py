from __future__ import annotations

import io
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepred.filter.judge import Judge
from deepred.filter.use.plain_text import BLOCK, LONGEST, filter_stream, filter_text, read_blocks, without

JUDGE = Judge.by_dates_alone(19690720, "drop")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("\n\n", "\n\n"),
        ("Salt is good.", "Salt is good."),
        ("Salt is good. It closed in 1987.", "Salt is good."),
        ("In 1987 the port closed. Salt is good.", "Salt is good."),
        ("In 1987 the port closed.\nSalt is good.\n", "Salt is good.\n"),
        (
            "Salt is good.\r\nIn 1987 the port closed.\r\n\r\nBread is old.\r\n",
            "Salt is good.\r\n\r\nBread is old.\r\n",
        ),
        ("* * *\n\nIn 1987 the port closed. Bread is old.\n", "* * *\n\nBread is old.\n"),
        ("塩は良い。1987年に港は閉鎖された。", "塩は良い。"),
        ("Соль хороша. В 1987 году порт закрыли.", "Соль хороша."),
        (
            "Salt\x00 is\x07 good. In 1987 the port closed. \x1b[0mBread is old.",
            "Salt\x00 is\x07 good. \x1b[0mBread is old.",
        ),
        ("Salt is good. \udcff\udcfe In 1987 it closed.", "Salt is good."),
    ],
)
def test_kept_text_is_the_text_without_late_sentences(text: str, kept: str) -> None:
    assert filter_text(text, JUDGE).text == kept


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Darwin climbed it in his late 70s.", True),
        ("She wrote it in her mid-seventies.", True),
        ("Temperatures are in the 80s in summer.", True),
        ("In winter highs are in the mid-70s.", True),
        ("He left for Paris in the 80s.", False),
        ("The song is of the late '70s.", False),
        ("The bridge opened on 16-03-2020.", False),
        ("The bridge opened on 16.3.1920.", True),
        ("The bridge opened on 3/4/05.", False),
        ("It was released in June '98.", False),
        ("It was released in June '58.", True),
        ("It was shown at Expo '70.", False),
        ("Signed JULY 19, 1969 in Rome.", True),
        ("Signed JULY 20, 1969 in Rome.", False),
        ("It is a 21st-century house.", False),
        ("It is a 19th-century house.", True),
        ("It opened in nineteen eighty-four.", False),
        ("It opened on the twentieth of July 1969.", False),
        ("It opened on the nineteenth of July 1969.", True),
        ("It was destroyed in 1190/85 BC by fire.", True),
        ("It was rebuilt for the 1969/70 season.", False),
    ],
)
def test_sentence_is_kept_or_dropped_by_its_dates(sentence: str, kept: bool) -> None:
    assert filter_text(sentence, JUDGE).text == (sentence if kept else "")


def test_verdicts_tell_reason_and_probability_of_every_sentence() -> None:
    found = filter_text("The mill is old. It closed in 1987. It was then sold.", JUDGE).verdicts
    assert [(v.text, v.kept, v.reason) for v in found] == [
        ("The mill is old.", True, ""),
        ("It closed in 1987.", False, "date"),
        ("It was then sold.", False, "incoherent"),
    ]
    assert found[1].probability > 0.9 > found[0].probability


def test_cutoff_decides_without_a_judge() -> None:
    text = "The port closed in 1950."
    assert filter_text(text).text == text
    assert filter_text(text, cutoff=19400101).text == ""


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_text_of_which_nothing_is_dropped_comes_out_as_it_went_in(text: str) -> None:
    found = filter_text(text, JUDGE)
    if all(verdict.kept for verdict in found.verdicts):
        assert found.text == text
    else:
        assert len(found.text) < len(text)


@given(st.lists(st.sampled_from(["a" * 40_000, "Salt is good. ", "\n", "\n\n", "é" * 9000]), max_size=60))
@settings(max_examples=25, deadline=None)
def test_blocks_together_are_the_stream(parts: list[str]) -> None:
    text = "".join(parts)
    blocks = list(read_blocks(io.StringIO(text, newline="").read))
    assert "".join(blocks) == text
    assert all(0 < len(block) <= LONGEST for block in blocks)


@pytest.mark.parametrize(
    ("text", "spans", "kept"),
    [
        ("One. Two. Three.", [(0, 4)], "Two. Three."),
        ("One. Two. Three.", [(5, 9), (10, 16)], "One."),
        ("  One.\nTwo.\n", [(2, 6)], "Two.\n"),
        ("One.\u2028Two.", [(0, 4)], "Two."),
        ("One. Two.\n", [], "One. Two.\n"),
    ],
)
def test_dropped_sentences_leave_no_gap(text: str, spans: list[tuple[int, int]], kept: str) -> None:
    assert without(text, spans) == kept


def test_stream_is_filtered_in_flat_memory() -> None:
    line = "Salt keeps fish from spoiling in the old town. The port was closed in 1987.\n"

    def peak(lines: int) -> int:
        left = lines

        def read(_: int) -> str:
            nonlocal left
            left -= 500
            return line * 500 if left >= 0 else ""

        tracemalloc.start()
        count = sum(len(block.verdicts) for block in filter_stream(read, JUDGE))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 2 * lines
        return most

    peak(500)  # tables are made once
    assert peak(4000) < 1.5 * peak(1000)


@pytest.mark.parametrize("letter", ["a", "a ", "a. ", "A.", "1987 ", "。", "\x00"])
def test_line_of_a_megabyte_takes_linear_time(letter: str) -> None:
    def cost(size: int) -> float:
        text = letter * (size // len(letter))
        started = time.process_time()
        list(filter_stream(io.StringIO(text).read, JUDGE))
        return time.process_time() - started

    cost(BLOCK)
    small, large = cost(25_000), cost(100_000)
    assert large < 12 * small + 0.5  # quadratic would be 16 times and grow; the machine may be busy


def test_long_line_is_cut_after_a_sentence() -> None:
    text = "Salt is good. " * (LONGEST // 10)
    blocks = list(read_blocks(io.StringIO(text).read))
    assert len(blocks) > 1 and all(block.endswith(". ") for block in blocks)


def test_learned_judge_drops_what_dates_do_not_show(make_road: Any) -> None:
    road = make_road([("Mill", "Salt is good.")], known={"Tavzor Academy": 19850101})
    judge = Judge.load(road.root / "emergence", road.root / "passages", 19690720, "drop", 0.5)
    text = "Tavzor Academy is a school. Salt is good."
    assert filter_text(text, judge).text == "Salt is good."
    assert filter_text(text, judge).verdicts[0].reason == "entity"
