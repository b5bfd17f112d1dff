import httpx
import pytest
from typer.testing import CliRunner

from deepred.base.errors import UserError
from deepred.cli.main import app
from deepred.doctor import (
    check_accelerators,
    check_compiler,
    check_disk,
    check_endpoint,
    check_llama,
    check_rocm,
    check_services,
    check_torch,
    check_trials,
    check_unified_memory,
    examine,
)
from deepred.run.config import Llm
from deepred.run.hardware import (
    Accelerator,
    Torch,
    devices,
    find_device,
    memory_total,
    peak_flops,
    read_machine,
    recognise,
    version_of,
)
from deepred.run.trials import Trial, main, run_trials

HALO = Torch("2.11.0+rocm7.1", "rocm", "7.1.1", (Accelerator("AMD Radeon 8060S", "gfx1151", 110 << 30),))
SET = {
    "ROCBLAS_USE_HIPBLASLT": "1",
    "PYTORCH_HIP_ALLOC_CONF": "expandable_segments:True",
    "TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL": "1",
}


def strix_halo(root, gtt=120 << 30, torch=HALO, environment=SET, kernel="6.17.9-200.fc43.x86_64", rocm="7.1.1-38"):
    """A Strix Halo's /proc and /sys as they look on the machine."""
    files = {
        "proc/meminfo": "MemTotal:       131012345 kB\nMemFree:        90000000 kB\n",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD RYZEN AI MAX+ 395 w/ Radeon 8060S\n",
        "sys/class/drm/card1/device/mem_info_vram_total": f"{512 << 20}\n",
        "sys/class/drm/card1/device/mem_info_gtt_total": f"{gtt}\n",
        "opt/rocm/.info/version": f"{rocm}\n",
        "dev/kfd": "",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_machine(torch, root, environment, kernel, "Linux")


def test_a_strix_halo_is_read_from_its_files(tmp_path):
    machine = strix_halo(tmp_path)
    assert machine.processor == "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S"
    assert (machine.memory, machine.vram, machine.gtt) == (131012345 * 1024, 512 << 20, 120 << 30)
    assert (machine.rocm, machine.has_amd, machine.is_unified) == ("7.1.1", True, True)


def test_a_machine_without_any_of_these_files_is_read_too(tmp_path):
    machine = read_machine(Torch("2.13"), tmp_path, {})
    assert (machine.memory, machine.gtt, machine.has_amd, machine.is_unified) == (0, 0, False, False)


def test_half_of_the_memory_as_gtt_is_worth_a_note_and_most_of_it_is_well(tmp_path):
    (small,) = check_unified_memory(strix_halo(tmp_path / "a", gtt=62 << 30))
    assert small.level == "note"
    assert "ttm.pages_limit=" in small.mend
    (large,) = check_unified_memory(strix_halo(tmp_path / "b", gtt=115 << 30))
    assert large.level == "ok"


@pytest.mark.parametrize(
    "rocm, kernel, level",
    [
        ("7.1.1-38", "6.18.4-200.fc43.x86_64", "problem"),
        ("7.1.1-38", "6.19.0-rc1", "problem"),
        ("7.1.1-38", "6.18.3-200.fc43.x86_64", "ok"),
        ("7.2.0-1", "6.18.9-200.fc43.x86_64", "ok"),
    ],
)
def test_rocm_with_a_kernel_that_it_fails_with_is_a_problem(tmp_path, rocm, kernel, level):
    torch = Torch("2.11", "rocm", rocm.partition("-")[0], HALO.accelerators)
    found = list(check_rocm(strix_halo(tmp_path, torch=torch, rocm=rocm, kernel=kernel)))
    assert [finding.level for finding in found] == [level]
    assert level == "ok" or "6.18.4" in found[0].mend


def test_missing_variables_are_named_with_the_line_that_sets_them(tmp_path):
    machine = strix_halo(tmp_path, environment={}, torch=Torch("2.9", "rocm", "6.3.1", HALO.accelerators), rocm="6.3.1")
    lines = {finding.mend for finding in check_rocm(machine) if finding.level == "note"}
    assert lines == {
        "export HSA_OVERRIDE_GFX_VERSION=11.5.1",
        "export TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL=1",
        "export ROCBLAS_USE_HIPBLASLT=1",
        "export PYTORCH_HIP_ALLOC_CONF=expandable_segments:True",
    }


def test_another_chips_code_on_strix_halo_is_a_problem(tmp_path):
    machine = strix_halo(tmp_path, environment=SET | {"HSA_OVERRIDE_GFX_VERSION": "11.0.0"})
    assert [finding.mend[:5] for finding in check_rocm(machine) if finding.level == "problem"] == ["unset"]


def test_a_gpu_that_pytorch_does_not_see_is_a_problem(tmp_path):
    machine = strix_halo(tmp_path, torch=Torch("2.13.0+cpu"))
    assert [finding.level for finding in check_torch(machine)] == ["ok", "problem"]
    broken = strix_halo(tmp_path, torch=Torch("", error="No module named 'torch'"))
    (finding,) = check_torch(broken)
    assert finding.level == "problem"
    assert "deepred[train]" in finding.mend


def test_an_old_gpu_has_no_bfloat16(tmp_path):
    cards = (Accelerator("Tesla T4", "sm_75", 15 << 30), Accelerator("NVIDIA H100 80GB HBM3", "sm_90", 79 << 30))
    found = list(check_accelerators(read_machine(Torch("2.13", "cuda", "13.0", cards), tmp_path, {})))
    assert [finding.level for finding in found] == ["ok", "note", "ok"]
    assert "989.4" in found[2].text


def trials(**failed):
    names = ("flash", "efficient", "cudnn", "math", "flex")
    return [Trial(name, name not in failed, error=failed.get(name, "")) for name in names]


def test_attention_without_a_fused_kernel_is_a_note_and_without_any_a_problem(tmp_path):
    machine = strix_halo(tmp_path)
    unfused = trials(flash="no kernel", efficient="no kernel", cudnn="no kernel")
    (finding,) = check_trials(machine, unfused)
    assert finding.level == "note"
    assert "AOTRITON" in finding.mend
    none = trials(flash="a", efficient="a", cudnn="a", math="a", flex="a")
    assert [finding.level for finding in check_trials(machine, none)] == ["problem"]
    crashed = list(check_trials(machine, trials(flash="crashed: killed by signal 11")))
    assert [finding.level for finding in crashed] == ["ok", "note"]


@pytest.mark.parametrize("rate, level", [(36.9, "ok"), (5.1, "note")])
def test_a_slow_matrix_product_on_strix_halo_points_to_hipblaslt(tmp_path, rate, level):
    (finding,) = check_trials(strix_halo(tmp_path), [Trial("matmul", True, rate)])
    assert finding.level == level
    assert level == "ok" or "HIPBLASLT" in finding.mend


def test_slow_bfloat16_is_a_trap(tmp_path):
    machine = read_machine(Torch("2.13"), tmp_path, {})
    assert [f.level for f in check_trials(machine, [Trial("bfloat16", True, 76.0)])] == ["note"]
    assert [f.level for f in check_trials(machine, [Trial("bfloat16", True, 0.5)])] == ["ok"]


def test_a_trial_that_crashes_takes_no_other_with_it():
    calls = []

    def start(names, timeout):
        calls.append(tuple(names))
        lines = [f'{{"name": "{name}", "works": true, "value": 1.0}}\n' for name in names]
        return (-11, "".join(lines[: names.index("b")]), "") if "b" in names else (0, "".join(lines), "")

    found = run_trials("cpu", 1.0, ("a", "b", "c"), start)
    assert [trial.works for trial in found] == [True, False, True]
    assert "signal 11" in found[1].error
    assert calls == [("a", "b", "c"), ("c",)]


def test_attention_and_products_are_really_tried_on_a_cpu(capsys):
    main("cpu", 0.05, ["math", "matmul", "cudnn"])
    import json

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["works"] for row in rows] == [True, True, False]
    assert rows[1]["value"] > 0


