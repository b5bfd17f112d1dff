"""What every test shares: no network, the sample data where it is, and tools that a run can demand."""

import importlib.util
import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from chat_server import serve as serve  # a fixture of several folders

REQUIRED = os.environ.get("DEEPRED_REQUIRE", "").split()
"""Tools that must be there: a test that misses one of them fails instead of being skipped."""

MODULES = {"chess": "chess", "gguf": "xllamacpp", "chromium": "playwright", "harness": "lm_eval"}
PROGRAMS = {"chromium": "chromium"}
"""Programs that a tool needs beside its module."""


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


def demand(tool: str, is_there: bool, mend: str) -> None:
    """Skip the test when a tool is not there, or fail it when the run demands that tool."""
    if is_there:
        return
    if tool in REQUIRED:
        pytest.fail(f"{tool} is required (DEEPRED_REQUIRE) and missing: {mend}")
    pytest.skip(f"needs {tool}: {mend}")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the sample data."""
    folder = os.environ.get("DEEPRED_SAMPLES", "")
    demand("samples", bool(folder) and Path(folder).is_dir(), "set DEEPRED_SAMPLES to the folder of the sample data")
    return Path(folder)


@pytest.fixture(autouse=True)
def required_tools(request):
    """Tests marked ``needs("gguf")`` run only with that tool."""
    for mark in request.node.iter_markers("needs"):
        for tool in mark.args:
            is_there = importlib.util.find_spec(MODULES[tool]) is not None
            demand(tool, is_there, f"pip install deepred[{tool}]")
            if program := PROGRAMS.get(tool):
                demand(tool, shutil.which(program) is not None, f"install {program}")
