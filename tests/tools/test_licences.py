"""The licences of what `make setup` installs: nothing under a licence that would ask for Deep Red's own code."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
COPYLEFT = re.compile(r"(?<!Lesser )(?<!Library )General Public License|Affero|\bA?GPL", re.IGNORECASE)
"""The GPL and the AGPL, in words or as an identifier; not the LGPL."""
LINKED_FREELY = re.compile(r"GPL\S* WITH \S+", re.IGNORECASE)
"""With an exception, as compilers' libraries have it."""
READ_ELSEWHERE: dict[str, tuple[str, str]] = {}
"""Distributions whose metadata tell no licence: the licence, and where it was read."""


def setup_extras():
    """The extras that the Makefile's ``make setup`` asks for."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(EXTRAS\w*) := (\S+)$", makefile, re.MULTILINE))
    return values["EXTRAS"].replace("$(EXTRAS_LIGHT)", values["EXTRAS_LIGHT"]).split(",")


def requirements():
    """What the package itself requires with those extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(each for extra in setup_extras() for each in optional[extra])]


def installed():
    """Every distribution that is required, directly or not, by name; None where this environment has it not."""
    found, seen = {}, set()
    waiting = [(Requirement(each), "") for each in requirements()]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for asked in ("", *requirement.extras):
            if (name, asked) in seen:
                continue
            seen.add((name, asked))
            try:
                found[name] = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                found[name] = None
                continue
            waiting += [(Requirement(each), asked) for each in found[name].requires or []]
    return found


def licence(distribution):
    """What its metadata tell: an expression, else classifiers, else the free field, which may be the whole text."""
    told = distribution.metadata
    classifiers = [text for text in told.get_all("Classifier") or [] if text.startswith("License :: ")]
    classifiers = [text.rpartition(" :: ")[2] for text in classifiers if text != "License :: OSI Approved"]
    return told.get("License-Expression") or " AND ".join(classifiers) or told.get("License") or ""


def is_copyleft(told):
    """Whether a licence is the GPL or the AGPL, and no other may be chosen instead."""
    choices = [told] if "(" in told else told.split(" OR ")
    return all(COPYLEFT.search(LINKED_FREELY.sub("", choice)) for choice in choices)


@pytest.mark.parametrize(
    ("told", "copyleft"),
    [
        ("GPL-3.0-or-later", True),
        ("GPL-3.0+", True),
        ("GNU General Public License v3 or later (GPLv3+)", True),
        ("AGPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("MIT AND GPL-2.0-only", True),
        ("GPL-3.0-only AND (MIT OR BSD-3-Clause)", True),
        ("MIT OR GPL-2.0-only", False),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("Apache-2.0", False),
    ],
)
def test_the_gpl_is_told_from_its_kin(told, copyleft):
    assert is_copyleft(told) == copyleft


def test_python_chess_is_no_part_of_the_package():
    used = re.compile(r"^\s*(?:import|from) chess\b", re.MULTILINE)
    sources = (ROOT / "src").rglob("*.py")
    assert [path.name for path in sources if used.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.needs("chess")
def test_what_tests_alone_use_may_be_under_the_gpl_and_is_seen_to_be():
    assert is_copyleft(licence(metadata.distribution("chess")))
    assert "chess" not in installed()


def test_nothing_that_setup_installs_is_under_the_gpl():
    found = installed()
    there = {name: distribution for name, distribution in found.items() if distribution is not None}
    told = {name: licence(distribution) for name, distribution in there.items()}
    assert {name for name in told if not told[name]} == set(READ_ELSEWHERE) & set(told)
    told |= {name: read for name, (read, _) in READ_ELSEWHERE.items() if name in told}
    assert {name: text[:60] for name, text in told.items() if is_copyleft(text)} == {}
    if missing := sorted(set(found) - set(there)):
        pytest.skip(f"not installed here: {', '.join(missing)}")