def test_a_missing_compiler_and_a_full_disk_are_notes(tmp_path):
    assert [finding.level for finding in check_compiler(lambda name: None)] == ["note"]
    assert [finding.level for finding in check_compiler(lambda name: "/usr/bin/g++")] == ["ok"]
    assert [finding.level for finding in check_disk(tmp_path, 1 << 30)] == ["note"]
    assert [finding.level for finding in check_disk(tmp_path, 1 << 40)] == ["ok"]
    assert [finding.level for finding in check_llama(lambda name: None)] == ["note"]


@pytest.mark.parametrize(
    "answer, level",
    [
        (httpx.Response(200, json={"data": [{"id": "m"}]}), "ok"),
        (httpx.Response(200, json={"data": [{"id": "other"}]}), "problem"),
        (httpx.Response(200, text="<html>"), "ok"),
        (httpx.Response(401), "problem"),
        (httpx.Response(404), "note"),
        (httpx.ConnectError("refused"), "problem"),
    ],
)
def test_an_endpoint_is_asked_for_its_models_with_the_key(answer, level):
    def handle(request):
        assert request.url.path == "/v1/models"
        assert request.headers["authorization"] == "Bearer secret"
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.Client(transport=httpx.MockTransport(handle))
    (finding,) = check_endpoint("llm", Llm(model="m"), {"DEEPRED_LLM_KEY": "secret"}, client)
    assert finding.level == level
    assert "secret" not in str(finding)


