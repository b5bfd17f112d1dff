"""A model pushed to a hub of models: one commit with the files, the card and the Modelfiles; private unless wished.

Needs the extra ``hub``. The client is handed in, so that nothing here reaches a network by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.errors import FaultError, UserError

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Upload:
    """A file of the repository: where it lies here, or its text."""

    name: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


def plan_uploads(folder: Path, card: str, quantizations: Sequence[str] = ()) -> list[Upload]:
    """What goes up from a finished ``gguf`` folder: the card, the files (of some quantizations), their Modelfiles."""
    files = sorted(folder.glob("*.gguf"))
    known = [path.stem.rpartition("-")[2] for path in files]
    if unknown := [name for name in quantizations if name not in known]:
        raise UserError(f"there is no {unknown[0]} file in {folder}", f"there are {', '.join(known)}")
    chosen = [path for path, name in zip(files, known) if not quantizations or name in quantizations]
    others = [folder / "Modelfile", *(folder / f"Modelfile-{path.stem.rpartition('-')[2]}" for path in chosen)]
    uploads = [Upload("README.md", card.encode())]
    uploads += [Upload(path.name, path) for path in (*chosen, *others, folder / "gates.json") if path.exists()]
    return uploads


def hub_client(token: str | None = None) -> Any:
    """The hub's client with the user's token; ``UserError`` without a token."""
    import huggingface_hub

    found = token or huggingface_hub.get_token()
    if not found:
        raise UserError("pushing to the hub needs a token", "run `hf auth login`, or set HF_TOKEN")
    return huggingface_hub.HfApi(token=found)


def push(client: Any, repository: str, uploads: Sequence[Upload], public: bool = False, message: str = "") -> str:
    """Create the repository where it is missing and commit all files at once; returns the address of the commit."""
    from huggingface_hub import CommitOperationAdd

    check_repository(repository)
    operations = [
        CommitOperationAdd(upload.name, upload.source if isinstance(upload.source, bytes) else str(upload.source))
        for upload in uploads
    ]
    try:
        client.create_repo(repository, private=not public, exist_ok=True)
        done = client.create_commit(
            repository, operations=operations, commit_message=message or "Model files and card", repo_type="model"
        )
    except Exception as error:  # the client raises a family of errors for access, network and names
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise FaultError(f"the hub refused {repository}: {reason[0]}", "nothing was committed; try again") from None
    return str(getattr(done, "commit_url", done))


def check_repository(name: str) -> None:
    """``UserError`` unless a repository's name is ``owner/name``."""
    if not REPOSITORY.fullmatch(name):
        raise UserError(f"{name!r} is no name of a repository", "owner/name, for example me/DeepRed-GGUF")
