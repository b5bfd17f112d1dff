"""What every test shares: no network, the sample data where it is, and tools that a run can demand."""

import importlib.util
import os
import shutil
import signal
import socket
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from chat_server import serve as serve  # a fixture of several folders

REQUIRED = os.environ.get("DEEPRED_REQUIRE", "").split()
"""Tools that must be there: a test that misses one of them fails instead of being skipped."""

SAMPLES = os.environ.get("DEEPRED_SAMPLES", "")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
HAS_COMPILER = shutil.which("g++") is not None and Path(sysconfig.get_path("include"), "Python.h").is_file()
INITDB = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True), Path(shutil.which("initdb") or "")]
POSTGRESQL = next((path.resolve().parent for path in INITDB if path.is_file()), None)


@dataclass(frozen=True)
class Tool:
    """What some tests need and not every machine has."""

    is_there: bool
    mend: str
    """What brings it."""


def has_modules(*names: str) -> bool:
    """Whether these can be imported."""
    return all(importlib.util.find_spec(name) is not None for name in names)


TOOLS = {
    "samples": Tool(Path(SAMPLES).is_dir() if SAMPLES else False, "DEEPRED_SAMPLES=<the folder of the sample data>"),
    "chess": Tool(has_modules("chess"), "make setup-dev"),
    "gguf": Tool(has_modules("gguf", "xllamacpp"), "pip install 'deepred[gguf]'"),
    "harness": Tool(has_modules("lm_eval"), "pip install 'deepred[harness]'"),
    "chromium": Tool(has_modules("playwright") and CHROMIUM is not None, "Chromium or Chrome (Debian: chromium)"),
    "postgresql": Tool(POSTGRESQL is not None, "PostgreSQL 15 or later (Debian: postgresql)"),
    "compiler": Tool(HAS_COMPILER, "a C++ compiler and Python's headers (Debian: g++ python3-dev)"),
}


signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


MISSED = "needs {}: {}"


def demand(name: str) -> None:
    """Skip the test when a tool is not there, or fail it when the run demands that tool."""
    tool = TOOLS[name]
    if tool.is_there:
        return
    if name in REQUIRED:
        pytest.fail(f"{name} is required (DEEPRED_REQUIRE) and missing: {tool.mend}")
    pytest.skip(MISSED.format(name, tool.mend))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Tests marked ``needs("gguf")`` run only with that tool; asked before any fixture, of whatever scope, is made."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            demand(name)


def pytest_terminal_summary(terminalreporter):
    """One line for what was not tested for want of a tool, and what would bring it."""
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    for name, tool in TOOLS.items():
        if number := sum(reason.endswith(MISSED.format(name, tool.mend)) for reason in reasons):
            terminalreporter.write_line(f"{number} tests need {name}: {tool.mend}")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the sample data."""
    demand("samples")
    return Path(SAMPLES)
