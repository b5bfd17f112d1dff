"""The run file: one TOML that names everything which changes a result. What it holds is hashed into stage keys.

Every section is the configuration of the stage of the same name. A path in a ``Sources`` list may be a glob and may
start with a prefix: ``world:`` (a file of the generated world), ``samples:`` (below ``DEEPRED_SAMPLES``),
``downloads:`` (below the data folder's ``downloads``), ``persona:`` (a persona that ships with the package).
"""

from __future__ import annotations

import difflib
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from deepred.errors import UserError

Arm = Literal["filtered", "unfiltered", "article", "continued", "dosed", "floor"]
ARMS: tuple[Arm, ...] = get_args(Arm)
EXTERNAL = "external"
HOW = "how"
"""Marks keys that change how a stage works and not what it is for: no part of its key. What a change of them can alter
is rounding, and files kept on the way."""
Sources = Annotated[list[str], EXTERNAL]
"""Files from outside, as paths or globs with an optional prefix; they enter a stage's key by checksum."""


class Section(BaseModel):
    """A part of the run file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class World(Section):
    """The generated encyclopedia, in which everything is known; present only where a run uses it."""

    seed: int = Field(
        default=1, description="Seed of the world; another seed is another world with other names and facts."
    )
    facts: int = Field(
        default=20, ge=4, description="Probed facts per relation and era (before, after the world's own hinge)."
    )
    mentions: int = Field(default=16, ge=2, description="Times each probed fact is stated, over several articles.")
    hinge: date = Field(
        default=date(1969, 7, 20), description="The day that splits the world's eras, and its ground truth."
    )


class Articles(Section):
    """Extraction of a MediaWiki dump into structured text."""

    dumps: Sources = Field(
        default=[], description="MediaWiki XML dumps (.xml, .xml.gz, .xml.bz2, multistream with its index)."
    )
    plain: Sources = Field(
        default=[], description="Parquet files with page_id, title, text: articles that are plain text already."
    )
    language: str = Field(default="en", description="Language of the wiki, for prefixes and templates.")
    tables: Literal["drop", "text"] = Field(default="drop", description="Tables: leave out, or write as lines of text.")
    captions: Literal["drop", "text"] = Field(
        default="drop", description="Captions of images, galleries and tables: leave out, or keep as paragraphs."
    )
    math: Literal["drop", "tex"] = Field(default="tex", description="Formulas: leave out, or keep their TeX source.")
    limit: int = Field(default=0, ge=0, description="Read only the first N articles of every source (0: all).")
    seconds_per_article: float = Field(
        default=10.0, gt=0, description="An article that takes longer is dropped with the reason `slow`."
    )
    salvage: bool = Field(
        default=False, description="Keep the complete pages before a damage in the dump instead of failing."
    )


class Facts(Section):
    """Dated claims of Wikidata and YAGO."""

    wikidata: Sources = Field(default=[], description="Wikidata dumps: JSON or truthy N-Triples, plain, .gz or .bz2.")
    yago: Sources = Field(default=[], description="YAGO 4.5 Turtle files.")
    wiki: str = Field(default="enwiki", description="The sitelink that joins entities with article titles.")
    max_unreadable: float = Field(
        default=0.1, ge=0, le=1, description="Share of malformed entities or lost bytes above which the stage fails."
    )


class Dates(Section):
    """What dates each article, from every source, with evidence."""

    use: list[Literal["wikidata", "yago", "category", "infobox", "lead", "llm"]] = Field(
        default=["wikidata", "yago", "category", "infobox", "lead", "llm"],
        description="Sources of dates, the most trusted first; `llm` speaks only where no other does.",
    )
    answers: Sources = Field(
        default=[], description="Answers of a model (JSONL), written by `deepred date-llm`; read by the source `llm`."
    )


class Asked(Section):
    """A model behind an OpenAI-compatible endpoint, asked by a command, never by a stage: answers enter as a file."""

    section: ClassVar[str]
    url: str = Field(
        default="http://127.0.0.1:1234/v1", description="Base address of any OpenAI-compatible endpoint, with `/v1`."
    )
    further: list[str] = Field(
        default=[],
        description="Further addresses that serve the same model, asked at the same time; `REMOTE_HOST` adds one.",
    )
    model: str = Field(description="Name of the model, as the endpoint knows it.")
    key_variable: str = Field(
        default="DEEPRED_LLM_KEY", description="Environment variable that holds the key (unset: none is sent)."
    )
    options: dict[str, JsonValue] = Field(
        default={"temperature": 0, "max_tokens": 400},
        description="Further fields of requests, also nested: `chat_template_kwargs = { enable_thinking = false }`.",
    )
    concurrency: int = Field(default=4, ge=1, description="Requests under way at the same time, at each address.")
    timeout: float = Field(default=60.0, gt=0, description="Seconds after which a request counts as failed.")
    retries: int = Field(default=5, ge=0, description="Further attempts after HTTP 429 or 5xx or a timeout.")
    price_in: float = Field(default=0.0, ge=0, description="Price of a million tokens sent, for the estimate.")
    price_out: float = Field(default=0.0, ge=0, description="Price of a million tokens received.")


class Llm(Asked):
    """A model that `deepred date-llm` asks for missing dates; hashed into no stage: its answers enter as a file."""

    section: ClassVar[str] = "llm"
    limit: int = Field(default=0, ge=0, description="Undated articles asked about at most (0: all).")
    holdout: int = Field(
        default=200, ge=0, description="Articles of known date asked about too, drawn at random, to measure agreement."
    )


class SecondLook(Asked):
    """A model that `deepred filter look` asks about doubtful sentences; hashed into no stage, like `[llm]`."""

    section: ClassVar[str] = "second_look"
    low: float = Field(default=0.2, ge=0, le=1, description="Probability from which a sentence is doubtful.")
    high: float = Field(default=0.6, ge=0, le=1, description="Probability up to which it is; more counts as late.")
    limit: int = Field(default=0, ge=0, description="Sentences asked about at most, drawn at random (0: all).")

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low:g} is not below high = {self.high:g}")
        return self


class Teacher(Asked):
    """A model that `deepred teach` asks for conversations or training text; hashed into no stage, like `[llm]`."""

    section: ClassVar[str] = "teacher"
    options: dict[str, JsonValue] = Field(
        default={"temperature": 0.7, "max_tokens": 900},
        description="Further fields of requests, also nested: `chat_template_kwargs = { enable_thinking = false }`.",
    )
    timeout: float = Field(default=180.0, gt=0, description="Seconds after which a request counts as failed.")
    count: int = Field(default=2000, ge=1, description="Pieces of the corpus to ask about at most, drawn at random.")
    pieces: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"passage": 0.7, "book": 0.1, "chess": 0.1, "topic": 0.1},
        description="Shares of the kinds of pieces; a kind that runs out leaves its share to the others.",
    )
    characters: int = Field(default=1500, ge=200, description="Characters of a piece at most.")
    turns: int = Field(default=3, ge=1, le=6, description="Questions of a conversation at most.")


class Augment(Section):
    """Training text that a teacher has rewritten from kept passages: a source of the mixture by itself."""

    answers: Sources = Field(
        default=[], description="What `deepred teach --for augment` wrote (JSONL): the rewritten pieces."
    )
    forms: list[Literal["questions", "summary", "dialogue"]] = Field(
        default=["questions", "summary", "dialogue"], description="Forms into which pieces are rewritten, in turns."
    )
    max_copied: int = Field(default=30, ge=1, description="Words in a row that may be copied from the source.")
    min_grounded: float = Field(
        default=0.5, ge=0, le=1, description="Share of the content words that the source must have."
    )


class Emergence(Section):
    """When words, names and titles begin to occur, learned from dated sentences and dated links."""

    buckets: int = Field(
        default=20, ge=10, le=26, description="Hash table size of the term statistics, as a power of two."
    )
    min_count: int = Field(default=5, ge=1, description="Occurrences below which a term says nothing.")
    folds: int = Field(default=5, ge=2, description="Folds of cross-fitting by article: none is scored by what saw it.")


class Classes(Section):
    """Class O, N, S or U of an article relative to the cutoff."""

    late_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Share of dated sentences after the cutoff from which an undated article counts as new.",
    )


class Passages(Section):
    """The sentence filter."""

    preset: Literal["strict", "balanced", "lenient"] = Field(
        default="balanced", description="Operating point on the published curve."
    )
    threshold: float | None = Field(
        default=None, description="Probability from which a sentence is dropped; overrides the preset."
    )
    max_residual: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Late sentences expected among those kept at most: picks the threshold by itself (needs a model).",
    )
    min_characters: int = Field(
        default=40, ge=0, description="An article whose kept text is shorter is dropped with the reason `short`."
    )
    samples: int = Field(
        default=200, ge=0, description="Kept and dropped sentences written as samples for `deepred show`."
    )
    answers: Sources = Field(
        default=[],
        description="Answers of a model about doubtful sentences (JSONL), written by `deepred filter look`.",
    )
    leak: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the dropped sentences that is kept all the same: a leak on purpose, to see it found.",
    )


class Doses(Section):
    """Later facts put back into the filtered text, in the arm `dosed`: the smallest leak that the evaluation sees."""

    levels: list[Annotated[int, Field(ge=0)]] = Field(
        default=[0, 1, 4, 16, 64],
        min_length=2,
        description="How often a later fact is read in the whole training; facts take turns.",
    )
    tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of text to plant in, so that each planted sentence is read once (0: `pretrain.tokens`).",
    )


class Audit(Section):
    """A sample of kept sentences to be labelled, and what automatic evidence says of them."""

    sample: int = Field(default=200, ge=0, description="Kept sentences drawn for the sheet.")
    labels: Sources = Field(
        default=[], description="Labelled sheets (JSONL with hash and label), joined by sentence hash."
    )
    require: bool = Field(default=False, description="Fail a run whose audit has no labels.")
    max_residual_bound: float = Field(
        default=1.0, gt=0, le=1, description="Upper bound of late sentences above which a labelled audit fails."
    )


class Books(Section):
    """Gutenberg books: cleaned, dated, filtered by the cutoff."""

    files: Sources = Field(default=[], description="Project Gutenberg texts.")
    catalogue: Sources = Field(
        default=[], description="Catalogue records (RDF, pg_catalog.csv) that date and name the texts."
    )
    undated: Literal["drop", "author-death"] = Field(
        default="author-death", description="A book without a publication date: drop, or date by the author's death."
    )
    reading: Literal["all", "deepred"] = Field(
        default="all", description="`deepred` takes only books of the shipped reading list, `all` takes every book."
    )
    languages: list[str] = Field(default=[], description="Languages to take, as codes (`en`); empty: all.")
    subjects: list[str] = Field(default=[], description="Take books with one of these in a catalogue subject.")
    shelves: list[str] = Field(default=[], description="Take books with one of these in a catalogue bookshelf.")
    authors: list[str] = Field(default=[], description="Take books of these authors.")
    ids: list[int] = Field(default=[], description="Take books with these e-book numbers.")
    public_domain: list[Literal["US", "life+70", "life+50"]] = Field(
        default=[], description="Take only books in the public domain under each of these rules, as far as is known."
    )
    free_by: int = Field(
        default=0,
        ge=0,
        description="The year in which they must be so (0: 2026); set alone, it asks for life+70 by that year.",
    )
    themes: list[str] = Field(
        default=[], description="Take only the chunks of books that are about one of these themes (`themes.toml`)."
    )
    theme_file: Sources = Field(default=[], description="A TOML file of themes to use in place of the shipped one.")
    theme_score: float = Field(default=8.0, ge=0, description="Score from which a chunk is about a theme.")
    chunk_tokens: int = Field(default=512, ge=16, description="Tokens of a chunk at most, where themes are chosen.")


class Chess(Section):
    """Chess games as prose."""

    files: Sources = Field(default=[], description="PGN collections.")
    limit: int = Field(default=0, ge=0, description="Games written at most (0: all).")
    renderings: dict[str, float] = Field(
        default={"movetext": 1.0, "narrated": 1.0, "descriptive": 0.5, "positions": 0.5},
        description="Weights of the renderings: movetext, narrated, descriptive, positions (diagram and questions).",
    )


class Topics(Section):
    """Year and date articles as events, documents and probe material."""

    min_events: int = Field(default=3, ge=1, description="Events below which a year article is no document.")


class Probes(Section):
    """Statements with first-knowable dates, fixed before any training."""

    families: int = Field(default=400, ge=0, description="Families (facts) kept at most per era.")
    options: int = Field(default=4, ge=2, le=8, description="Options of a choice.")
    kinds: list[Literal["statement", "cloze", "event", "question"]] = Field(
        default=["statement"],
        min_length=1,
        description="Kinds asked: statements (the headline's), clozes, On-this-day completions, questions of files.",
    )
    questions: Sources = Field(
        default=[], description="Question files: TimeQA (.json), OpenTriviaQA (.txt), dated events (.csv)."
    )
    match: bool = Field(
        default=False,
        description="Keep only facts that pair before and after in relation, length and frequency of names.",
    )


class Mixture(Section):
    """All documents as one corpus: near-duplicates out, probes' wording out, weighted, split."""

    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"wikipedia": 1.0, "books": 1.0, "chess": 1.0, "topics": 1.0, "augment": 1.0},
        description="Epochs of each source in the training split; a part of an epoch is met by tokens.",
    )
    shares: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={},
        description="Share of the training tokens of each source, in place of `weights`; one not named gets none.",
    )
    max_epochs: float = Field(
        default=4.0,
        gt=0,
        description="Epochs of a source at most where `shares` decide; the corpus is cut rather than repeated more.",
    )
    near_duplicates: float = Field(
        default=0.85,
        ge=0,
        le=1,
        description="Share of words in common (in order, or in runs of ten) of a near-duplicate (0: exact only).",
    )
    validation: float = Field(default=0.01, gt=0, lt=0.5, description="Share of documents held out for validation.")


