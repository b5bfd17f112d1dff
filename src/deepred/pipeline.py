"""The road, in order: every stage with what it needs and reads. Start reading here.

Each row names the function that does the work (``module:function``). The function is called with the
folders it needs by stage name (``articles=Path(...)``), ``config`` (its own section), ``sources`` (resolved files of
its section, where it names any), the keys it reads (``cutoff`` as a day, ``straddling``, ``seed``, ``arm``), ``out``
and ``work``; it returns ``Counts``.
"""

from __future__ import annotations

from deepred.stage import Stage

ALL_ARMS = ("filtered", "unfiltered", "floor")

STAGES: tuple[Stage, ...] = (
    Stage("world", 1, "deepred.sources.world:build_world", "A generated encyclopedia with ground truth."),
    Stage("articles", 1, "deepred.sources.wikipedia:extract_articles", "TBD", needs=("world",)),
    Stage("facts", 1, "deepred.dating.wikidata:extract_facts", "TBD", needs=("world",)),
    Stage("dates", 1, "deepred.dating.resolve:date_articles", "TBD", needs=("articles", "facts")),
    Stage(
        "emergence", 1, "deepred.filters.emergence:learn_emergence", "TBD", needs=("articles", "dates"), reads=("seed",)
    ),
    Stage(
        "classes",
        1,
        "deepred.filters.classify:classify_articles",
        "TBD",
        needs=("articles", "dates", "emergence"),
        reads=("cutoff", "straddling"),
    ),
    Stage(
        "passages",
        1,
        "deepred.filters.passages:filter_articles",
        "TBD",
        needs=("articles", "dates", "emergence", "classes"),
        reads=("cutoff", "straddling", "seed", "arm"),
        arms=("filtered", "unfiltered"),
    ),
    Stage(
        "audit",
        1,
        "deepred.filters.audit:audit_passages",
        "TBD",
        needs=("articles", "passages", "emergence"),
        reads=("cutoff", "seed"),
    ),
    Stage(
        "books", 1, "deepred.sources.gutenberg:collect_books", "TBD", needs=("world",), reads=("cutoff", "straddling")
    ),
    Stage(
        "chess",
        1,
        "deepred.sources.chess:narrate_games",
        "TBD",
        needs=("world",),
        reads=("cutoff", "straddling", "seed"),
    ),
    Stage("topics", 1, "deepred.sources.topics:collect_events", "TBD", needs=("articles",), reads=("cutoff",)),
    Stage(
        "probes",
        1,
        "deepred.corpus.probes:build_probes",
        "TBD",
        needs=("world", "articles", "dates", "facts", "topics"),
        reads=("cutoff", "seed"),
    ),
    Stage(
        "mixture",
        1,
        "deepred.corpus.mixture:mix_corpus",
        "TBD",
        needs=("world", "passages", "books", "chess", "topics", "probes"),
        reads=("seed", "arm"),
        arms=ALL_ARMS,
    ),
    Stage("tokenizer", 1, "deepred.corpus.tokenizer:train_tokenizer", "TBD", needs=("mixture",)),
    Stage("shards", 1, "deepred.corpus.shards:write_shards", "TBD", needs=("mixture", "tokenizer"), arms=ALL_ARMS),
    Stage(
        "pretrain",
        1,
        "deepred.train.pretrain:pretrain",
        "TBD",
        needs=("shards", "tokenizer"),
        reads=("seed",),
        arms=ALL_ARMS,
        resumes=True,
    ),
    Stage(
        "examples",
        1,
        "deepred.persona.examples:make_examples",
        "TBD",
        needs=("passages", "dates", "facts", "topics", "tokenizer"),
        reads=("cutoff", "seed"),
    ),
    Stage("sft", 1, "deepred.train.sft:fine_tune", "TBD", needs=("pretrain", "examples"), reads=("seed",)),
    Stage("merge", 1, "deepred.train.merge:merge_adapter", "TBD", needs=("pretrain", "sft")),
    Stage("gguf", 1, "deepred.export.gguf:export_gguf", "TBD", needs=("merge", "examples"), reads=("cutoff",)),
    Stage(
        "evaluate",
        1,
        "deepred.evaluate.horizon:evaluate_model",
        "TBD",
        needs=("pretrain", "probes"),
        reads=("cutoff", "seed"),
        arms=ALL_ARMS,
    ),
    Stage("report", 1, "deepred.evaluate.report:write_report", "TBD", needs=(), reads=("cutoff",), needs_all=True),
)
