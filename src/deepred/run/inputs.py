"""Files from outside: where their names lead, and their checksums, remembered so that ``status`` stays instant."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from deepred.base.errors import UserError
from deepred.base.files import remove_abandoned, write_json
from deepred.run.config import EXTERNAL, Section
from deepred.run.settings import Settings

WORLD = "world:"
PERSONAS = Path(__file__).parents[1] / "persona"


def external_keys(section: Section) -> list[str]:
    """The keys of a section that name files from outside."""
    return [name for name, field in type(section).model_fields.items() if EXTERNAL in field.metadata]


def names_files_but_no_world(section: Section) -> bool:
    """Whether a section can name files from outside and none that it names is the generated world's."""
    keys = external_keys(section)
    return bool(keys) and not any(name.startswith(WORLD) for key in keys for name in getattr(section, key))


def resolve(name: str, settings: Settings, world: Path | None, key: str) -> list[Path]:
    """The files that a name leads to, sorted where it is a glob; ``key`` is the config key, for the error."""
    prefix, separator, rest = name.partition(":")
    base, mend = Path(), "paths are relative to the current folder"
    if not separator or prefix not in {"world", "samples", "downloads", "persona"}:
        rest = name
    elif prefix == "world":
        if world is None:
            raise UserError(f"{key}: {name} needs the generated world", "add a [world] section to the run file")
        base, mend = world, "see sources/world/world.py for the files it writes"
    elif prefix == "samples":
        if settings.samples is None:
            raise UserError(
                f"{key}: {name}: DEEPRED_SAMPLES is not set", "export DEEPRED_SAMPLES=<folder of the samples>"
            )
        base, mend = settings.samples, "DEEPRED_SAMPLES names the folder of the samples"
    elif prefix == "downloads":
        base, mend = settings.data / "downloads", "fetch it first: deepred download --help"
    else:
        known = ", ".join(sorted(path.stem for path in PERSONAS.glob("*.toml")))
        base, rest, mend = PERSONAS, f"{rest}.toml", f"personas that ship with the package: {known}"
    if any(letter in rest for letter in "*?["):
        root = base if base != Path() or not rest.startswith("/") else Path("/")
        found = sorted(path for path in root.glob(rest.lstrip("/")) if path.is_file())
        if not found:
            raise UserError(f"{key}: no file matches {base / rest}", mend)
        return found
    path = base / rest
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise UserError(f"{key}: {path} {what}", mend)
    return [path]


class Checksums:
    """SHA-256 of files, remembered by path, size and modification time in one JSON file of the data folder."""

    def __init__(self, data: Path) -> None:
        self.path = data / "checksums.json"
        try:
            self.known: dict[str, str] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def remembered(self, path: Path) -> str | None:
        """The checksum of a file that has not changed since it was read, else None."""
        return self.known.get(_identity(path))

    def of(self, path: Path, afresh: bool = False) -> str:
        """The checksum of a file, read where it is not remembered, or ``afresh``."""
        known = None if afresh else self.remembered(path)
        if known is None:
            known = sha256(path)
            self.known[_identity(path)] = known
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned(self.path)
            write_json(self.path, self.known)
        return known


def _identity(path: Path) -> str:
    state = path.stat()
    return f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
