"""A position of a played game as a diagram in text, with questions and answers that it settles.

The diagram and what is asked are read from the recorded placement alone, the played move from the next half-move.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from deepred.sources.chess.prose import PIECES, PlayedGame, person, when

VALUES = {"P": 1, "N": 3, "B": 3, "R": 5, "Q": 9}
EARLIEST = 10
"""Half-moves before which a position is too near the start to be worth a diagram."""


def diagram(board: Sequence[str]) -> str:
    """A board in text, White below; capitals are White's pieces.

    >>> print(diagram(["R", *[""] * 62, "k"]).split("\\n")[7])
    1 R . . . . . . .
    """
    rows = (f"{rank} {' '.join(sign or '.' for sign in board[8 * rank - 8 : 8 * rank])}" for rank in range(8, 0, -1))
    return "\n".join([*rows, "  a b c d e f g h"])


def material(board: Sequence[str]) -> tuple[int, int]:
    """The value of White's and of Black's pieces, in pawns."""
    white = sum(VALUES.get(sign, 0) for sign in board if sign.isupper())
    return white, sum(VALUES.get(sign.upper(), 0) for sign in board if sign.islower())


def render_positions(game: PlayedGame, seed: str) -> str:
    """One position of the game: its diagram, then three to five questions with their answers.

    The position before the mate is preferred, since it has a question worth asking.
    """
    chance = random.Random(seed)
    last = len(game.plies) - 2
    index = last if game.plies[-1].mate and last >= 0 else chance.randint(min(EARLIEST, max(0, last)), max(0, last))
    board = game.plies[index].placement
    mover, number = ("White" if index % 2 else "Black"), (index + 1) // 2 + 1
    players = f"{person(game.white) or 'an unnamed player'} and {person(game.black) or 'an unnamed player'}"
    header = f"A position from the game between {players}, {when(game.played)}, before move {number} of {mover}."
    pairs = _questions(game, index, board, mover, chance)
    asked = "\n\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in pairs)
    return f"{header}\n\n{diagram(board)}\n\n{asked}"


def _questions(
    game: PlayedGame, index: int, board: Sequence[str], mover: str, chance: random.Random
) -> list[tuple[str, str]]:
    pairs = [_occupant(board, chance), _material(board), _pawns(board), _check(game, index, mover)]
    chance.shuffle(pairs)
    pairs = [("Whose move is it?", f"It is {mover}'s move."), *pairs[: chance.randint(1, 3)]]
    if index + 1 < len(game.plies):
        played = game.plies[index + 1]
        if played.mate:
            pairs.append((f"Can {mover} give mate in one move?", f"Yes, with {played.san}."))
        else:
            pairs.append(("Which move was played?", f"{mover} played {played.san}."))
    return pairs


def _occupant(board: Sequence[str], chance: random.Random) -> tuple[str, str]:
    number = chance.randrange(64)
    square, piece = f"{'abcdefgh'[number % 8]}{number // 8 + 1}", board[number]
    if not piece:
        return f"Which piece stands on {square}?", f"None: {square} is empty."
    return f"Which piece stands on {square}?", f"A {'white' if piece.isupper() else 'black'} {PIECES[piece.upper()]}."


def _material(board: Sequence[str]) -> tuple[str, str]:
    white, black = material(board)
    question = "Who has more material, with a pawn as 1, knight and bishop as 3, rook as 5 and queen as 9?"
    if white == black:
        return question, f"Neither: both sides have {white}."
    ahead, more, less = ("White", white, black) if white > black else ("Black", black, white)
    return question, f"{ahead}, with {more} against {less}."


def _pawns(board: Sequence[str]) -> tuple[str, str]:
    return "How many pawns has each side?", f"White has {board.count('P')}, Black has {board.count('p')}."


def _check(game: PlayedGame, index: int, mover: str) -> tuple[str, str]:
    answer = f"Yes, after {game.plies[index].san}." if game.plies[index].check else "No."
    return f"Is {mover}'s king in check?", answer
