"""The road, in order: every stage with what it needs and reads. Start reading here.

Each row names the function that does the work (``module:function``) and, in a line, its method. The function is called
with the folders it needs by stage name (``articles=Path(...)``), ``config`` (its own section), ``sources`` (resolved
files of its section, where it names any), the keys it reads (``cutoff`` as a day, ``straddling``, ``seed``, ``arm``),
``out`` and ``work``; it returns ``Counts``. What each does not do yet stands in ``docs/limits.md``.
"""

from __future__ import annotations

from deepred.stage import Stage

TEXTS = ("filtered", "unfiltered", "article", "dosed", "floor")
"""Arms with a text of their own."""
ALL_ARMS = (*TEXTS, "continued")
"""Arms with a model of their own; ``continued`` trains the unfiltered one on with the filtered text."""

STAGES: tuple[Stage, ...] = (
    Stage(
        "world",
        1,
        "deepred.sources.world:build_world",
        "Writes a fictional encyclopedia, facts, books and games by seed, with the truth of every sentence.",
    ),
    Stage(
        "articles",
        2,
        "deepred.sources.wikipedia:extract_articles",
        "One-pass wikitext scan of byte ranges of the dump: text, links with offsets, categories, infobox dates.",
        needs=("world",),
    ),
    Stage(
        "facts",
        2,
        "deepred.dating.wikidata:extract_facts",
        "Dated claims of Wikidata (JSON, N-Triples) and YAGO, for entities with an article, by sitelink and QID.",
        needs=("world",),
    ),
    Stage(
        "dates",
        2,
        "deepred.dating.resolve:date_articles",
        "Facts, categories, infobox, lead and a model's answers merged by precedence: interval, first known, evidence.",
        needs=("articles", "facts"),
    ),
    Stage(
        "emergence",
        2,
        "deepred.filters.emergence:learn_emergence",
        "Years of words and names in dated sentences, hashed; first-known days of titles, names and links.",
        needs=("articles", "dates"),
        reads=("seed",),
    ),
    Stage(
        "classes",
        2,
        "deepred.filters.classify:classify_articles",
        "O, N, S or U from first known, attested end and the cutoff; undated mostly-late articles become N.",
        needs=("articles", "dates", "emergence"),
        reads=("cutoff", "straddling"),
    ),
    Stage(
        "passages",
        2,
        "deepred.filters.passages:filter_articles",
        "Drops by date, link, name, term, a model fitted on dated sentences, and what leans on a dropped sentence.",
        needs=("articles", "dates", "emergence", "classes"),
        reads=("cutoff", "straddling", "seed", "arm"),
        arms=("filtered", "unfiltered", "article"),
    ),
    Stage(
        "audit",
        2,
        "deepred.filters.audit:audit_passages",
        "A stratified sheet of kept sentences, automatic evidence, and a Clopper-Pearson bound once labelled.",
        needs=("articles", "passages", "emergence"),
        reads=("cutoff", "seed"),
    ),
    Stage(
        "books",
        2,
        "deepred.sources.gutenberg:collect_books",
        "Cleans Gutenberg texts and dates each by catalogue, title page, edition note or lifetime, with its reason.",
        needs=("world",),
        reads=("cutoff", "straddling"),
    ),
    Stage(
        "chess",
        2,
        "deepred.sources.chess:narrate_games",
        "Admits games by headers before parsing, removes duplicates, replays them and writes four true renderings.",
        needs=("world",),
        reads=("cutoff", "straddling", "seed"),
    ),
    Stage(
        "topics",
        1,
        "deepred.sources.topics:collect_events",
        "Reads year and date articles into dated events; those before the cutoff become a document a year.",
        needs=("articles",),
        reads=("cutoff",),
    ),
    Stage(
        "probes",
        1,
        "deepred.corpus.probes:build_probes",
        "Statements of dated facts with options of the same relation and era, fixed and hashed before training.",
        needs=("world", "articles", "dates", "facts", "topics"),
        reads=("cutoff", "seed"),
    ),
    Stage(
        "doses",
        1,
        "deepred.corpus.doses:plant_facts",
        "Sentences of later probed facts, each put back 0, 1, 4, 16 or 64 times, for the arm `dosed`.",
        needs=("articles", "probes"),
        reads=("cutoff", "seed"),
        arms=("dosed",),
    ),
    Stage(
        "mixture",
        2,
        "deepred.corpus.mixture:mix_corpus",
        "Joins documents, drops near-duplicates and probe wording, weights sources by tokens, splits by document.",
        needs=("world", "passages", "books", "chess", "topics", "probes", "doses"),
        reads=("seed", "arm"),
        arms=TEXTS,
    ),
    Stage(
        "tokenizer",
        1,
        "deepred.corpus.tokenizer:train_tokenizer",
        "Trains byte-level BPE on the filtered training split, or adopts a folder's tokenizer.json.",
        needs=("mixture",),
    ),
    Stage(
        "shards",
        2,
        "deepred.corpus.shards:write_shards",
        "Encodes documents into flat uint16/uint32 token files with document offsets and checksums.",
        needs=("mixture", "tokenizer"),
        arms=TEXTS,
    ),
    Stage(
        "pretrain",
        1,
        "deepred.train.pretrain:pretrain",
        "Trains a Llama or continues a base: chunked cross-entropy, AdamW, exact resume after kill -9.",
        needs=("shards", "tokenizer"),
        reads=("seed",),
        arms=ALL_ARMS,
        begins_with=(("continued", "unfiltered"),),
        together=True,
        resumes=True,
    ),
    Stage(
        "examples",
        1,
        "deepred.persona.examples:make_examples",
        "Built-in teacher: questions from dated facts and kept text, gold conversations, invented things.",
        needs=("passages", "dates", "facts", "topics", "tokenizer"),
        reads=("cutoff", "seed"),
    ),
    Stage(
        "sft",
        1,
        "deepred.train.sft:fine_tune",
        "LoRA on all projections and ChatML's embeddings; loss on the assistant's tokens only.",
        needs=("pretrain", "examples"),
        reads=("seed",),
    ),
    Stage(
        "merge",
        1,
        "deepred.train.merge:merge_adapter",
        "Adapter folded into the base; logits compared within 1e-5 (relative); tokenizer and template kept.",
        needs=("pretrain", "sft"),
    ),
    Stage(
        "gguf",
        1,
        "deepred.export.gguf:export_gguf",
        "GGUF files by llama.cpp's recipes, published only if token ids, template and log-probs agree.",
        needs=("merge", "examples"),
        reads=("cutoff",),
    ),
    Stage(
        "evaluate",
        1,
        "deepred.evaluate.horizon:evaluate_model",
        "Multiple choice by PMI-normalised log-likelihood; accuracy per fact with bootstrap intervals over facts.",
        needs=("pretrain", "probes"),
        reads=("cutoff", "seed"),
        arms=ALL_ARMS,
    ),
    Stage(
        "report",
        1,
        "deepred.evaluate.report:write_report",
        "One HTML page, Markdown and JSON: arms, gains over the floor, leaks traced to training sentences.",
        reads=("cutoff", "name"),
        needs_all=True,
    ),
)
