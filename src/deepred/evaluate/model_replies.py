"""Models that answer conversations: a Hugging Face folder in batches, or a GGUF file through llama.cpp.

Both answer with the likeliest token every time, so that the same model gives the same answers. A conversation that
leaves no room for an answer in the model's context is not put to it: its answer is None, and it is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepred.corpus.tokenizer import END, START, render
from deepred.evaluate.model_scores import load_checkpoint
from deepred.export.llama_server import MOST_CONTEXT, bounded_context, open_llama
from deepred.persona.personas import Message

Talker = Callable[[Sequence[Sequence[Message]]], list[str | None]]
"""Answers conversations, in their order; None for one that does not fit."""

LEAST_ANSWER = 12
"""Tokens of an answer that must have room: a name and a few words around it."""
BATCH = 32


class CheckpointTalker:
    """A Hugging Face folder with ChatML's tokens."""

    def __init__(self, folder: Path, tokens: int, device: str = "") -> None:
        model, self.tokenizer, self.device = load_checkpoint(folder, device, "merge")
        self.model = model.to(self.device).eval()
        self.tokens = tokens
        self.context = min(int(model.config.max_position_embeddings), MOST_CONTEXT)
        end = self.tokenizer.convert_tokens_to_ids(END)
        stops = [end, self.tokenizer.eos_token_id]
        self.stops: list[int] = [int(token) for token in stops if token is not None]

    def __call__(self, conversations: Sequence[Sequence[Message]]) -> list[str | None]:
        """The answers, computed in batches of like length."""
        prompts = [
            self.tokenizer.encode(render(one) + f"{START}assistant\n", add_special_tokens=False)
            for one in conversations
        ]
        answers: list[str | None] = [None] * len(prompts)
        fitting = [n for n, ids in enumerate(prompts) if len(ids) + LEAST_ANSWER <= self.context]
        fitting.sort(key=lambda n: (len(prompts[n]), n))
        for first in range(0, len(fitting), BATCH):
            places = fitting[first : first + BATCH]
            for place, text in zip(places, self._answer([prompts[n] for n in places])):
                answers[place] = text
        return answers

    def _answer(self, prompts: list[list[int]]) -> list[str]:
        import torch

        width = max(map(len, prompts))
        pad = self.stops[0]
        ids = torch.full((len(prompts), width), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):  # padded on the left: what is written follows on the right
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        room = min(self.tokens, self.context - width)
        with torch.inference_mode():
            written = self.model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                max_new_tokens=room,
                do_sample=False,
                eos_token_id=self.stops,
                pad_token_id=pad,
            )
        return [self._text(row) for row in written[:, width:].tolist()]

    def _text(self, ids: list[int]) -> str:
        stop = next((place for place, token in enumerate(ids) if token in self.stops), len(ids))
        return str(self.tokenizer.decode(ids[:stop], skip_special_tokens=False)).strip()


@contextmanager
def open_gguf(path: Path, tokens: int, threads: int = 0) -> Generator[Talker]:
    """A GGUF file in llama.cpp as a talker, while the block runs."""
    from deepred.export.gguf.gguf_header import read_metadata

    context = bounded_context(read_metadata(path))
    with open_llama(path, context=context, threads=threads) as llama:

        def talk(conversations: Sequence[Sequence[Message]]) -> list[str | None]:
            answers: list[str | None] = []
            for one in conversations:
                length = len(llama.tokenize(llama.render(one), special=True))
                room = min(tokens, context - length)
                if room < LEAST_ANSWER:
                    answers.append(None)
                    continue
                said, _ = llama.answer(one, temperature=0.0, max_tokens=room, stop=[END])
                answers.append(said.strip())
            return answers

        yield talk