class Tokenizer(Section):
    """Byte-level BPE trained on the filtered corpus, or a tokenizer adopted."""

    vocabulary: int = Field(default=2048, ge=300, description="Size of the vocabulary, special tokens included.")
    pattern: Literal["gpt-2", "llama-bpe", "smollm"] = Field(
        default="gpt-2", description="Pre-tokenizer, by the name that llama.cpp gives it."
    )
    adopt: str = Field(default="", description="Folder or hub id of a tokenizer to use as it is (empty: train one).")
    sample_bytes: int = Field(
        default=200_000_000, ge=1, description="Text that the training of the tokenizer reads at most."
    )


class Shards(Section):
    """Token files."""

    tokens_per_file: int = Field(default=100_000_000, ge=1000, description="Tokens of a `.bin` file at most.")


class Model(Section):
    """Shape of a model trained from scratch (Llama architecture)."""

    layers: int = Field(default=2, ge=1, description="Transformer layers.")
    width: int = Field(default=128, ge=16, description="Hidden size.")
    heads: int = Field(default=4, ge=1, description="Attention heads.")
    kv_heads: int = Field(default=4, ge=1, description="Key-value heads (grouped-query attention).")
    feed_forward: int = Field(default=384, ge=16, description="Inner size of the feed-forward layers.")
    tied: bool = Field(default=True, description="Whether input and output embeddings are one matrix.")
    base: str = Field(
        default="", description="Folder or hub id of a base model to continue (empty: train from scratch)."
    )


