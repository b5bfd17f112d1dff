"""What is said about a model wherever it is published: names, sources, licence, Ollama's Modelfile, the model card.

The ``gguf`` stage writes the card before the model is evaluated; ``deepred card``, ``push`` and ``install`` write it
again with what the run has found since (its report): the audit's bound and the evaluation's tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepred.base.chat_markers import GO_TEMPLATE, go_definition
from deepred.base.days import Day, format_day
from deepred.base.errors import UserError
from deepred.base.templating import environment, markdown_cell
from deepred.corpus.licences import GENERATED_LICENCE, WIKIPEDIA_LICENCE

LICENCES = {
    "wikipedia": WIKIPEDIA_LICENCE,
    "topics": f"{WIKIPEDIA_LICENCE} (Wikipedia's year and date articles)",
    "books": "public domain; where, each document of the corpus says",
    "chess": "records of games, which nobody owns; the renderings are the project's own",
}
"""The licence of each source of the mixture."""
ORGANIZATION = "Deep Red"

NOT_YET = "Not measured yet: `deepred run RUN.toml`, then `deepred card RUN.toml`."


@dataclass(frozen=True)
class Source:
    """A part of the text that a model was trained on."""

    name: str
    share: float
    documents: int
    licence: str


@dataclass(frozen=True)
class Release:
    """A model as its files name it."""

    name: str
    size: str
    cutoff: Day
    persona: str
    system_prompt: str
    licence: str
    language: str = "en"
    sources: tuple[Source, ...] = ()

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Release:
        """The release that ``dataclasses.asdict`` wrote."""
        fields: dict[str, Any] = values | {"sources": tuple(Source(**source) for source in values["sources"])}
        return cls(**fields)

    @property
    def title(self) -> str:
        """``DeepRed-0.7M-1969-07-20``."""
        return f"{self.name}-{self.size}-{format_day(self.cutoff)}"

    @property
    def description(self) -> str:
        """What the model is, in a sentence."""
        return (
            f"{self.persona}: a language model for conversation whose knowledge ends before {format_day(self.cutoff)}."
        )

    def file_name(self, quantization: str) -> str:
        """``DeepRed-0.7M-1969-07-20-F16.gguf``."""
        return f"{self.title}-{quantization}.gguf"


def read_sources(mixture: Path) -> tuple[Source, ...]:
    """The sources of a finished mixture with their shares and licences, the largest first."""
    path = mixture / "manifest.json"
    if not path.exists():
        return ()
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    table: dict[str, dict[str, Any]] = manifest["counts"]["notes"].get("sources", {})
    invented = "world" in manifest.get("needs", {})
    found = [
        Source(
            name,
            float(values.get("share", 0.0)),
            int(values.get("documents", 0)),
            GENERATED_LICENCE if invented else LICENCES.get(name, "not stated"),
        )
        for name, values in table.items()
    ]
    return tuple(sorted(found, key=lambda source: -source.share))


def size_label(parameters: int) -> str:
    """The number of parameters as file names give it.

    >>> size_label(651_000), size_label(361_821_120), size_label(1_100_000_000)
    ('0.7M', '362M', '1.1B')
    """
    unit, letter = (1e9, "B") if parameters >= 999_500_000 else (1e6, "M")
    number = parameters / unit
    return f"{number:.0f}{letter}" if number >= 9.95 else f"{number:.1f}{letter}"


def write_modelfile(file: str, system_prompt: str, context: int, licence: str) -> str:
    """Ollama's Modelfile, with the ChatML template spelled out: Ollama does not run the file's own.

    Marks of the format inside a message are broken here too, as in ``CHAT_TEMPLATE``.
    """
    if '"""' in system_prompt:
        raise UserError('the system prompt holds """, which a Modelfile cannot quote', "change the persona's prompt")
    return f'''FROM {file}
TEMPLATE """{go_definition()}{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ template "{GO_TEMPLATE}" .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
"""
SYSTEM """{system_prompt}"""
PARAMETER stop "<|im_end|>"
PARAMETER temperature 0.3
PARAMETER num_ctx {context}
LICENSE """{licence}"""
'''


@dataclass(frozen=True)
class Facts:
    """What a card states beside the release: plain values, as files and manifests hold them."""

    shape: Mapping[str, Any]
    files: Mapping[str, int]
    """Size in bytes by file name."""
    gates: Sequence[Mapping[str, Any]]
    examples: Mapping[str, int] = field(default_factory=dict[str, int])
    """Instruction examples by kind."""
    base: str = ""
    """The model that was trained on; empty: from scratch."""
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """``report.json``, once there is one."""


def write_card(release: Release, facts: Facts) -> str:
    """The model card in Markdown (``card.md``)."""
    template = CARDS.get_template("card.md")
    return template.render(
        release=release,
        facts=facts,
        report=facts.report,
        cutoff=format_day(release.cutoff),
        front_matter=front_matter(release, facts),
        not_yet=NOT_YET,
    )


def front_matter(release: Release, facts: Facts) -> dict[str, Any]:
    """What the hub reads."""
    values: dict[str, Any] = {
        "license": release.licence,
        "language": [release.language],
        "library_name": "gguf",
        "pipeline_tag": "text-generation",
        "tags": ["deepred", "time-locked", "llama", "gguf", "conversational"],
    }
    if facts.base:
        values["base_model"] = facts.base
    if any(source.name == "wikipedia" and source.licence.startswith("CC") for source in release.sources):
        values["datasets"] = ["wikimedia/wikipedia"]
    results = [
        {
            "task": {"type": "text-generation", "name": f"Knowledge {era} {format_day(release.cutoff)}"},
            "dataset": {"type": "deepred-probes", "name": "the run's probe families"},
            "metrics": [{"type": "accuracy", "name": f"accuracy {era} the cutoff", "value": round(value, 4)}],
        }
        for era in ("before", "after")
        if (value := (facts.report.get(era) or {}).get("accuracy")) is not None
    ]
    if results:
        values["model-index"] = [{"name": release.title, "results": results}]
    return values


def figure(values: Mapping[str, Any] | None) -> str:
    """``91% [87%, 95%] of 200 families``, or why there is none."""
    if not values or values.get("accuracy") is None:
        return str((values or {}).get("reason") or "not measured")
    return f"{values['accuracy']:.0%} [{values['low']:.0%}, {values['high']:.0%}] of {values['families']} families"


CARDS = environment(Path(__file__).parent)
CARDS.filters.update(accuracy=figure, cell=markdown_cell, json=lambda value: json.dumps(value, ensure_ascii=False))
