"""A paragraph as a page shows it: sentences that are told, and folds that hold what was cut between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from deepred.serve.index.contract import Paragraph, Sentence


@dataclass(frozen=True)
class Part:
    """A stretch of a sentence, linked or not."""

    text: str
    target: str


@dataclass(frozen=True)
class Kept:
    """A sentence that is told."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Cut:
    """Neighbouring sentences that were cut."""

    sentences: tuple[Sentence, ...]

    @property
    def reasons(self) -> str:
        """Why, each reason once."""
        return ", ".join(dict.fromkeys(sentence.reason for sentence in self.sentences))


def fold(paragraph: Paragraph) -> list[Kept | Cut]:
    """The sentences in order, neighbouring cut ones folded together."""
    found: list[Kept | Cut] = []
    for kept, group in groupby(paragraph.sentences, key=lambda sentence: sentence.kept):
        sentences = tuple(group)
        found += [Kept(tuple(_parts(sentence))) for sentence in sentences] if kept else [Cut(sentences)]
    return found


def _parts(sentence: Sentence) -> Iterator[Part]:
    place = 0
    for link in sorted(sentence.links, key=lambda link: link.start):
        if link.start < place or link.end > len(sentence.text):
            continue  # links may overlap in odd wikitext: the first counts
        if link.start > place:
            yield Part(sentence.text[place : link.start], "")
        yield Part(sentence.text[link.start : link.end], link.target)
        place = link.end
    if place < len(sentence.text):
        yield Part(sentence.text[place:], "")


def is_kept(part: Kept | Cut) -> bool:
    """Whether a part of a paragraph is told."""
    return isinstance(part, Kept)
