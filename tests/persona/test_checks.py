import itertools
import random

import pytest

from deepred.persona.checks import (
    content_words,
    find_artefact,
    find_copy,
    find_refusal,
    find_ungrounded,
    is_cut_off,
)
from deepred.persona.model_teacher.pieces import windows
from deepred.persona.selection import Questions, asked_words

CLEAN = (
    "The pump is hammering, comrade. Shut the outlet by a quarter.",
    "He found the Northwest Passage: the passage lies open in August.",
    "Mate in 2: Qh7+ wins. The text of a seed has four letters.",
    "I do not invent moves that were never played.",
    'In 1869 he printed the table; "it takes courage", he said.',
    "A question of air: two go out, a third listens.",
)


@pytest.mark.parametrize("text", CLEAN)
def test_plain_speech_is_no_artefact_nor_refusal_nor_cut_off(text):
    assert not find_artefact(text) and not find_refusal(text) and not is_cut_off(text)


@pytest.mark.parametrize(
    "text",
    [
        "Use **force**.", "# Pumps", "- one\n- two", "See [1].", "See https://example.org.", "<b>Stop</b>", "```x```",
        "<|im_end|>", "User: What now?", "Stop.\nAssistant: Yes.", "As an AI language model I cannot.",
        "According to the passage, it ran.", "The text above says so.", "My training data ends there.",
        "This article describes a pump.", "[[Pump]]",
    ],
)  # fmt: skip
def test_what_no_one_would_say_is_an_artefact(text):
    assert find_artefact(text)


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, but no.", "I cannot help with that.", "I am unable to say.", "I do not have enough information.",
     "No information is available on this."],
)  # fmt: skip
def test_refusals_are_seen(text):
    assert find_refusal(text)


@pytest.mark.parametrize(
    ("text", "cut"),
    [("He came.", False), ("“He came.”", False), ("He came", True), ("He came and,", True), ("Why?", False)],
)
def test_a_text_that_does_not_end_is_cut_off(text, cut):
    assert is_cut_off(text) == cut


def test_copies_are_counted_in_words_in_a_row():
    source = "one two three four five six seven eight nine ten"
    assert find_copy("Say: one two three four five six.", source, 5) == "one two three four five six"
    assert not find_copy("Say: one two three four five six.", source, 6)
    assert find_copy("ONE, two; three: four", source, 3), "case and marks do not hide a copy"


@pytest.mark.parametrize(
    ("answer", "least", "grounded"),
    [
        ("The keeper tended a lighthouse lamp, comrade.", 0.5, True),
        ("Tending lamps was the keepers' work.", 0.5, True),
        ("The sorcerer conjured a magnificent volcano, comrade.", 0.5, False),
        ("The keeper tended 12 lamps.", 0.5, False),
        ("It was so.", 0.9, True),
    ],
)
def test_an_answer_stands_on_the_words_of_its_source(answer, least, grounded):
    source = "A keeper tended the lamp of the lighthouse for 30 winters."
    assert (not find_ungrounded(answer, source, content_words("comrade"), least)) == grounded


def test_near_duplicate_questions_are_told_by_what_they_ask_about():
    asked = [
        "Who invented the Old lamp of Brant?",
        "And who invented the Old lamp of Brant?",
        "Who invented the New lamp of Brant?",
        "When was the Old lamp of Brant invented?",
        "Who built the bridge?",
        "Tell me: who built the bridge?",
    ]
    questions = Questions(asked, 0.8)
    assert [questions.take(question) for question in asked] == [True, False, True, False, True, False]
    again = Questions(asked, 0.8)
    assert again.take(asked[0], "fact") and again.take(asked[1], "fact"), "wordings of one fact are no duplicates"


def test_every_pair_of_questions_above_the_threshold_is_found():
    """The prefix filter is exact: it finds what comparing all pairs finds."""
    chance = random.Random(1)
    words = [f"word{number}" for number in range(30)]
    asked = [" ".join(chance.sample(words, chance.randint(2, 7))) for _ in range(400)]
    questions, taken = Questions(asked, 0.6), []
    for question in asked:
        held = asked_words(question)
        clash = any(len(held & other) >= 0.6 * len(held | other) for other in taken)
        assert questions.take(question) != clash
        if not clash:
            taken.append(held)
    assert 50 < len(taken) < 400


@pytest.mark.parametrize("most", [200, 333, 1500])
def test_windows_cover_a_text_without_overlap_and_within_bounds(most):
    text = "\n\n".join("This is a sentence of some words. " * number for number in range(1, 40)) + "\n\n" + "x" * 3000
    spans = list(windows(text, most))
    assert all(0 < end - start <= most for start, end in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    covered = sum(len("".join(text[start:end].split())) for start, end in spans)
    assert covered == len("".join(text.split()))
