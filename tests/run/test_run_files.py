"""What an installed package brings along, and the pins that it is installed with."""

import re
import tomllib
from pathlib import Path

import pytest

from deepred.base.errors import UserError
from deepred.run.run_files import shipped, what_for, write

ROOT = Path(__file__).parents[2]


def test_every_run_file_of_the_checkout_is_shipped_and_says_what_it_is_for_in_its_first_line():
    assert shipped() == {path.stem: path for path in (ROOT / "runs").glob("*.toml")}
    for path in shipped().values():
        assert re.match(r"[A-Z].*\.$", what_for(path)), path


def test_a_run_file_is_written_once_and_never_over_another(tmp_path):
    out = tmp_path / "runs" / "demo.toml"
    write("demo", out)
    write("demo", out)
    assert out.read_bytes() == shipped()["demo"].read_bytes()
    out.write_text("name = 'mine'", encoding="utf-8")
    with pytest.raises(UserError, match=r"demo\.toml is there and differs"):
        write("demo", out)
    with pytest.raises(UserError, match="no run file is called dmeo"):
        write("dmeo", out)


def test_every_pin_is_one_that_a_package_index_has():
    """A local version, a path or an address installs on the machine that wrote it and nowhere else."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*( ; .+)?", line), line


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {re.split("==", line)[0].lower().replace("_", "-") for line in lines}
    assert {re.split(r"[\[<>=]", name)[0].lower().replace("_", "-") for name in wanted} - pinned == set()
