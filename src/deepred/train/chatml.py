"""ChatML, the one chat format of the project: ``<|im_start|>role``, a line break, the content, ``<|im_end|>``."""

from __future__ import annotations

from collections.abc import Sequence

START, END = "<|im_start|>", "<|im_end|>"


def render(messages: Sequence[dict[str, str]]) -> str:
    r"""A conversation as the text that the model reads.

    >>> render([{"role": "user", "content": "Hello"}])
    '<|im_start|>user\nHello<|im_end|>\n'
    """
    return "".join(f"{START}{message['role']}\n{message['content']}{END}\n" for message in messages)


def answer_spans(messages: Sequence[dict[str, str]]) -> list[tuple[int, int]]:
    """Spans of ``render(messages)`` that the assistant writes: each answer with the ``<|im_end|>`` that ends it.

    >>> text = render([{"role": "assistant", "content": "Yes."}])
    >>> [text[start:end] for start, end in answer_spans([{"role": "assistant", "content": "Yes."}])]
    ['Yes.<|im_end|>']
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for message in messages:
        length = len(render([message]))
        if message["role"] == "assistant":
            start = position + len(START) + len(message["role"]) + 1
            spans.append((start, position + length - 1))
        position += length
    return spans
