"""Conversations as training rows: token ids, what the assistant writes, and several conversations in a row.

A row holds whole conversations; attention is confined to each and its positions begin at 0. So a packed batch gives
the loss that the same conversations give one by one, with less padding.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from deepred.base.errors import FaultError
from deepred.corpus.tokenizer import answer_spans, render
from deepred.run.stage import Counts
from deepred.train.schedule import permute
from deepred.train.token_files import Tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Encoded:
    """A conversation as token ids, and for each whether the assistant writes it."""

    ids: list[int]
    answers: list[bool]


@dataclass(frozen=True)
class Rows:
    """Packed conversations; every tensor is (rows, width)."""

    ids: Tensor
    answers: Tensor
    positions: Tensor
    conversation: Tensor
    """Number of the conversation in its row, from 1; 0 is padding."""

    def part(self, first: int, count: int) -> Rows:
        """So many of the rows."""
        return Rows(*(values[first : first + count] for values in self._tensors()))

    def to(self, device: torch.device) -> Rows:
        """The same on a device."""
        return Rows(*(values.to(device) for values in self._tensors()))

    def _tensors(self) -> tuple[Tensor, ...]:
        return self.ids, self.answers, self.positions, self.conversation

    def mask(self) -> Tensor:
        """What each token may see: its own conversation up to itself; shape (rows, 1, width, width), True where so."""
        width = self.ids.shape[1]
        same = self.conversation[:, :, None] == self.conversation[:, None, :]
        return (same & torch.ones(width, width, dtype=torch.bool, device=same.device).tril())[:, None]


def encode(messages: Sequence[dict[str, str]], tokenizer: Tokenizer) -> Encoded:
    """Token ids of a rendered conversation; a token is an answer's if it lies wholly in what the assistant writes."""
    encoding = tokenizer.encode(render(messages), add_special_tokens=False)
    spans = answer_spans(messages)
    inside = [any(first <= start and end <= last for first, last in spans) for start, end in encoding.offsets]
    return Encoded(list(encoding.ids), inside)


def read_encoded(path: Path, tokenizer: Tokenizer, limit: int, counts: Counts) -> Iterator[Encoded]:
    """The conversations of a file as token ids; one that exceeds the model's context is dropped and counted."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                encoded = encode(json.loads(line)["messages"], tokenizer)
            except (ValueError, KeyError, TypeError) as error:
                raise FaultError(f"{path}, line {number}: {error}", "make the examples again") from error
            if len(encoded.ids) > limit or not any(encoded.answers):
                counts.drop("long" if len(encoded.ids) > limit else "no answer")
                continue
            counts.add("documents")
            counts.add("tokens", len(encoded.ids))
            counts.add("answer tokens", sum(encoded.answers))
            yield encoded


def read_again(shards: Path, count: int, length: int, seed: int) -> Iterator[Encoded]:
    """Pieces of the corpus, every token of which is learned as in pre-training."""
    stream = Tokens(shards).train
    for start in islice(places(len(stream), length, seed), count):
        ids = stream.read(start, min(length, len(stream))).tolist()
        yield Encoded(ids, [place > 0 for place in range(len(ids))])


def places(total: int, length: int, seed: int) -> Iterator[int]:
    """Where pieces of a text begin, without end: side by side, in an order of the seed, none twice in a pass.

    Pieces drawn at random would leave a third of a small corpus unread, and what stands there is forgotten.
    """
    chance = random.Random(f"{seed} replay")
    last = max(0, total - length)
    while True:
        starts = list(range(chance.randint(0, min(length - 1, last)), last + 1, length))
        chance.shuffle(starts)
        yield from starts


def batch_of(examples: Sequence[Encoded], size: int, seed: int, step: int) -> list[Encoded]:
    """The conversations of a step: every example once an epoch, in an order of (seed, epoch)."""
    steps = -(-len(examples) // size)
    epoch, place = divmod(step, steps)
    numbers = np.arange(place * size, min((place + 1) * size, len(examples)), dtype=np.int64)
    return [examples[number] for number in permute(numbers, len(examples), seed, epoch)]


def pack(batch: Sequence[Encoded]) -> Rows:
    """Conversations in rows as wide as the longest, each in the first row that has room, longest first."""
    width = max(len(item.ids) for item in batch)
    rows: list[list[Encoded]] = []
    for item in sorted(batch, key=lambda item: -len(item.ids)):
        fitting = (row for row in rows if sum(len(other.ids) for other in row) + len(item.ids) <= width)
        row = next(fitting, None)
        if row is None:
            rows.append([item])
        else:
            row.append(item)
    shape = (len(rows), width)
    packed = Rows(*(torch.zeros(shape, dtype=kind) for kind in (torch.long, torch.bool, torch.long, torch.long)))
    for number, row in enumerate(rows):
        start = 0
        for place, item in enumerate(row, 1):
            part = slice(start, start + len(item.ids))
            packed.ids[number, part] = torch.tensor(item.ids)
            packed.answers[number, part] = torch.tensor(item.answers)
            packed.positions[number, part] = torch.arange(len(item.ids))
            packed.conversation[number, part] = place
            start += len(item.ids)
    # a conversation's first token is predicted by nothing: what stands before it is another conversation
    packed.answers[packed.positions == 0] = False
    return packed
