"""Gates on a GGUF file, run in llama.cpp itself against the Hugging Face model that it was made from.

A gate is a named value with a limit. The file is published only if all pass.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.errors import FaultError
from deepred.export.llama import Llama
from deepred.export.tensors import Shape, read_checkpoint

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

TOP1_LIMIT = 0.99
"""Share of positions at which F16 and float32 must agree on the likeliest token."""
TIE = 0.02
"""Nats by which the likeliest token may trail and still count as such; F16 moved log-probabilities by 0.011."""
F16_KL_LIMIT = 1e-4
"""Median KL of F16 against float32; 2e-6 was measured for a correct file, a wrong row order gives more than 1."""
QUANTIZED_KL_LIMIT = 2e-3
"""Median KL of a quantized file against its own dequantized weights; 6.5e-4 was measured for Q4_K_M."""
POSITIONS = 100
"""Positions at which log-probabilities are compared, one request each."""
LIKELIEST = 2048
"""Tokens whose probabilities are compared at a position; the rest of a large vocabulary counts as one token."""
REST = 1e-6
"""Probability below which the rest of the vocabulary is float32's rounding."""
STRING_SEED = 1969

FRAGMENTS: tuple[str, ...] = (
    "Hello, world!", "don't we'll I've she'd", "  leading", "trailing  ", "\n\n", "\t\ttabs",
    "a  b   c", "1969", "3.14159", "12,345,678", "0x7F", "naïve café", "Москва", "東京オリンピック", "שלום",
    "مرحبا", "Ελλάδα", "ð", "e\u0301", "½", "№ 7", "…", "—", "“quoted”",
    "\U0001f469\u200d\U0001f680", "♟♞♝", "1. e4 e5 2. Nf3 Nc6", "O-O-O#", "x=y+z;", "{[()]}",
    "\r\n", "end.", "http://a.b/c?d=e", "CamelCaseWord", "snake_case", "ALL CAPS", "\xa0nbsp",
    "\u200bzero", "'s 'S", "A.B.C.", "$100", "50%", "C++", "#1", "@", "~", "\\",
)  # fmt: skip
"""Pieces of text on which tokenizers have been seen to differ: white space, marks, scripts, digits, emoji."""


@dataclass(frozen=True)
class Gate:
    """A measured value and whether it lies within its limit."""

    name: str
    file: str
    value: float
    limit: float
    passed: bool

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, the value to three digits: more would depend on the processor."""
        return asdict(self) | {"value": float(f"{self.value:.3g}")}


def at_most(name: str, file: str, value: float, limit: float) -> Gate:
    """A gate that passes up to a limit (never for NaN)."""
    return Gate(name, file, value, limit, value <= limit)


def at_least(name: str, file: str, value: float, limit: float) -> Gate:
    """A gate that passes from a limit on (never for NaN)."""
    return Gate(name, file, value, limit, value >= limit)


def require(gates: Sequence[Gate]) -> None:
    """``FaultError`` that names every gate that did not pass."""
    failed = [
        f"{gate.name} of {gate.file} is {gate.value:.3g} (limit {gate.limit:g})" for gate in gates if not gate.passed
    ]
    if failed:
        raise FaultError(f"the file is not published: {'; '.join(failed)}")


def varied_strings(texts: Sequence[str], count: int) -> list[str]:
    """Deterministic strings of odd fragments and pieces of real text, for comparing tokenizers."""
    chance = random.Random(STRING_SEED)
    strings = list(FRAGMENTS[:count])
    while len(strings) < count:
        parts = [chance.choice(FRAGMENTS) for _ in range(chance.randint(0, 3))]
        if texts:
            text = chance.choice(texts)
            start = chance.randrange(max(1, len(text)))
            parts.insert(chance.randint(0, len(parts)), text[start : start + chance.randint(1, 80)])
        strings.append(chance.choice(("", " ", "\n")).join(parts))
    return strings


def tokenizer_gates(llama: Llama, file: str, tokenizer: Tokenizer, strings: Sequence[str]) -> Iterator[Gate]:
    """Strings whose token ids differ between the tokenizer and the file: none may."""
    wrong = sum(llama.tokenize(text) != tokenizer.encode(text, add_special_tokens=False).ids for text in strings)
    yield at_most(f"token ids that differ in {len(strings)} strings", file, wrong, 0)


def template_gates(
    llama: Llama, file: str, folder: Path, conversations: Sequence[list[dict[str, str]]]
) -> Iterator[Gate]:
    """Conversations that the file's template turns into other token ids than the model folder's template: none may."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    wrong = 0
    for messages in conversations:
        expected = tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True, return_dict=True)
        wrong += list(expected["input_ids"]) != llama.tokenize(llama.render(messages), special=True)
    yield at_most(f"templates that differ in {len(conversations)} conversations", file, wrong, 0)


