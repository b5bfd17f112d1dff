"""Log-likelihoods of continuations under a causal language model of the ``transformers`` library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError

if TYPE_CHECKING:
    import torch

    from deepred.evaluate.choices import Pair

BATCH_TOKENS = 4096
"""Padded tokens of a forward pass: small enough for a CPU's cache, large enough to fill its cores."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of a context with its continuation, and where the continuation begins."""

    ids: tuple[int, ...]
    start: int


def load_checkpoint(folder: Path, device: str, stage: str) -> tuple[Any, Any, str]:
    """A model, its tokenizer and the device it belongs on; ``stage`` is what is run again where the folder is damaged.

    In float32: bfloat16 is many times slower on a CPU and rounds ties.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # ours is the only one on the terminal
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise FaultError(f"{folder} is not a readable checkpoint: {error}", f"run the stage {stage} again") from error
    return model, tokenizer, device or ("cuda" if torch.cuda.is_available() else "cpu")


class ModelScorer:
    """A scorer of a checkpoint: called with (context, continuation) pairs, it returns their log-probabilities."""

    def __init__(self, model: Any, tokenizer: Any, device: str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.tokenizer = tokenizer
        self.device = device
        self.longest = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
        first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        self.prefix: tuple[int, ...] = () if first is None else (first,)

    @staticmethod
    def load(folder: Path, device: str = "") -> ModelScorer:
        """The scorer of a checkpoint folder."""
        model, tokenizer, device = load_checkpoint(folder, device, "pretrain")
        rows: int = model.config.vocab_size
        if len(tokenizer) > rows:
            raise FaultError(
                f"{folder}: the tokenizer has {len(tokenizer)} tokens, the model's embedding {rows}",
                "use the tokenizer that the model was trained with",
            )
        return ModelScorer(model, tokenizer, device)

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        """Log-probabilities (natural) of each continuation after its context, in the order given."""
        encoded = [self.encode(context, continuation) for context, continuation in pairs]
        scores = [0.0] * len(pairs)
        for places in batches(encoded):
            for place, score in zip(places, self._score([encoded[place] for place in places])):
                scores[place] = score
        return scores

    def encode(self, context: str, continuation: str) -> Encoded:
        """Token ids of both as one text; what follows the tokens shared with the context alone is the continuation.

        Tokenizers may merge across the border, so the two are never encoded apart. Where the whole is longer than the
        model's window the beginning of the context goes.
        """
        alone: list[int] = self._ids(context)
        whole: list[int] = self._ids(context + continuation)
        shared = shared_length(alone, whole[:-1])
        ids = (*self.prefix, *whole)
        start = max(len(self.prefix) + shared, 1)
        cut = max(0, len(ids) - self.longest)
        if cut >= start:
            raise FaultError(f"the continuation {continuation[:40]!r} is longer than the model's window")
        return Encoded(ids[cut:], start - cut)

    def _ids(self, text: str) -> list[int]:
        """Token ids of a text as it was learned: what looks like a special token in it is text."""
        return self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)

    def _score(self, batch: Sequence[Encoded]) -> list[float]:
        import torch

        ids, mask = padded(batch)
        with torch.inference_mode():
            logits = self.model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).logits.float().cpu()
        return [continuation_score(logits[row], ids[row], one) for row, one in enumerate(batch)]


def padded(batch: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids in rows and where they are, padded on the right: positions stay those of an unpadded text."""
    import torch

    ids = torch.zeros((len(batch), max(len(one.ids) for one in batch)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        mask[row, : len(one.ids)] = 1
    return ids, mask


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts share from the beginning: ``shared_length([1, 2, 3], [1, 2, 9]) == 2``."""
    differing = (place for place, (a, b) in enumerate(zip(one, other)) if a != b)
    return next(differing, min(len(one), len(other)))


def continuation_score(logits: torch.Tensor, ids: torch.Tensor, one: Encoded) -> float:
    """The summed log-probability of a row's continuation; ``logits`` is (width, vocabulary), ``ids`` (width,)."""
    end = len(one.ids)
    predicted = logits[one.start - 1 : end - 1].log_softmax(-1)
    return float(predicted.gather(1, ids[one.start : end, None]).double().sum())


def batches(encoded: Sequence[Encoded], most: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Places of texts of like length, so that padding is small, at most ``most`` padded tokens together."""
    batch: list[int] = []
    for place in sorted(range(len(encoded)), key=lambda place: (len(encoded[place].ids), place)):
        # lengths ascend, so the newest is the width of the batch
        if batch and (len(batch) + 1) * len(encoded[place].ids) > most:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
