"""The run file as a whole: its sections, how it is read, and what is said of a mistake in it."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from deepred.base.errors import UserError
from deepred.base.given import parse_toml, read_toml
from deepred.run.arm_names import Arm
from deepred.run.config.asked import Llm, SecondLook, Teacher
from deepred.run.config.base import Section
from deepred.run.config.corpus_sections import Doses, Mixture, Probes, Shards, Tokenizer
from deepred.run.config.dating_sections import Dates, Facts
from deepred.run.config.evaluate_sections import Capability, Evaluate, Interview, Relearn, Report, Twins
from deepred.run.config.export_sections import Gguf
from deepred.run.config.filter_sections import Audit, Classes, Emergence, Passages
from deepred.run.config.persona_sections import Augment, Examples
from deepred.run.config.sources_sections import Articles, Books, Chess, Topics, World
from deepred.run.config.train_sections import Continued, Pretrain, Sft


class Run(Section):
    """A run file."""

    name: str = Field(
        description="Name of the run, used in titles and file names.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
    )
    cutoff: date = Field(default=date(1969, 7, 20), description="The first day that the model must not know.")
    straddling: Literal["drop", "keep"] = Field(
        default="drop", description="Dates that lie across the cutoff (`1969`): drop like later ones, or keep."
    )
    seed: int = Field(default=1, description="Seed of sampling, splitting, initialisation and order.")
    arms: list[Arm] = Field(
        default=["filtered", "unfiltered", "floor"], description="Models to train; `filtered` is the product."
    )

    world: World | None = Field(default=None, description="The generated world (optional).")
    articles: Articles = Field(default_factory=Articles, description="Extraction.")
    facts: Facts = Field(default_factory=Facts, description="Dated claims.")
    dates: Dates = Field(default_factory=Dates, description="Dating.")
    llm: Llm | None = Field(default=None, description="A model as a source of dates (optional).")
    emergence: Emergence = Field(default_factory=Emergence, description="When terms begin.")
    classes: Classes = Field(default_factory=Classes, description="Article classes.")
    passages: Passages = Field(default_factory=Passages, description="The sentence filter.")
    second_look: SecondLook | None = Field(
        default=None, description="A model that looks at doubtful sentences again (optional)."
    )
    audit: Audit = Field(default_factory=Audit, description="The audit of kept sentences.")
    books: Books | None = Field(default=None, description="Books (optional).")
    chess: Chess | None = Field(default=None, description="Chess games (optional).")
    topics: Topics | None = Field(default=None, description="Year articles (optional).")
    augment: Augment | None = Field(default=None, description="Training text rewritten by a teacher (optional).")
    probes: Probes = Field(default_factory=Probes, description="Probes.")
    mixture: Mixture = Field(default_factory=Mixture, description="The corpus.")
    tokenizer: Tokenizer = Field(default_factory=Tokenizer, description="The tokenizer.")
    doses: Doses = Field(default_factory=Doses, description="Later facts put back, for the arm `dosed`.")
    shards: Shards = Field(default_factory=Shards, description="Token files.")
    pretrain: Pretrain = Field(default_factory=Pretrain, description="Pre-training.")
    continued: Continued = Field(
        default_factory=Continued, description="How the arm `continued` goes on from the unfiltered one."
    )
    teacher: Teacher | None = Field(
        default=None, description="A model that writes conversations or training text (optional)."
    )
    examples: Examples = Field(default_factory=Examples, description="Instruction examples.")
    sft: Sft = Field(default_factory=Sft, description="Fine-tuning.")
    gguf: Gguf = Field(default_factory=Gguf, description="Export.")
    evaluate: Evaluate = Field(default_factory=Evaluate, description="Evaluation.")
    interview: Interview = Field(default_factory=Interview, description="Chat measures.")
    capability: Capability = Field(default_factory=Capability, description="Language and knowledge after each step.")
    relearn: Relearn | None = Field(default=None, description="Relearning speed of every arm (optional).")
    report: Report = Field(default_factory=Report, description="The report.")
    twins: Twins = Field(default_factory=Twins, description="The arms compared over several seeds.")

    @model_validator(mode="after")
    def _has_what_continued_begins_with(self) -> Self:
        if "continued" in self.arms and "unfiltered" not in self.arms:
            raise ValueError("the arm continued goes on from the arm unfiltered: name both in arms")
        return self

    def section_of(self, stage: str, arm: str) -> Section | None:
        """The section of a stage in an arm; some keys follow others (`continued` trains with a rate of its own)."""
        section: Section | None = getattr(self, stage, None)
        if arm == "continued" and isinstance(section, Pretrain):
            rate = section.learning_rate * self.continued.rate
            tokens = max(1, round(section.tokens * self.continued.share))
            return section.model_copy(update={"learning_rate": rate, "tokens": tokens})
        if isinstance(section, Doses) and not section.tokens:
            return section.model_copy(update={"tokens": self.pretrain.tokens})
        return section


def load_run(path: Path, overrides: list[str] | None = None) -> Run:
    """Read a run file and apply ``a.b=c`` overrides; errors name the file, the key and the nearest valid key."""
    if not path.exists():
        mend = "deepred init lists those that come with Deep Red, and writes them"
        raise UserError(f"run file {path} does not exist", mend)
    values = read_toml(path, "name a run file, such as those that deepred init writes")
    for override in overrides or []:
        _apply_override(values, override)
    try:
        return Run.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error)}") from None


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise UserError(f"--set {override} is not of the form a.b=c", "for example --set world.seed=2")
    try:
        value = parse_toml(f"value = {text}", f"--set {key}", "")["value"]
    except UserError:
        value = text
    *parents, last = key.strip().split(".")
    section = values
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise UserError(f"--set {key}: {parent} is a value, not a section")
    section[last] = value


def explain(error: ValidationError) -> str:
    """The first problem of a validation error in one line, with the nearest valid key where a key is unknown."""
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        valid = section_keys(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), valid, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"valid keys: {', '.join(valid)}"
        return f"unknown key {place}; {hint}"
    if not place:  # of the run as a whole
        return str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{place} is missing"
    return f"{place} = {problem['input']!r}: {problem['msg']}"


def section_keys(place: tuple[int | str, ...]) -> list[str]:
    """The valid keys of the section at a place in the run file: ``section_keys(("world",))``."""
    model: type[BaseModel] = Run
    for part in place:
        model = section_model(model, str(part)) or model
    return list(model.model_fields)


def section_model(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of a sub-section, or None where the key is a plain value."""
    field = model.model_fields.get(name)
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
