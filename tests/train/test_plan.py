import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.pipeline import STAGES
from deepred.run.config import Pretrain, load_run
from deepred.run.hardware import Device, find_device
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings
from deepred.train.plan import (
    CHINCHILLA,
    TABLE,
    Request,
    known_models,
    make_plan,
    parse_tokens,
    request_of_model,
    request_of_run,
)
from deepred.train.planned_device import choose_device

RUNS = sorted((Path(__file__).parents[2] / "runs").glob("*.toml"))
SHAPE = {"layers": 2, "width": 64, "heads": 4, "kv_heads": 2, "feed_forward": 96}
CARD = Device("given", "a card", (), 100.0, 1.0, 0.4, "assumed", "as given")


def request(device=CARD, corpus=None, arms=1, price=0.0, **config):
    values = {"model": SHAPE, "tokens": 1_000_000, "sequence": 64, "batch": 8, "micro_batch": 4}
    pretrain = Pretrain.model_validate(values | config)
    return Request("small", pretrain, 500, device, device.mfu, device.mfu_source, arms, corpus, price)


def test_flops_time_and_cost_follow_from_the_model():
    plan = make_plan(request(price=2.0, arms=3))
    layer = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96
    matrices = 500 * 64 + 2 * layer
    assert plan.parameters == matrices + 5 * 64
    assert plan.flops_per_token == 6 * matrices + 12 * 2 * 64 * 64
    assert plan.tokens_per_second == pytest.approx(100e12 * 0.4 / plan.flops_per_token)
    assert plan.days == pytest.approx(1e6 / plan.tokens_per_second / 86400)
    assert plan.cost == pytest.approx(plan.days * 24 * 2.0 * 3)
    assert plan.steps == 1954
    assert plan.disk["models"] == 3 * 4 * plan.parameters


def test_recomputing_costs_a_third_more_time():
    kept, again = (make_plan(request(activations=way)) for way in ("keep", "recompute"))
    assert again.days == pytest.approx(kept.days * 4 / 3)


def test_epochs_are_counted_over_the_corpus_that_is_there():
    plan = make_plan(request(corpus=100_000, dev_fraction=0.5))
    assert plan.epochs == pytest.approx(20)
    assert "20.0 times" in plan.verdict


def test_what_does_not_fit_is_said_with_what_would():
    memory = make_plan(request()).memory
    between = (memory[0].total + memory[1].total) / 2 / 0.9 / 1e9
    tight = make_plan(request(device=Device("given", "a card", (), 100.0, between, 0.4, "", "")))
    assert tight.activations == "recompute"
    assert 'activations = "recompute"' in tight.verdict or "micro_batch" in tight.verdict
    none = make_plan(request(device=Device("given", "a card", (), 100.0, 1e-4, 0.4, "", "")))
    assert not none.fits
    assert none.verdict.startswith("Does not fit")


@pytest.mark.parametrize(
    "name, millions",
    [
        ("smollm2-135m", 134.5),
        ("smollm2-360m", 361.8),
        ("smollm2-1.7b", 1711.4),
        ("tinyllama-1.1b", 1100.0),
        ("125m", 122.7),
        ("350m", 352.8),
        ("7b", 6738.4),
    ],
)
def test_known_models_have_their_published_sizes(name, millions):
    from deepred.train.memory import architecture_of, size_of

    known = known_models()[name]
    size = size_of(architecture_of(known.model, known.context, known.vocabulary))
    assert size.parameters / 1e6 == pytest.approx(millions, abs=0.1)


def test_a_named_model_gets_twenty_tokens_a_parameter():
    found = request_of_model("SmolLM2-135M", None, find_device("h100"))
    assert found.config.tokens == round(CHINCHILLA * 134_515_008)


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_shipped_run_file_is_valid_and_planned_without_a_network(path, tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.train.plan._memory", lambda request, shape, way, available: FREE[way])
    run = load_run(path)
    pipeline = Pipeline(run, STAGES, Settings(data=tmp_path))
    plan = make_plan(request_of_run(pipeline, find_device("strix-halo")))
    assert plan.parameters > 1e5
    assert plan.verdict


def test_run_files_have_the_sizes_in_their_names(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.train.plan._memory", lambda request, shape, way, available: FREE[way])
    expected = {"deepred-360m": 361.8, "deepred-1b": 1100.0, "scratch-150m": 150.4, "smoke-10m": 4.2}
    for path in RUNS:
        if path.stem in expected:
            pipeline = Pipeline(load_run(path), STAGES, Settings(data=tmp_path))
            plan = make_plan(request_of_run(pipeline, find_device("h100")))
            assert plan.parameters / 1e6 == pytest.approx(expected[path.stem], abs=0.1), path.stem


class _Free:
    def __init__(self, way):
        self.activations, self.micro_batch, self.parts, self.total, self.largest = way, 8, {}, 0, 256


FREE = {way: _Free(way) for way in ("keep", "recompute")}


@pytest.mark.parametrize(
    "text, count", [("10B", 10**10), ("300m", 3 * 10**8), ("1_000", 1000), ("1.5e9", 1_500_000_000)]
)
def test_numbers_of_tokens_are_read_with_their_unit(text, count):
    assert parse_tokens(text) == count


@pytest.mark.parametrize("text", ["", "B", "ten", "-5", "0", "nan", "inf", "1e99"])
def test_what_is_no_number_of_tokens_is_refused(text):
    with pytest.raises(UserError, match="tokens"):
        parse_tokens(text)


def test_a_device_can_be_described():
    device = choose_device("box", 50.0, 32.0)
    assert (device.title, device.teraflops, device.memory) == ("box", 50.0, 32.0)
    assert choose_device("a4000", memory=12.0).memory == 12.0


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "run file"),
        (["--model", "gpt-9", "--device", "h100"], "smollm2-360m"),
        (["--table", "--device", "toaster"], "strix-halo"),
        (["--model", "125m", "--tokens", "many", "--device", "h100"], "--tokens"),
        (["none.toml", "--device", "h100"], "does not exist"),
        (["--table", "--model", "125m"], "only one"),
    ],
)
def test_wrong_input_is_one_clear_error(arguments, said):
    result = CliRunner().invoke(app, ["plan", *arguments])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


def test_the_command_prints_every_part_and_json(tmp_path):
    run = tmp_path / "run.toml"
    model = "".join(f"{key} = {value}\n" for key, value in SHAPE.items())
    run.write_text(f'name = "x"\n[pretrain]\ntokens = 9000\nmicro_batch = 4\n[pretrain.model]\n{model}')
    command = ["plan", str(run), "--device", "h200", "--data", str(tmp_path), "--price-per-hour", "3"]
    shown = CliRunner().invoke(app, command, catch_exceptions=False).output
    for word in ("parameters", "chinchilla", "keep", "recompute", "activations", "largest", "MFU", "disk", "cost"):
        assert word in shown
    values = json.loads(CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False).output)
    assert values["tokens"] == 9000
    assert sum(values["memory"][0]["parts"].values()) == values["memory"][0]["total"]


def test_the_table_has_a_row_for_every_size(monkeypatch):
    monkeypatch.setattr("deepred.train.plan._memory", lambda request, shape, way, available: FREE[way])
    shown = CliRunner().invoke(app, ["plan", "--table", "--device", "strix-halo"], catch_exceptions=False).output
    for name in TABLE:
        assert f"\n{name} " in shown
