"""What a teacher behind an endpoint answered, as the stages read it: rows of JSON, each tied to a piece of the corpus.

A row is one decision and makes one example at most. It is used only where the piece that it was given for is still in
this run's corpus, word by word: text that another cutoff has dropped takes its answers with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepred.asking.answer_file import read_lines
from deepred.asking.replies import ANSWERED
from deepred.base.errors import UserError
from deepred.persona.model_teacher.pieces import Library, Piece, find_pieces
from deepred.persona.personas import Turn
from deepred.run.stage import Counts

Form = Literal["conversation", "questions", "summary", "dialogue"]
TEXT_FORMS: tuple[Form, ...] = ("questions", "summary", "dialogue")
"""Forms that become training text; a conversation becomes an instruction example."""


class Taught(BaseModel):
    """A row of a file of answers: what was asked about, in whose voice, and what came back."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task: str = Field(min_length=1)
    form: Form
    kind: str
    document: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    digest: str
    title: str
    variant: str = ""
    theme: str = ""
    persona: str = ""
    model: str
    outcome: str
    turns: list[Turn] = []
    lines: list[str] = []
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0

    @property
    def place(self) -> tuple[str, int, int]:
        """Where its piece lies."""
        return self.document, self.start, self.end


@dataclass(frozen=True)
class Told:
    """A row and the piece of this run's corpus that it was given for."""

    row: Taught
    piece: Piece


def read_taught(paths: Iterable[Path]) -> Iterator[Taught]:
    """The rows of files of answers in their order; ``UserError`` names the line that is none."""
    for path in paths:
        for number, record in enumerate(read_lines(path), 1):
            if record is None:
                mend = "`deepred teach` cuts a torn last line off when it goes on"
                raise UserError(f"{path}, line {number}: no line of JSON", mend)
            try:
                yield Taught.model_validate(record)
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in problem["loc"])
                mend = "name a file that `deepred teach` wrote"
                raise UserError(f"{path}, line {number}: {place}: {problem['msg']}", mend) from None


def read_told(paths: list[Path], library: Library, forms: tuple[Form, ...], counts: Counts) -> list[Told]:
    """The answers of these forms with their pieces; what is not used is counted by reason."""
    rows: dict[str, Taught] = {}
    for row in read_taught(paths):
        if row.form not in forms:
            counts.drop("another form")
        elif row.outcome != ANSWERED:
            counts.drop(row.outcome)
        elif row.task in rows:
            counts.drop("duplicate answer")
        else:
            rows[row.task] = row
    pieces = find_pieces(library, {(row.kind, *row.place) for row in rows.values()})
    found: list[Told] = []
    for row in rows.values():
        piece = pieces.get(row.place)
        if piece is None or piece.digest != row.digest:
            counts.drop("source changed")
        else:
            found.append(Told(row, piece))
    return found