def test_services_are_reached_by_host_and_port_and_shown_without_their_password():
    asked = []

    class Connection:
        def close(self):
            pass

    def connect(place, timeout):
        asked.append(place)
        if place[1] == 9200:
            raise OSError("refused")
        return Connection()

    given = {"DEEPRED_STORE": "postgresql://me:secret@db.example/x", "DEEPRED_SEARCH": "https://search.example"}
    found = list(check_services(given, connect))
    assert asked == [("db.example", 5432), ("search.example", 9200)]
    assert [finding.level for finding in found] == ["ok", "problem"]
    assert "secret" not in str(found)
    assert not list(check_services({"DEEPRED_STORE": "sqlite", "DEEPRED_SEARCH": "embedded"}, connect))
    (finding,) = check_services({"DEEPRED_STORE": "postgresql:///database"}, connect)
    assert finding.level == "note" and len(asked) == 2


def test_devices_are_found_by_name_and_recognised_by_what_pytorch_reports():
    assert find_device("H100").teraflops == find_device("h200").teraflops == 989.4
    assert recognise("AMD Radeon 8060S Graphics").name == "strix-halo"
    assert peak_flops("NVIDIA A100-SXM4-80GB") == 312e12
    assert peak_flops("Something else") == 0
    assert all(device.source and device.mfu_source and 0 < device.mfu <= 1 for device in devices().values())
    with pytest.raises(UserError, match="strix-halo"):
        find_device("toaster")


def test_versions_and_memory_are_read():
    assert version_of("6.18.4-200.fc43") >= (6, 18, 4) > version_of("6.17.13")
    assert version_of("none") == ()
    assert memory_total("nothing") == 0


def test_doctor_ends_with_1_where_something_is_broken(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.doctor.run_trials", lambda device, seconds: [Trial("matmul", True, 0.1)])
    for variable in ("DEEPRED_STORE", "DEEPRED_SEARCH"):
        monkeypatch.delenv(variable, raising=False)
    fine = CliRunner().invoke(app, ["doctor", "--json", "--data", str(tmp_path)])
    assert fine.exit_code == 0
    assert '"usable": true' in fine.output
    monkeypatch.setenv("DEEPRED_SEARCH", "http://127.0.0.1:9")
    broken = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert broken.exit_code == 1
    assert "127.0.0.1:9" in broken.output


def test_without_pytorch_the_rest_is_still_examined(tmp_path):
    machine = strix_halo(tmp_path, torch=Torch("", error="No module named 'torch'"))
    topics = {finding.topic for finding in examine(tmp_path, machine=machine)}
    assert {"machine", "torch", "disk", "compiler"} <= topics
    assert "attention" not in topics
