import pytest

from deepred.text.phrases import Phrases, names_of, sentences_of, words_of


@pytest.mark.parametrize(
    ("text", "kept", "removed"),
    [
        ("Hi. The flat Moon! Bye.", "Hi. Bye.", ["The flat Moon!"]),
        ("The FLAT, moon is here. It stays.", "It stays.", ["The FLAT, moon is here."]),
        ("Flat moons stay.\n\nSo does this.", "Flat moons stay.\n\nSo does this.", []),
        ("İstanbul grew. A flat moon rose.", "İstanbul grew.", ["A flat moon rose."]),
        ("It was flat. Moon rose. Done.", "Done.", ["It was flat.", "Moon rose."]),
        ("", "", []),
    ],
)
def test_sentences_that_hold_a_phrase_are_removed_and_no_others(text, kept, removed):
    assert Phrases(["flat moon"]).remove_sentences(text) == (kept, removed)


def test_phrases_are_found_as_whole_words_whatever_their_length():
    phrases = Phrases(["a b c d e", "b", "a b c d f"])
    assert list(phrases.find(list("xabcdeab"))) == [(1, 6, 0), (2, 3, 1), (7, 8, 1)]


def test_names_keep_their_capitals():
    assert Phrases(["Rush"], names_of).numbers_in("They rush on.") == set()
    assert Phrases(["Rush"], names_of).numbers_in("It was Rush!") == {0}


def test_many_phrases_that_open_alike_cost_no_more_than_one():
    phrases = Phrases(f"the capital of town{n} is x" for n in range(20_000))
    assert phrases.numbers_in("Then the capital of Town777 is X.") == {777}


@pytest.mark.parametrize("text", ["One. Two.\n\nThree.", "\n\n a\nb ", "", "...", "No end", "x" * 10_000])
def test_sentences_together_are_the_text(text):
    assert "".join(text[start:end] for start, end in sentences_of(text)) == text


def test_words_are_lower_case_and_without_marks():
    assert words_of("The Moon's far side.") == ["the", "moon", "s", "far", "side"]