def answer_gates(
    llama: Llama, file: str, conversations: Sequence[list[dict[str, str]]], end_of_turn: int, control: Sequence[int]
) -> Iterator[Gate]:
    """The file answers every prompt with text (control tokens barred), and the end-of-turn token ends an answer."""
    silent = 0
    barred = [[token, -1000.0] for token in control]
    for messages in conversations:
        text, _ = llama.answer(messages, max_tokens=8, temperature=0.0, logit_bias=barred)
        silent += not text
    yield at_most(f"empty answers to {len(conversations)} prompts", file, silent, 0)
    forced, reason = llama.answer(conversations[0], max_tokens=8, temperature=0.0, logit_bias=[[end_of_turn, 1000.0]])
    yield at_least("answers that end at the end of a turn", file, float(not forced and reason == "stop"), 1)


def parity_gates(
    llama: Llama, file: str, path: Path, folder: Path, texts: Sequence[list[int]], shape: Shape
) -> Iterator[Gate]:
    """Log-probabilities in llama.cpp against Hugging Face: the float32 model for F16, else the dequantized weights."""
    import torch

    exact = file.endswith("-F16.gguf")
    model = load_reference(folder, None if exact else path, shape)
    agreed: list[bool] = []
    divergences: list[float] = []
    for ids, positions in _sampled_positions(texts, shape.context):
        with torch.no_grad():
            expected = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1)
        for position in positions:
            found = llama.next_log_probs(ids[: position + 1], min(shape.vocabulary, LIKELIEST))
            tokens = torch.tensor(list(found))
            actual = torch.tensor(list(found.values()), dtype=torch.float64)
            divergences.append(divergence(expected[position][tokens], actual))
            best = expected[position]
            agreed.append(bool(best[tokens[actual.argmax()]] >= best.max() - TIE))
    median = sorted(divergences)[len(divergences) // 2]
    if exact:
        yield at_least("share of positions with the same likeliest token", file, sum(agreed) / len(agreed), TOP1_LIMIT)
    yield at_most("median KL against Hugging Face", file, median, F16_KL_LIMIT if exact else QUANTIZED_KL_LIMIT)


def divergence(expected: torch.Tensor, actual: torch.Tensor) -> float:
    """Kullback-Leibler divergence in nats of two vectors of log-probabilities; the rest counts as one token."""
    shares, found = expected.exp(), actual.exp()
    total = float((shares * (expected - actual)).sum())
    rest, rest_found = 1.0 - float(shares.sum()), 1.0 - float(found.sum())
    if rest > REST and rest_found > REST:
        total += rest * math.log(rest / rest_found)
    return max(0.0, total)


def _sampled_positions(texts: Sequence[list[int]], context: int) -> Iterator[tuple[list[int], list[int]]]:
    """Texts cut to the context with evenly spread positions, about ``POSITIONS`` in all."""
    each = max(1, POSITIONS // max(1, len(texts)))
    for text in texts:
        ids = text[: context - 1]
        if ids:
            yield ids, sorted({(2 * step + 1) * len(ids) // (2 * each) for step in range(each)})


def load_reference(folder: Path, path: Path | None, shape: Shape) -> torch.nn.Module:
    """The Hugging Face model in float32; with a GGUF path, its weights replaced by that file's dequantized ones."""
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if path is not None:
        weights = {name: torch.from_numpy(values) for name, values in read_checkpoint(path, shape)}
        missing, unexpected = model.load_state_dict(weights, strict=False)
        if unexpected or set(missing) - {"lm_head.weight"}:
            raise FaultError(f"{path} holds other tensors than {folder}: {[*missing, *unexpected][:3]}")
    return model.eval()
