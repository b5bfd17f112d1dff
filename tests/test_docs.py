"""The documentation says what the program does: methods, limits, commands, layout."""

import re
from pathlib import Path

from deepred.cli.reference import VARIABLES
from deepred.pipeline import STAGES

ROOT = Path(__file__).parents[1]


def test_limits_name_every_stage_with_the_method_that_the_report_shows():
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE)
    assert [(name, method) for name, method, _ in rows] == [(stage.name, stage.method) for stage in STAGES]
    assert all(len(limit) > 10 for _, _, limit in rows)


def test_architecture_names_every_stage():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for stage in STAGES:
        assert f"`{stage.name}`" in text, stage.name


def test_architecture_sends_to_files_that_exist():
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## To change X")[2]
    places = re.findall(r"`([a-z_/-]+(?:\.[a-z]+|/))`", table.partition("\n## ")[0].partition("|---|---|")[2])
    assert len(places) > 30
    assert [place for place in places if not (ROOT / "src" / "deepred" / place).exists()] == []


def test_every_page_of_the_documentation_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            linked = (page.parent / target).resolve()
            if linked not in reached and linked.exists():
                reached.add(linked)
                waiting.append(linked)
    assert [page.name for page in (ROOT / "docs").glob("*.md") if page.resolve() not in reached] == []


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_project_names_no_machine_and_no_registry():
    words = re.compile(r"/home/|/root/|/tmp/|pypi\.org|pythonhosted", re.IGNORECASE)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/**/*.py"), *ROOT.glob("runs/*.toml")]:
        found = words.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found and found.group()}"


def test_every_variable_of_the_environment_is_documented():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r'"(DEEPRED_[A-Z_]*[A-Z])"', source)) | {"REMOTE_HOST"}
    internal = {"DEEPRED_RENDEZVOUS"}  # set by a training for its own ranks
    assert read - internal - VARIABLES.keys() == set()
    assert [name for name in VARIABLES if name not in source] == []