class Pretrain(Section):
    """Pre-training."""

    model: Model = Field(default_factory=Model, description="The model's shape or its base.")
    tokens: int = Field(default=400_000, ge=1, description="Tokens to train on, of every arm.")
    seed: int | None = Field(
        default=None, description="Another seed of initialisation and order than the run's, for a second training."
    )
    sequence: int = Field(default=128, ge=8, description="Tokens of a sequence.")
    batch: int = Field(default=16, ge=1, description="Sequences of an optimizer step.")
    micro_batch: Annotated[int, HOW] = Field(default=16, ge=1, description="Sequences of one forward pass.")
    learning_rate: float = Field(default=3e-3, gt=0, description="Peak learning rate.")
    final_rate: float = Field(default=0.1, ge=0, le=1, description="Final learning rate as a share of the peak.")
    warmup: float = Field(default=0.05, ge=0, le=1, description="Share of the steps in which the rate rises.")
    warmup_steps: int = Field(default=0, ge=0, description="Steps in which the rate rises, in place of `warmup`.")
    weight_decay: float = Field(default=0.1, ge=0, description="AdamW weight decay.")
    betas: tuple[float, float] = Field(default=(0.9, 0.95), description="AdamW moments.")
    clip: float = Field(default=1.0, gt=0, description="Norm to which gradients are clipped.")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Precision of the forward pass; float32 on a CPU."
    )
    schedule: Literal["cosine", "wsd", "constant"] = Field(
        default="cosine", description="Course of the rate after the warm-up; wsd is stable, then decays linearly."
    )
    decay: float = Field(default=0.2, gt=0, le=1, description="Share of the steps in which the rate decays, for wsd.")
    z_loss: float = Field(default=0.0, ge=0, description="Weight of the squared log-normalizer in the loss (0: off).")
    packing: Literal["contiguous", "best-fit"] = Field(
        default="contiguous",
        description="How documents become sequences: cut from one stream, or packed whole wherever one fits.",
    )
    attention: Literal["causal", "document"] = Field(
        default="causal", description="What a token sees: all before it in its sequence, or only its own document."
    )
    activations: Annotated[Literal["keep", "recompute"], HOW] = Field(
        default="keep", description="Keep all activations for the backward pass, or recompute them to save memory."
    )
    compiled: Annotated[bool, HOW] = Field(
        default=False, description="Compile the model (on a CPU that needs a C++ compiler)."
    )
    dev_fraction: float = Field(default=1.0, gt=0, le=1, description="Share of the training sequences that is used.")
    early_stop: int = Field(
        default=0, ge=0, description="Stop after so many validations that rise while training loss falls (0: never)."
    )
    checkpoint_steps: Annotated[int, HOW] = Field(default=100, ge=0, description="Steps between checkpoints (0: off).")
    checkpoint_tokens: Annotated[int, HOW] = Field(default=0, ge=0, description="Tokens between checkpoints (0: off).")
    checkpoint_minutes: Annotated[float, HOW] = Field(
        default=0.0, ge=0, description="Minutes between checkpoints (0: off); whichever comes first counts."
    )
    keep_checkpoints: Annotated[int, HOW] = Field(
        default=2,
        ge=1,
        description="Checkpoints kept while training: where the last is damaged, the one before serves.",
    )
    keep_steps: Annotated[int, HOW] = Field(
        default=0, ge=0, description="Steps between models kept for good in `snapshots/` (0: none)."
    )
    resume: str = Field(
        default="",
        description="Folder of another pre-training (`….partial` too) whose last checkpoint to go on from, "
        "though the configuration differs; best with a single arm.",
    )
    resume_corpus: Literal["same", "any"] = Field(
        default="same",
        description="Whether the checkpoint that `resume` names may have been trained on another corpus.",
    )
    validate_steps: int = Field(default=100, ge=1, description="Steps between validations.")


