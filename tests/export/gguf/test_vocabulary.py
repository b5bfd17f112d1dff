import json

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from deepred.base.errors import UserError
from deepred.export.gguf.gguf import export_gguf
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.gguf.vocabulary import adds_space, merge_scores
from deepred.run.config import Gguf
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.train.chat_tokenizer import make_chat_tokenizer
from tiny_llama import TEMPLATE, TEXT, random_llama, write_examples

pytestmark = pytest.mark.needs("gguf")

SPECIAL = ["<unk>", "<s>", "</s>"]


def merges_of(pieces):
    """The merges by which Hugging Face joins what SentencePiece joins: by the rank of the piece that comes out."""
    known = {piece: number for number, piece in enumerate(pieces)}
    merges = []
    for piece in pieces:
        halves = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        found = [pair for pair in halves if pair[0] in known and pair[1] in known]
        merges += sorted(found, key=lambda pair: (known[pair[0]], known[pair[1]]))
    return merges


def build_sentencepiece(folder, pieces, form="prepend", chatml=True, begin=False, template=TEMPLATE):
    """``folder`` becomes a random Llama with these pieces as a fast tokenizer, in one of the forms that are met."""
    model = models.BPE(
        {piece: number for number, piece in enumerate(pieces)},
        merges_of(pieces),
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    replace = normalizers.Replace(" ", "▁")
    if form == "prepend":  # Llama 2, TinyLlama
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace])
    elif form == "none":  # what transformers makes of a bare tokenizer.model
        tokenizer.normalizer = normalizers.Sequence([replace])
    else:  # what it makes of one whose class is Llama's
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=form, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    names = [*SPECIAL, "<|im_start|>", "<|im_end|>"] if chatml else SPECIAL
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
    random_llama(folder, tokenizer.get_vocab_size(), heads=2, kv_heads=2)
    return folder


def export(folder, **config):
    write_examples(folder / "examples")
    (folder / "out").mkdir()
    config = Gguf.model_validate({"quantizations": ["F16"], "chat": "F16", "gate_strings": 200} | config)
    work = Work(Settings(threads=1))
    export_gguf(
        merge=folder, examples=folder / "examples", config=config, cutoff=19690720, out=folder / "out", work=work
    )
    (path,) = (folder / "out").glob("*.gguf")
    return read_metadata(path)


@pytest.fixture(scope="module")
def own_pieces(tmp_path_factory):
    """A small SentencePiece model of our own."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("pieces")
    (folder / "text").write_text("\n".join(TEXT.split(". ")) * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text"),
        model_prefix=str(folder / "own"),
        model_type="bpe",
        vocab_size=420,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    read = sentencepiece.SentencePieceProcessor(model_file=str(folder / "own.model"))
    return [read.id_to_piece(number) for number in range(read.get_piece_size())]


@pytest.fixture(scope="session")
def llama_pieces(samples):
    import sentencepiece

    read = sentencepiece.SentencePieceProcessor(model_file=str(samples / "tokenizers" / "llama2-tokenizer.model"))
    return [read.id_to_piece(number) for number in range(read.get_piece_size())]


@pytest.mark.parametrize(("form", "space"), [("prepend", True), ("none", False)])
def test_the_llama_2_tokenizer_passes_the_gates(llama_pieces, tmp_path, form, space):
    assert len(llama_pieces) == 32_000 and llama_pieces[:3] == SPECIAL
    build_sentencepiece(tmp_path / "model", llama_pieces, form)
    metadata = export(tmp_path, gate_strings=1000)
    assert metadata["tokenizer.ggml.model"] == "llama"
    assert metadata["tokenizer.ggml.add_space_prefix"] is space
    assert metadata["tokenizer.ggml.unknown_token_id"] == 0
    gates = json.loads((tmp_path / "out" / "gates.json").read_text())
    assert gates[0]["name"] == "token ids that differ in 1000 strings" and gates[0]["value"] == 0


@pytest.mark.parametrize("form", ["prepend", "none", "never"])
def test_a_small_tokenizer_of_our_own_passes_the_gates_in_every_form(own_pieces, tmp_path, form):
    build_sentencepiece(tmp_path / "model", own_pieces, form)
    export(tmp_path)


def test_bos_is_added_only_where_the_template_writes_it_too(own_pieces, tmp_path):
    build_sentencepiece(tmp_path / "a" / "model", own_pieces, begin=True)
    assert export(tmp_path / "a")["tokenizer.ggml.add_bos_token"] is False
    build_sentencepiece(tmp_path / "b" / "model", own_pieces, begin=True, template="{{ bos_token }}" + TEMPLATE)
    assert export(tmp_path / "b")["tokenizer.ggml.add_bos_token"] is True


def test_a_tokenizer_without_chatml_and_with_a_space_at_the_beginning_only_is_made_fit_for_chat(own_pieces, tmp_path):
    base = build_sentencepiece(tmp_path / "base", own_pieces, "first", chatml=False, begin=True)
    made = make_chat_tokenizer(base, tmp_path / "model")
    assert len(made.changes) == 3
    random_llama(tmp_path / "model", made.size, heads=2, kv_heads=2)
    export(tmp_path)


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "first"}}, "as Metaspace does"),
        ({"normalizer": {"type": "NFKC"}}, r"changes or splits text \(NFKC\)"),
        ({"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "never", "split": True}}, "Metaspace"),
        ({}, "does not write spaces"),
    ],
)
def test_what_llama_cpp_does_not_do_is_refused(part, problem):
    with pytest.raises(UserError, match=problem):
        adds_space(part)


def test_a_token_scores_by_the_rank_of_its_first_merge():
    scores = merge_scores(["a", "b", "ab", "ba"], [("b", "a"), ("a", "b")])
    assert scores[3] > scores[2] > scores[0] == scores[1]
