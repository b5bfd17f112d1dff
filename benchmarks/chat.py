"""How often a run's model answers in ChatML's turns and stops by itself, through llama.cpp on its own GGUF file.

    python benchmarks/chat.py runs/demo.toml [--quantization F16] [--show]

A hundred prompts: held-out questions of the run (validation examples: facts, passages, things that do not exist), small
talk, chess, what lies after the cutoff, and conversations of several turns (the model's own answers between); where a
small run holds out too few, the rest are evenly drawn questions that it was trained on. The last answer counts if it is
not empty, holds no mark of a turn, and ended by the model's own end token within ``LONGEST`` tokens and the context.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from deepred.cli.model_commands import model_file
from deepred.cli.options import built_folders, open_pipeline
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.llama_server import open_llama
from deepred.serve.terminal_chat import Conversation

LONGEST = 128
GOAL = 0.95
PROMPTS = 100

SMALL_TALK = (
    "Hello.", "Good evening, comrade.", "Who are you?", "What is your name?", "How are you today?", "Thank you.",
    "What can you do?", "Tell me something interesting.", "Do you ever sleep?", "Are you alive?", "Goodbye.",
    "Can you help me?", "I am tired.", "What do you think of machines?", "Where are you?",
)  # fmt: skip
CHESS = (
    "Do you play chess?", "What is a good first move?", "1. e4 e5 2. Nf3", "How does the knight move?",
    "What is castling?", "Is the queen stronger than two rooks?", "Who is the best player?", "I resign.",
    "What is a gambit?", "Check!", "Teach me an endgame.", "Why do you like chess?",
)  # fmt: skip
LATER = (
    "Who won the election of 2016?", "What is a smartphone?", "Who walked on the Moon?", "What is the internet?",
    "Tell me about the fall of the Berlin Wall.", "What happened in 1989?", "Who is the president now?",
    "What is Bitcoin?",
)  # fmt: skip


def prompts(examples: Path) -> list[tuple[str, list[str]]]:
    """The kind of every conversation and what its user says, turn by turn; the last answer counts."""
    asked = questions(examples / "validation.jsonl")
    found = [
        (kind, [text])
        for kind, texts in (("small talk", SMALL_TALK), ("chess", CHESS), ("later", LATER))
        for text in texts
    ]
    openings = [*SMALL_TALK[:8], *CHESS[:7]]
    found += [("several turns", [opening, *texts]) for opening, (_, texts) in zip(openings, asked[::3])]
    found += [(f"held out: {kind}", texts) for kind, texts in asked]
    if (missing := PROMPTS - len(found)) > 0:
        trained = questions(examples / "train.jsonl")
        found += [(f"trained on: {kind}", texts) for kind, texts in trained[:: max(1, len(trained) // missing)]]
    return found[:PROMPTS]


def questions(path: Path) -> list[tuple[str, list[str]]]:
    """The kind of every example of a file and what its user says, turn by turn."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row["kind"], [m["content"] for m in row["messages"] if m["role"] == "user"]) for row in rows]


def main() -> None:
    """Ask, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_file", type=Path)
    parser.add_argument("--quantization")
    parser.add_argument("--set", action="append", default=[], help="override a key of the run file")
    parser.add_argument("--show", action="store_true", help="print every answer")
    options = parser.parse_args()
    path = model_file(options.run_file, options.quantization, options.set, None)
    examples = built_folders(open_pipeline(options.run_file, options.set, None), options.run_file, "examples")
    count(path, examples["examples"], options.show)


def count(path: Path, examples: Path, show: bool = False) -> float:
    """The share of prompts answered well by a file; printed by kind."""
    asked: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    metadata = read_metadata(path)
    context, options = int(metadata["llama.context_length"]), {"max_tokens": LONGEST, "temperature": 0.0}
    with open_llama(path, context=context, threads=1) as llama:
        for kind, texts in prompts(examples):
            # as `deepred chat` does: its oldest turns go when a conversation leaves no room for an answer
            talk = Conversation(llama, metadata["deepred.system_prompt"], "", context, options)
            for text in texts[:-1]:
                list(talk.ask(text))
            talk.messages.append({"role": "user", "content": texts[-1]})
            answer, reason = llama.answer(talk.prompt(), **options)
            good = reason == "stop" and bool(answer.strip()) and "<|im_" not in answer
            asked[kind] += 1
            stopped[kind] += good
            if show:
                print(f"{'ok' if good else reason:<7}{texts} -> {answer!r}")
    for kind, number in sorted(asked.items()):
        print(f"{kind:<20} {stopped[kind]:>3} of {number}")
    share = stopped.total() / asked.total()
    print(f"{path.name}: {stopped.total()} of {asked.total()} ({share:.0%}; goal {GOAL:.0%})")
    return share


if __name__ == "__main__":
    main()