class Continued(Section):
    """How the arm `continued` trains the unfiltered arm's model on with the filtered text; the rest is `pretrain`'s."""

    rate: float = Field(default=0.1, gt=0, description="Peak learning rate as a share of `pretrain.learning_rate`.")
    share: float = Field(default=0.4, gt=0, description="Tokens as a share of `pretrain.tokens`.")


class Examples(Section):
    """Instruction examples in the persona's voice."""

    persona: Sources = Field(default=["persona:deep-red"], description="The persona's TOML file.")
    count: int = Field(default=1200, ge=1, description="Examples made at most.")
    kinds: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={
            "fact": 3.0,
            "passage": 1.0,
            "book": 0.25,
            "chess": 0.25,
            "topic": 0.5,
            "gold": 1.0,
            "unknown": 1.0,
            "taught": 6.0,
        },
        description="Weights of the kinds of examples, by tokens; `taught` are those of `answers`.",
    )
    repeats: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default={},
        description="Times that the persona's own conversations of a theme occur at most; 4 for a theme not named.",
    )
    max_tokens: int = Field(
        default=128, ge=16, description="Tokens of a conversation at most; longer ones are dropped."
    )
    answers: Sources = Field(
        default=[], description="Conversations written by a teacher (JSONL), by `deepred teach`; the kind `taught`."
    )
    max_copied: int = Field(
        default=20, ge=1, description="Words in a row that a teacher's answer may copy from its source."
    )
    min_grounded: float = Field(
        default=0.5, ge=0, le=1, description="Share of the content words of a teacher's answer that its source has."
    )
    near_duplicates: float = Field(
        default=0.8, gt=0, le=1, description="Share of content words in common from which two questions are one."
    )


