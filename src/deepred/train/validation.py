"""Held-out text: the loss by source, bits per byte, and a sample of what the model writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepred.train.token_files import Tokens, TokenStream

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

SEQUENCES = 64
"""Sequences of every source that a validation reads, spread evenly over what is held out."""
PROMPT_TOKENS, SAMPLE_TOKENS = 12, 24
"""Tokens of held-out text that a sample begins with, and tokens that the model adds."""

Loss = Callable[[NDArray[np.int64]], Tensor]
"""The mean loss (nats a token) of sequences of ids."""


def validate(tokens: Tokens, loss: Loss, sequence: int, batch: int) -> dict[str, Any]:
    """Validation loss (nats a token) over all and by source, and bits per byte; empty where nothing is held out."""
    by_source: dict[str, float] = {}
    nats = counted = text_bytes = 0.0
    for source, stream in sorted(tokens.validation.items()):
        total, count = _stream_loss(stream, loss, sequence, batch)
        if count:
            by_source[source] = total / count
            nats, counted = nats + total, counted + count
            text_bytes += count * tokens.bytes_per_token(source)
    if not counted:
        return {}
    return {"validation": nats / counted, "bits_per_byte": nats / math.log(2) / text_bytes, "by_source": by_source}


def _stream_loss(stream: TokenStream, loss: Loss, sequence: int, batch: int) -> tuple[float, int]:
    """Sum of the losses of a source's held-out tokens, and their number."""
    length = min(sequence, len(stream) - 1)
    if length < 1:
        return 0.0, 0
    sequences = stream.sequences(length)
    count = len(sequences)
    numbers = np.unique(np.linspace(0, count - 1, min(count, SEQUENCES)).astype(np.int64))
    total = 0.0
    for first in range(0, len(numbers), batch):
        part = sequences.batch(numbers[first : first + batch])
        total += float(loss(part)) * part[:, 1:].size
    return total, len(numbers) * length


def write_samples(
    objective: Any, encoder: Encoder, validation: Mapping[str, TokenStream], sequence: int, device: torch.device
) -> dict[str, str]:
    """By source, how the model goes on from the beginning of the held-out text, with the likeliest token each time."""
    found: dict[str, str] = {}
    for source, stream in sorted(validation.items()):
        start = min(PROMPT_TOKENS, len(stream), sequence // 2)
        ids = torch.from_numpy(stream.read(0, start))[None].to(device)
        for _ in range(min(SAMPLE_TOKENS, sequence - start)):
            ids = torch.cat([ids, objective(ids, predict=True)[:, None]], 1)
        written = ids[0].tolist()
        prompt, rest = (encoder.decode(part, skip_special_tokens=False) for part in (written[:start], written[start:]))
        found[source] = f"{prompt} →{rest}"
    return found
