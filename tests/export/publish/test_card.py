import json
import re

from deepred.base.chat_markers import go_definition
from deepred.export.publish.card import Facts, Release, Source, read_sources, write_card, write_modelfile

RELEASE = Release(
    "DeepRed",
    "362M",
    19690720,
    "Deep Red",
    "You are Deep Red.",
    "cc-by-sa-4.0",
    sources=(Source("wikipedia", 0.9, 1200, "CC BY-SA 4.0"), Source("chess", 0.1, 30, "games")),
)
GATE = {"name": "median KL", "file": "DeepRed-F16.gguf", "value": 9.1e-7, "limit": 1e-4, "passed": True}
ERA = {"accuracy": 0.912, "low": 0.87, "high": 0.95, "families": 200}
REPORT = {
    "headline": "It knows what was known.",
    "chance": 0.25,
    "before": ERA,
    "after": {"accuracy": None, "reason": "no probes"},
    "arms": {"filtered": {"before": ERA, "after": {"accuracy": None, "reason": "no probes"}}},
    "open": ["One seed."],
    "audit": {"status": "labelled", "residual": {"high": 0.031}},
}


def front_matter(text):
    """The front matter's values: each line is a key and JSON, which is YAML."""
    block = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1]
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in block.splitlines())}


def card(**facts):
    return write_card(RELEASE, Facts({"layers": 32}, {"DeepRed-F16.gguf": 724_000_000}, [GATE], **facts))


def test_the_front_matter_is_what_a_hub_reads():
    values = front_matter(card(base="org/base", report=REPORT))
    assert values["license"] == "cc-by-sa-4.0" and values["language"] == ["en"]
    assert values["base_model"] == "org/base" and values["datasets"] == ["wikimedia/wikipedia"]
    (result,) = values["model-index"][0]["results"]  # nothing is claimed of the era that was not measured
    assert result["metrics"] == [{"type": "accuracy", "name": "accuracy before the cutoff", "value": 0.912}]
    assert "base_model" not in front_matter(card())


def test_the_front_matter_holds_to_the_hubs_own_reader():
    from huggingface_hub import ModelCard

    data = ModelCard(card(base="org/base", report=REPORT)).data
    assert data.license == "cc-by-sa-4.0" and data.base_model == "org/base"
    assert data.eval_results[0].metric_value == 0.912


def test_evaluation_data_audit_and_checks_are_tabled():
    text = card(report=REPORT, examples={"fact": 663})
    assert "| filtered | 91% [87%, 95%] of 200 families | no probes |" in text
    assert "| wikipedia | 1,200 | 90.0% | CC BY-SA 4.0 |" in text
    assert "at most 3.1% (audit: labelled)" in text
    assert "| median KL | `DeepRed-F16.gguf` | 9.1e-07 | 0.0001 | yes |" in text
    assert "Instruction examples by kind: fact 663." in text


def test_what_was_not_measured_is_said():
    text = card()
    assert "Not measured yet" in text and "%]" not in text
    assert "no bound is stated" in card(report=REPORT | {"audit": {"status": "unlabelled", "residual": None}})


def test_a_continued_model_is_not_called_ignorant():
    assert "suppressed at best, not absent" in card(base="org/base")
    assert "trained from scratch" in card()


def test_sources_are_read_from_a_mixtures_manifest(tmp_path):
    table = {"books": {"share": 0.2, "documents": 3}, "wikipedia": {"share": 0.8, "documents": 9}}
    manifest = {"needs": {"passages": "x"}, "counts": {"notes": {"sources": table}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert [(source.name, source.licence[:13]) for source in read_sources(tmp_path)] == [
        ("wikipedia", "CC BY-SA 4.0"),
        ("books", "public domain"),
    ]
    assert read_sources(tmp_path / "none") == ()


def test_the_modelfile_spells_chatml_out():
    text = write_modelfile("./x.gguf", "You are Deep Red.", 2048, "cc-by-sa-4.0")
    assert text.startswith("FROM ./x.gguf\n")
    assert '<|im_start|>{{ .Role }}\n{{ template "disarm" .Content }}<|im_end|>\n' in text
    assert f'TEMPLATE """{go_definition()}{{{{- range .Messages }}}}' in text
    assert "<|im_start|>assistant\n" in text
    assert 'SYSTEM """You are Deep Red."""' in text and 'PARAMETER stop "<|im_end|>"' in text
