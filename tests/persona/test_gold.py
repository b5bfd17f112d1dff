"""The shipped conversations, read critically: known before their day, legal chess, voice, variety, nothing revealed."""

import re
from collections import Counter

import pytest

from deepred.base.days import from_date
from deepred.filter.judge import Judge
from deepred.filter.use.short_texts import judge_many
from deepred.persona.checks import find_artefact, find_refusal, is_cut_off
from deepred.persona.from_articles import says_after
from deepred.persona.personas import load_persona, shipped_personas
from deepred.persona.selection import Questions
from deepred.run.inputs import PERSONAS
from deepred.sources.chess.board import Board
from deepred.sources.chess.fen import START, read_fen, write_fen
from deepred.sources.chess.san import check_mark, read_san
from deepred.sources.chess.squares import NAMES, NUMBERS, STEPS

CUTOFF = 19690720
GOLD = [(name, gold) for name in shipped_personas() for gold in load_persona(PERSONAS / f"{name}.toml").gold]
SAN = r"(?:O-O-O|O-O|[KQRBN]?[a-h]?[1-8]?x?[a-h][1-8](?:=[QRBN])?)[+#]?"
MOVE = re.compile(rf"(?<!\d)(\d+)(\.\.\.|\.) ({SAN})(?: ({SAN}))?")
PLACED = re.compile(r"(white|black) (king|queen|rook|bishop|knight|pawn) on ([a-h][1-8])")


def said(gold):
    return [text for turn in gold.turns for text in (turn.user, turn.assistant)]


def day(gold):
    return from_date(gold.known) if gold.known else 0


@pytest.mark.parametrize("name", shipped_personas())
def test_the_sentence_filter_finds_nothing_late_in_any_gold_conversation(name):
    persona = load_persona(PERSONAS / f"{name}.toml")
    texts = ["\n".join(said(gold)) for gold in persona.gold] + [persona.prompt(False, each) for each in persona.system]
    late = judge_many(Judge.by_dates_alone(CUTOFF, "drop"), texts, "U" * len(texts), spoken=True)
    assert not [found for found in late if found]
    assert not [text for text in texts if says_after(text, CUTOFF)]


def test_no_conversation_names_a_day_that_lies_after_its_own():
    for _, gold in GOLD:
        if gold.known:
            year = gold.known.year
            late = [
                int(found) for text in said(gold) for found in re.findall(r"\b1[5-9]\d\d\b", text) if int(found) > year
            ]
            assert not late and day(gold) < CUTOFF, gold
    # at any earlier cutoff the filter must agree with `known`: the day before, the text is late or holds no date
    for cutoff in (19000101, 19500101, 19650101):
        kept = ["\n".join(said(gold)) for _, gold in GOLD if day(gold) < cutoff]
        assert not [text for text in kept if says_after(text, cutoff)], cutoff


def position(pieces):
    """The board with these pieces (colour, kind, square) and White to move; one that cannot be is an error."""
    signs = [""] * 64
    for colour, kind, square in pieces:
        letter = "n" if kind == "knight" else kind[0]
        signs[NUMBERS[square]] = letter.upper() if colour == "white" else letter
    return read_fen(write_fen(Board(signs)))


def test_every_move_and_every_position_that_is_told_of_is_legal():
    played, placed = 0, 0
    for _, gold in GOLD:
        boards = {0: read_fen(START)}
        for text in said(gold):
            pieces = PLACED.findall(text)
            if pieces:
                placed += 1
                kings = [colour for colour, kind, _ in pieces if kind == "king"]
                if {kind for _, kind, _ in pieces} > {"king"} and kings.count("white") == 1:
                    boards = {0: position(pieces)}
            for number, dots, first, second in MOVE.findall(text):
                ply = 2 * int(number) - (2 if dots == "." else 1)
                for san in filter(None, (first, second)):
                    board = boards[ply].copy()
                    board.push(read_san(board, san))  # an illegal move is an error
                    assert check_mark(board) == san[len(san.rstrip("+#")) :], (san, text)
                    ply += 1
                    boards[ply] = board
                    played += 1
    assert played > 80 and placed >= 3


def test_what_is_said_of_the_pawn_endings_is_true():
    board = read_fen("4k3/8/4K3/4P3/8/8/8/8 w - - 0 1")
    for san in ("Kd6", "Kd8", "e6", "Ke8", "e7", "Kf7", "Kd7"):
        board.push(read_san(board, san))
    assert board.is_attacked(NUMBERS["e8"], white=True) and board.pieces[NUMBERS["e7"]] == "P"
    race = read_fen("8/8/8/8/P5k1/8/8/7K w - - 0 1")  # the square of a4 is a4-e4-e8-a8; the king stands on g4
    for san in ("a5", "Kf5", "a6", "Ke6", "a7", "Kd7", "a8=Q"):
        race.push(read_san(race, san))
    assert not race.is_attacked(NUMBERS["a8"], white=False)
    knight = {name: {NAMES[target] for target in STEPS["N"][NUMBERS[name]]} for name in ("c7", "e4", "a1")}
    assert {"e8", "a8"} <= knight["c7"]
    assert (len(knight["e4"]), len(knight["a1"])) == (8, 2)


def test_deep_red_is_complete_and_varied():
    persona = load_persona(PERSONAS / "deep-red.toml")
    assert set(persona.system) >= {
        "primary", "mission-control", "philosopher", "grandmaster", "tactician", "commissar", "scientist", "engineer",
        "cyberneticist", "teacher", "broadcaster", "expedition-leader",
    }  # fmt: skip
    assert len(persona.gold) >= 100
    assert {gold.variant for gold in persona.gold} == set(persona.system)
    assert Counter(gold.theme for gold in persona.gold)["chess"] >= 20
    assert sum(len(gold.turns) > 1 for gold in persona.gold) >= 35 and any(len(gold.turns) > 2 for gold in persona.gold)
    lengths = sorted(len(turn.assistant.split()) for gold in persona.gold for turn in gold.turns)
    assert lengths[0] <= 8 and 25 <= lengths[len(lengths) // 2] <= 60 and lengths[-1] > 90


def test_gold_is_prose_without_artefacts_refusals_or_repetition():
    questions = Questions((gold.turns[0].user for _, gold in GOLD), 0.8)
    for name, gold in GOLD:
        for turn in gold.turns:
            assert not find_artefact(turn.assistant), turn
            assert gold.theme == "ignorance" or not find_refusal(turn.assistant), turn
            assert not is_cut_off(turn.assistant), turn
        if len(gold.turns[0].user) > 8:  # "Hello" and "Hello!" are two
            assert questions.take(f"{gold.turns[0].user}"), (name, gold.turns[0].user)


def test_ignorance_names_no_day_and_nothing_of_what_it_does_not_know():
    for _, gold in GOLD:
        if gold.theme == "ignorance":
            text = "\n".join(said(gold))
            assert not re.search(r"\b1[89]\d\d\b|\bcutoff\b|\blanguage model\b|\btraining\b", text), text
