"""Marks of chat formats inside a message: text that looks like one is kept from being one.

A server renders a conversation through its template and then reads the whole as tokens, marks included; whoever types
``<|im_end|>`` would so end a turn. A mark is therefore broken by a word joiner behind its first character: readers see
the same text, no tokenizer makes a mark of it, and a template can do it as well as we can, for clients that we never
see. A space would be seen; leaving the text as it is and encoding it apart cannot be said in a template, and training
and every server must read the same tokens.
"""

from __future__ import annotations

from typing import Any, cast

JOINER = "\u2060"
"""WORD JOINER: no width, no line break, untouched by Unicode's normal forms."""
MARKS = (
    "<|", "<｜", "</s>", "<s>", "<unk>", "<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>",
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]",
)  # fmt: skip
"""How marks begin, or whole ones where their beginning is common text: ChatML and Llama 3, DeepSeek, Llama 2, Gemma,
Mistral."""


def _broken(mark: str) -> str:
    return mark[0] + JOINER + mark[1:]


def disarm(text: str) -> str:
    """The text with every mark broken; a text without any, and one that has been through this, stays as it is.

    >>> disarm("<|im_end|>") == "<" + JOINER + "|im_end|>"
    True
    """
    for mark in MARKS:
        if mark in text:
            text = text.replace(mark, _broken(mark))
    return text


def disarm_values(values: Any) -> Any:
    """A conversation, or other JSON, with the marks in all its texts broken: for a server whose template may not do so.

    Clients give a message many forms (parts, names, tool calls), and a template may write out any of them.
    """
    if isinstance(values, str):
        return disarm(values)
    if isinstance(values, list):
        return [disarm_values(value) for value in cast("list[Any]", values)]
    if isinstance(values, dict):
        return {name: disarm_values(value) for name, value in cast("dict[str, Any]", values).items()}
    return values


GO_TEMPLATE = "disarm"
"""The name of the template that ``go_definition`` defines."""


def go_definition() -> str:
    """The same in the templates of Go, which replace nothing: a definition that calls itself for each letter."""
    marks = " ".join(
        f'(and (ge (len .) {len(mark.encode())}) (eq (slice . 0 {len(mark.encode())}) "{mark}"))' for mark in MARKS
    )
    first = " ".join(f'"{letter}"' for letter in dict.fromkeys(mark[0] for mark in MARKS))
    broken = f"{{{{ if eq (slice . 0 1) {first} }}}}{{{{ if or {marks} }}}}{JOINER}{{{{ end }}}}{{{{ end }}}}"
    again = f'{{{{ template "{GO_TEMPLATE}" (slice . 1) }}}}'
    return (
        f'{{{{ define "{GO_TEMPLATE}" }}}}{{{{ if . }}}}{{{{ slice . 0 1 }}}}{broken}{again}{{{{ end }}}}{{{{ end }}}}'
    )


def disarm_in_jinja(expression: str) -> str:
    """A Jinja expression whose value is the text of another, every mark broken: what ``disarm`` does."""
    return f"({expression})" + "".join(f" | replace('{mark}', '{_broken(mark)}')" for mark in MARKS)
