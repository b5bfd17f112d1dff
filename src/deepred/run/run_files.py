"""The run files that come with the package: ``runs/`` of a checkout, or beside this module once it is installed."""

from __future__ import annotations

from pathlib import Path

import deepred
from deepred.base.errors import UserError


def shipped() -> dict[str, Path]:
    """The run files by name: ``{"demo": .../runs/demo.toml, ...}``."""
    package = Path(deepred.__file__).parent
    folder = next((place for place in (package / "runs", package.parents[1] / "runs") if place.is_dir()), package)
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def what_for(path: Path) -> str:
    """What a shipped run file is for: its first line, which is a comment."""
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def write(name: str, out: Path) -> None:
    """Copy a shipped run file to ``out``; refuses an unknown name, and a file that is there and differs."""
    known = shipped()
    if name not in known:
        raise UserError(f"no run file is called {name}", f"there are: {', '.join(known)}")
    text = known[name].read_text(encoding="utf-8")
    if out.exists():
        if out.read_text(encoding="utf-8") != text:
            raise UserError(f"{out} is there and differs", "remove it, or name another file with --out")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