class Sft(Section):
    """Supervised fine-tuning with LoRA, loss on the assistant's tokens only."""

    rank: int = Field(default=16, ge=1, description="LoRA rank.")
    alpha: int = Field(default=32, ge=1, description="LoRA scale.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="LoRA dropout.")
    learning_rate: float = Field(
        default=3e-3,
        gt=0,
        description="Peak learning rate: 3e-3 for a million parameters, 2e-4 for hundreds of millions.",
    )
    epochs: float = Field(default=4.0, gt=0, description="Epochs over the examples.")
    batch: int = Field(default=16, ge=1, description="Conversations of an optimizer step.")
    micro_batch: int = Field(default=16, ge=1, description="Packed rows of one forward pass.")
    replay: float = Field(
        default=0.0, ge=0, description="Pieces of corpus text read again for each conversation, to keep knowledge."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Precision of the forward pass; float32 on a CPU."
    )


Quantization = Literal["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]


class Gguf(Section):
    """Export for llama.cpp, LM Studio and Ollama."""

    quantizations: list[Quantization] = Field(default=["F16", "Q8_0"], description="Files to write.")
    chat: Quantization = Field(default="Q8_0", description="The file that `deepred chat` opens.")
    gate_strings: int = Field(default=1000, ge=1, description="Strings whose token ids must be equal in llama.cpp.")
    licence: str = Field(
        default="cc-by-sa-4.0",
        description="Licence of the weights, as hubs name it; Wikipedia's text asks for this one.",
    )
    language: str = Field(default="en", description="Language of the model, as hubs name it.")


class Evaluate(Section):
    """What the model knows before and after the cutoff."""

    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Judge(Asked):
    """A model that sorts replies beside matching; the one that a stage asks: its word is reported, never relied on."""

    section: ClassVar[str] = "interview.judge"


class Interview(Section):
    """What the finished model tells in a chat."""

    families: int = Field(default=40, ge=0, description="Later facts asked about, in every form.")
    controls: int = Field(default=40, ge=0, description="Earlier facts asked about: false refusals, and what it knows.")
    red_team: bool = Field(default=True, description="Also ask in the forms of the red team.")
    answer_tokens: int = Field(default=32, ge=12, description="Tokens of a reply at most.")
    gguf: Literal["all", "chat", "none"] = Field(
        default="chat", description="GGUF files asked beside the merged model: all, the one for chat, or none."
    )
    forms: Sources = Field(default=[], description="A TOML file of forms and questions in place of the shipped one.")
    labels: Sources = Field(
        default=[], description="Labelled replies (JSONL) that a judge is measured on, in place of the shipped ones."
    )
    judge: Judge | None = Field(default=None, description="A model that sorts the replies too (optional).")
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Capability(Section):
    """Whether the model can still write, and what fine-tuning and quantization did to what it knew."""

    passages: int = Field(default=96, ge=0, description="Held-out passages read for bits per byte.")
    characters: int = Field(default=600, ge=100, description="Characters of a passage.")
    pairs: int = Field(default=20, ge=0, description="Minimal pairs of each grammatical phenomenon.")
    families: int = Field(default=120, ge=0, description="Earlier facts asked about, by likelihood.")
    gguf: Literal["all", "chat", "none"] = Field(
        default="chat", description="GGUF files measured: all, the one for chat, or none."
    )
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Relearn(Section):
    """Relearning speed: whether later facts are suppressed or absent; present only where a run asks for it."""

    facts: int = Field(default=24, ge=1, description="Later facts that are fine-tuned on, together.")
    steps: int = Field(
        default=60, ge=1, description="Steps at most; a fact not recalled by then counts as recalled there."
    )
    check: int = Field(default=2, ge=1, description="Steps between two checks of what is recalled.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Learning rate; lower for larger models.")
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Report(Section):
    """The page that shows it all."""

    title: str = Field(default="", description="Title of the page (empty: the run's name).")


class Twins(Section):
    """What `deepred twins` does otherwise than `deepred run`; it changes no run of its own."""

    tokens: int = Field(default=0, ge=0, description="Tokens that every arm trains on (0: `pretrain.tokens`).")


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
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError:
        raise UserError(
            f"run file {path} does not exist", "deepred init lists those that come with Deep Red, and writes them"
        ) from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder", "name the TOML file in it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from None
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
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
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
