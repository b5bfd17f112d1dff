"""The pins of constraints.txt: written anew, resolved on other systems, and what each extra weighs. Needs uv.

make pins                       constraints.txt anew from pyproject.toml; what is pinned stays unless UPGRADE says so
make pins-check                 every extra resolved with those pins on every system that README names
python tools/pins.py extras     what each extra adds: megabytes to download on Linux, megabytes in this environment
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux arm64": "aarch64-manylinux_2_28",
    "macOS 14 arm64": "aarch64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}
SOURCES = {"chess", "rouge-score", "sqlitedict", "word2number"}
"""Pure Python, without a wheel: built where they are installed, which needs no compiler."""
SETUP = ("serve", "train", "gguf", "report")
HEADER = """\
# Every package that any extra installs on any system, pinned: one tested set, written by `make pins`.
# Install with: pip install -c constraints.txt
"""
CONSTRAINTS = Path("constraints.txt")


def uv(*arguments: str) -> str:
    """Run uv without any configuration of this machine; its standard error is the message where it fails."""
    environment = os.environ | {"UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(["uv", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def write(options: list[str]) -> None:
    """Write constraints.txt for all systems at once, with markers where they differ."""
    compiled = ("pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", PYTHONS[0])
    uv(*compiled, "--quiet", "--no-annotate", "--no-header", "--output-file", str(CONSTRAINTS), *options)
    CONSTRAINTS.write_text(HEADER + CONSTRAINTS.read_text(encoding="utf-8"), encoding="utf-8")


def resolve(system: str, python: str, extras: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """The packages that a system installs, with their wheels; all extras where ``extras`` is None."""
    chosen = ["--all-extras"] if extras is None else [part for extra in extras for part in ("--extra", extra)]
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "pylock.toml"
        where = ("--python-platform", SYSTEMS[system], "--python-version", python)
        pinned = ("--constraint", str(CONSTRAINTS), "--format", "pylock.toml", "--output-file", str(lock))
        uv("pip", "compile", "pyproject.toml", "--quiet", *chosen, *where, *pinned)
        return tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]


def megabytes(packages: list[dict[str, Any]]) -> float:
    """What they weigh to download: the smallest wheel of each that fits, or its source."""
    files = [package.get("wheels") or [package["sdist"]] for package in packages]
    return sum(min(file["size"] for file in choice) for choice in files) / 1e6


def check() -> None:
    """Resolve all extras on every system and Python; fail where a package has no wheel and is not pure Python."""
    print("| system | Python | packages | `make setup` fetches |\n|---|---|---|---|")
    for system in SYSTEMS:
        counts: list[int] = []
        for python in PYTHONS:
            packages = resolve(system, python, None)
            built = {package["name"] for package in packages if not package.get("wheels")}
            if built - SOURCES:
                sys.exit(f"{system}, Python {python}: no wheel of {', '.join(sorted(built - SOURCES))}")
            counts.append(len(packages))
        fetched = megabytes(resolve(system, PYTHONS[-2], SETUP)) / 1e3
        pythons = f"{PYTHONS[0]} to {PYTHONS[-1]}"
        print(f"| {system} | {pythons} | {min(counts)} to {max(counts)} | {fetched:.2f} GB |", flush=True)


def extras() -> None:
    """What each extra adds to the packages that are always installed, to download and on the disk."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    system = "Linux x86-64"
    python = ".".join(map(str, sys.version_info[:2]))
    base = {package["name"] for package in resolve(system, python, ())}
    print("| extra | packages | download, MB | on the disk, MB |\n|---|---|---|---|")
    for name in ("", *project["optional-dependencies"]):
        packages = resolve(system, python, (name,) if name else ())
        added = [package for package in packages if not name or package["name"] not in base]
        fetched, kept = megabytes(added), [installed(package["name"]) for package in added]
        missing = sum(size is None for size in kept)
        note = f" ({missing} not in this environment)" if missing else ""
        print(
            f"| {name or '(always)'} | {len(added)} | {fetched:,.0f} | {sum(size or 0 for size in kept):,.0f}{note} |"
        )


def installed(name: str) -> float | None:
    """Megabytes of an installed package's files, None where it is not installed."""
    try:
        files = metadata.distribution(name).files or []
    except metadata.PackageNotFoundError:
        return None
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()) / 1e6


if __name__ == "__main__":
    action, *rest = sys.argv[1:] or ["help"]
    if action == "write":
        write(rest)
    elif action == "check":
        check()
    elif action == "extras":
        extras()
    else:
        sys.exit(__doc__)
