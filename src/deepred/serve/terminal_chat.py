"""A chat in the terminal with a GGUF file, in llama.cpp: streamed answers, history, a few commands.

The persona's system prompt and the cutoff come from the file's own metadata. Answers end at the end of a turn. When a
conversation outgrows the model's context, its oldest turns are forgotten, never the system prompt.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepred.base.chat_markers import disarm_values
from deepred.base.errors import DeepRedError, UserError
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.llama_server import Llama, bounded_context, open_llama
from deepred.persona.personas import SHORT_CONTEXT, Message, load_persona, shipped_personas

TEMPERATURE = 0.3
"""Low: a small model that is sampled freely loses its thread."""
RETRY_TEMPERATURE = 0.7
"""Temperature at least of an answer that is asked for again."""
ANSWER_TOKENS = 512
"""Tokens of an answer at most."""
ANSWER_SHARE = 4
"""A quarter of the context is kept free for the answer."""

HELP = """/system [TEXT]   show or replace the system prompt, and begin anew
/persona [NAME]  show the persona, or take another: a shipped one or a TOML file
/retry           another answer to the last question
/save FILE       write the conversation as JSON
/quit            leave (Ctrl-D does too; Ctrl-C stops an answer)"""


@dataclass
class Conversation:
    """What was said so far, and how the model is to answer."""

    llama: Llama
    system: str
    persona: str
    context: int
    options: dict[str, Any]
    messages: list[Message] = field(default_factory=list[Message])
    tries: int = 0
    """How often an answer was asked for again."""

    def ask(self, question: str, **changed: Any) -> Iterator[str]:
        """The answer, piece by piece, under changed options; it joins the history however far it came."""
        self.messages.append({"role": "user", "content": question})
        said = ""
        try:
            for piece in self.llama.stream(self.prompt(), **self.options | changed):
                said += piece
                yield piece
        finally:
            self.messages.append({"role": "assistant", "content": said.strip()})

    def prompt(self) -> list[Message]:
        """The system prompt and as many of the last turns as leave room for an answer."""
        opening = [{"role": "system", "content": self.system}] if self.system else []
        said = disarm_values([*opening, *self.messages])  # the file's own template may not do so
        opening, turns = said[: len(opening)], said[len(opening) :]
        room = self.context - min(int(self.options["max_tokens"]), self.context // ANSWER_SHARE)
        for start in range(0, len(self.messages), 2):
            kept = [*opening, *turns[start:]]
            if len(self.llama.tokenize(self.llama.render(kept), special=True)) <= room:
                return kept
        raise UserError("the question is too long for the model's context", f"it holds {self.context} tokens in all")

    def last_question(self) -> str:
        """Take back the last turn and return its question; ``UserError`` where nothing was asked."""
        if not self.messages:
            raise UserError("nothing was asked yet")
        question = self.messages[-2]["content"]
        del self.messages[-2:]
        return question

    def save(self, path: Path) -> None:
        """Write the conversation as JSON with its persona and system prompt."""
        values = {"persona": self.persona, "system": self.system, "messages": self.messages}
        path.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def chat(
    gguf: Path,
    prompt: str | None = None,
    system: str | None = None,
    persona: str | None = None,
    temperature: float = TEMPERATURE,
    max_tokens: int = ANSWER_TOKENS,
    threads: int = 0,
    seed: int | None = None,
    read: Callable[[], str] | None = None,
    write: Callable[[str], None] | None = None,
) -> None:
    """Chat with a GGUF file; with a prompt, answer it and return. ``read`` and ``write`` stand in for the terminal."""
    write = write or _write
    metadata = read_metadata(gguf)
    context = bounded_context(metadata)
    options: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "stop": ["<|im_end|>"]}
    if seed is not None:
        options["seed"] = seed
    with open_llama(gguf, context=context, threads=threads) as llama:
        own = str(metadata.get("deepred.system_prompt", ""))
        named = str(metadata.get("deepred.persona", gguf.stem))
        conversation = Conversation(llama, own, named, context, options)
        if persona is not None:
            take_persona(conversation, persona)
        if system is not None:
            conversation.system = system
        if prompt is not None:
            say(conversation, prompt, write)
            return
        cutoff = metadata.get("deepred.cutoff")
        known = f", knowledge to the day before {cutoff}" if cutoff else ""
        write(f"{conversation.persona}{known}. /help lists commands.\n")
        converse(conversation, read or _read, write)


def converse(conversation: Conversation, read: Callable[[], str], write: Callable[[str], None]) -> None:
    """Questions and commands until the end of input or /quit; an error is one line and the chat goes on."""
    while True:
        try:
            line = read().strip()
        except (EOFError, KeyboardInterrupt):
            write("\n")
            return
        if line in {"/quit", "/exit"}:
            return
        try:
            if line.startswith("/"):
                command(conversation, line, write)
            elif line:
                say(conversation, line, write)
        except DeepRedError as error:
            write(f"{error}\n")


def say(conversation: Conversation, question: str, write: Callable[[str], None], **changed: Any) -> None:
    """Write the answer as it comes; Ctrl-C ends the answer, not the chat."""
    try:
        for piece in conversation.ask(question, **changed):
            write(piece)
    except KeyboardInterrupt:
        write(" …")
    write("\n")


def command(conversation: Conversation, line: str, write: Callable[[str], None]) -> None:
    """Carry out a line that begins with a slash."""
    name, _, argument = line.partition(" ")
    argument = argument.strip()
    if name == "/help":
        write(HELP + "\n")
    elif name == "/system":
        if argument:
            conversation.system = argument
            conversation.messages.clear()
        write(f"{conversation.system or '(none)'}\n")
    elif name == "/persona":
        if argument:
            take_persona(conversation, argument)
        write(f"{conversation.persona}: {conversation.system or '(no system prompt)'}\n")
    elif name == "/retry":
        conversation.tries += 1  # another seed, and some freedom: the likeliest answer would be the same again
        warmer = max(RETRY_TEMPERATURE, float(conversation.options["temperature"]))
        say(conversation, conversation.last_question(), write, temperature=warmer, seed=conversation.tries)
    elif name == "/save":
        save(conversation, argument, write)
    else:
        raise UserError(f"{name} is no command", "/help lists them")


def take_persona(conversation: Conversation, name: str) -> None:
    """Begin anew as a shipped persona or that of a TOML file, with the prompt that fits the context."""
    shipped = Path(__file__).parent.parent / "persona" / f"{name}.toml"
    if name not in shipped_personas() and not Path(name).is_file():
        raise UserError(f"there is no persona {name}", f"shipped: {', '.join(shipped_personas())}; or name a TOML file")
    persona = load_persona(shipped if name in shipped_personas() else Path(name))
    conversation.persona = persona.name
    conversation.system = persona.prompt(short=conversation.context < SHORT_CONTEXT)
    conversation.messages.clear()


def save(conversation: Conversation, name: str, write: Callable[[str], None]) -> None:
    """Write the conversation to a new file; an existing one is left alone."""
    if not name:
        raise UserError("/save needs a file name", "/save talk.json")
    path = Path(name).expanduser()
    if path.exists():
        raise UserError(f"{path} exists", "name a new file")
    try:
        conversation.save(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
    write(f"saved to {path}\n")


def _read() -> str:
    """A line from the terminal, with the line editor's history where there is one."""
    with suppress(ImportError):
        importlib.import_module("readline")  # its import gives input() its history
    return input("> ")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
