"""The stage runner: keyed, immutable folders, completed atomically.

A stage's key is the hash of its name, version, config section (files from outside by checksum), the run keys that it
reads, its arm, and the keys of the stages that it needs. The folder ``<data>/<stage>/<key>`` is built as
``<key>.partial``; ``manifest.json`` is written last and the folder renamed, so a folder that exists is complete.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deepred.base.days import from_date
from deepred.base.errors import UserError
from deepred.base.files import remove_abandoned, write_json
from deepred.run import inputs, provenance
from deepred.run.config import ARMS, HOW, Run, Section
from deepred.run.process_state import stated
from deepred.run.settings import Settings
from deepred.run.stage import MANIFEST, Counts, Stage, Work
from deepred.run.unfinished import complete, hold_lock, prepare, tidy, told_in_a_line, writable

KEY_LENGTH = 16
"""Hexadecimal digits of a key in folder names: 64 bits, no collision below billions of folders."""

RUNS = "runs"
"""Folder of the data folder in which each run's latest keys are remembered, so that ``clean`` knows what is used."""


@dataclass(frozen=True)
class Node:
    """A stage in an arm of a run, with what it needs."""

    stage: Stage
    arm: str
    section: Section | None
    needs: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])

    @property
    def name(self) -> str:
        """``stage``, or ``stage@arm`` where the stage has arms."""
        return f"{self.stage.name}@{self.arm}" if len(self.stage.arms) > 1 else self.stage.name


class Pipeline:
    """The stages of a run file in order, with their keys and folders."""

    def __init__(self, run: Run, stages: tuple[Stage, ...], settings: Settings) -> None:
        self.run = run
        self.stages = stages
        self.settings = settings
        self.checksums = inputs.Checksums(settings.data)
        self.nodes: list[Node] = []
        self._keys: dict[str, str] = {}
        arms = [arm for arm in ARMS if arm == "filtered" or arm in run.arms]  # an arm comes after what it begins with
        for stage in stages:
            if run.section_of(stage.name, "filtered") is None and stage.name in Run.model_fields:
                continue  # an optional section that the run file leaves out
            for arm in arms:
                if arm in stage.arms:
                    section = run.section_of(stage.name, arm)
                    self.nodes.append(Node(stage, arm, section, self._needs(stage, arm, section)))

    def _needs(self, stage: Stage, arm: str, section: Section | None) -> dict[str, Node | None]:
        if stage.needs_all:
            return {node.name: node for node in self.nodes}
        needs: dict[str, Node | None] = {}
        for name in stage.needs:
            if stage.needs == ("world",) and section is not None and inputs.names_files_but_no_world(section):
                needs[name] = None  # a source of real files only: nothing of the world may change its key
                continue
            needs[name] = self._output_of(name, arm) or self._output_of(name, "filtered")
        begins_with = dict(stage.begins_with).get(arm)
        if begins_with:
            needs["start"] = self._output_of(stage.name, begins_with)
        return needs

    def _output_of(self, name: str, arm: str) -> Node | None:
        return next((node for node in self.nodes if node.stage.name == name and node.arm == arm), None)

    def node(self, name: str, arm: str = "filtered") -> Node:
        """The node of a stage (in an arm); an unknown name is a UserError that lists the valid ones."""
        found = [node for node in self.nodes if node.stage.name == name or node.name == name]
        if not found:
            names = list(dict.fromkeys(node.stage.name for node in self.nodes))
            raise UserError(f"this run has no stage {name!r}", f"its stages: {', '.join(names)}")
        return next((node for node in found if node.arm == arm), found[0])

    def sources(self, node: Node) -> dict[str, list[Path]]:
        """The resolved files of every key of a node's section that names files from outside."""
        if node.section is None:
            return {}
        world = self._world(node)
        return {
            key: [
                path
                for name in getattr(node.section, key)
                for path in inputs.resolve(name, self.settings, world, f"{node.stage.name}.{key}")
            ]
            for key in inputs.external_keys(node.section)
        }

    def _world(self, node: Node) -> Path | None:
        world = node.needs.get("world")
        return self.folder(world) if world else None

    def key(self, node: Node, hash_files: bool = True) -> str | None:
        """The node's key; None when ``hash_files`` is False and a file's checksum is not remembered yet."""
        if node.name in self._keys:
            return self._keys[node.name]
        needs: dict[str, str | None] = {}
        for name, need in node.needs.items():
            if need is not None:
                needs[name] = self.key(need, hash_files)
                if needs[name] is None:
                    return None
        config = self._hashed_config(node, hash_files)
        if config is None:
            return None
        reads = {name: self._read(node, name) for name in node.stage.reads}
        identity = [node.stage.name, node.stage.version, config, reads, needs]
        text = json.dumps(identity, sort_keys=True, default=str)
        self._keys[node.name] = hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
        return self._keys[node.name]

    def _hashed_config(self, node: Node, hash_files: bool) -> dict[str, Any] | None:
        """The section as JSON: files from outside as name and checksum, keys of how (not what) left out."""
        if node.section is None:
            return {}
        config = node.section.model_dump(mode="json", exclude=how_keys(node.section))
        for key in inputs.external_keys(node.section):
            try:
                names = self._hashed_files(node, key, hash_files)
            except UserError:
                if (names := self._recorded_files(node, key)) is None:
                    raise
            if names is None:
                return None
            config[key] = names
        return config

    def _hashed_files(self, node: Node, key: str, hash_files: bool) -> list[Any] | None:
        """The files of a config key as name and checksum; None where one must not be read for it."""
        names: list[Any] = []
        for name in getattr(node.section, key):
            if name.startswith(inputs.WORLD):
                names.append(name)  # the world's own key stands for it
                continue
            for path in inputs.resolve(name, self.settings, None, f"{node.stage.name}.{key}"):
                known = self.checksums.of(path) if hash_files else self.checksums.remembered(path)
                if known is None:
                    return None
                names.append([path.name, known])
        return names

    def _recorded_files(self, node: Node, key: str) -> list[Any] | None:
        """The same by the manifest of this run's output, where files are gone: what is finished needs them no more."""
        folder = self.settings.data / recorded_outputs(self.settings.data, self.run.name).get(node.name, "")
        written: list[str] = getattr(node.section, key)
        manifest = read_manifest(folder) if is_complete(folder) else {"config": {}}
        if manifest["config"].get(key) != written:
            return None
        found = [[Path(one["path"]).name, one["sha256"]] for one in manifest["sources"] if one["key"] == key]
        outside = [name for name in written if not name.startswith(inputs.WORLD)]
        if len(outside) == len(written):
            return found
        if len(outside) != len(found):
            return None
        files = iter(found)
        return [name if name.startswith(inputs.WORLD) else next(files) for name in written]

    def require_sources(self, nodes: Sequence[Node]) -> None:
        """Raise UserError for the first file from outside that an unfinished node needs and that is not there."""
        for node in nodes:
            if not is_complete(self.folder(node)) and node.section is not None:
                for key in inputs.external_keys(node.section):
                    for name in getattr(node.section, key):
                        if not name.startswith(inputs.WORLD):
                            inputs.resolve(name, self.settings, None, f"{node.stage.name}.{key}")

    def _read(self, node: Node, name: str) -> Any:
        if name == "arm":
            return node.arm
        value = getattr(self.run, name)
        return from_date(value) if name == "cutoff" else value

    def folder(self, node: Node) -> Path:
        """Where the node's output lies, or will."""
        return self.settings.data / node.stage.name / str(self.key(node))

    def outputs(self) -> dict[str, Path]:
        """The folders of all finished nodes by name."""
        return {node.name: self.folder(node) for node in self.nodes if is_complete(self.folder(node))}

    def build(self, node: Node, work: Work) -> dict[str, Any]:
        """Build a node unless its folder is there; returns its manifest."""
        final = self.folder(node)
        work.progress.start(node.stage.name, node.arm if len(node.stage.arms) > 1 else "", None)
        if is_complete(final):
            tidy(final)
            work.progress.finish("there", 0.0, None)
            return read_manifest(final)
        started = time.time()
        try:
            manifest = self._build(node, final, work)
        except BaseException:
            work.progress.finish("stopped", time.time() - started, None)
            raise
        work.progress.finish("done", time.time() - started, Counts.from_json(manifest["counts"]))
        return manifest

    def _build(self, node: Node, final: Path, work: Work) -> dict[str, Any]:
        if final.exists():
            raise UserError(f"{final} exists but holds no {MANIFEST}", "it is not this program's: move it away")
        with hold_lock(final):
            if is_complete(final):  # built by another process meanwhile
                return read_manifest(final)
            started, cpu = time.time(), _cpu_seconds()
            with told_in_a_line(node.name, final), stated():
                partial = prepare(final, node.stage)
                sources = self.sources(node)
                counts = self._call(node, sources, partial, work)
                manifest = self._manifest(node, sources, counts)
                manifest["started"] = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")
                manifest["seconds"] = round(time.time() - started, 3)
                manifest["cpu_seconds"] = round(_cpu_seconds() - cpu, 3)
                complete(partial, final, manifest)
            return manifest

    def _call(self, node: Node, sources: dict[str, list[Path]], out: Path, work: Work) -> Counts:
        arguments: dict[str, Any] = {"out": out, "work": work}
        if node.stage.needs_all:
            arguments["outputs"] = {name: self.folder(need) for name, need in node.needs.items() if need}
        else:
            arguments |= {name: self.folder(need) if need else None for name, need in node.needs.items()}
        if node.section is not None:
            arguments["config"] = node.section
        if sources:
            arguments["sources"] = sources
        arguments |= {name: self._read(node, name) for name in node.stage.reads}
        return load(node.stage)(**arguments)

    def _manifest(self, node: Node, sources: dict[str, list[Path]], counts: Counts) -> dict[str, Any]:
        world = self._world(node)
        return {
            "stage": node.stage.name,
            "arm": node.arm if len(node.stage.arms) > 1 else "",
            "version": node.stage.version,
            "key": self.key(node),
            "method": node.stage.method,
            "config": node.section.model_dump(mode="json") if node.section else {},
            "reads": {name: self._read(node, name) for name in node.stage.reads},
            "sources": [
                {"key": key, "path": str(path), "sha256": self.checksums.of(path), "bytes": path.stat().st_size}
                for key, paths in sources.items()
                for path in paths
                if world is None or not path.is_relative_to(world)
            ],
            "needs": {name: self.key(need) for name, need in node.needs.items() if need},
            "counts": counts.to_json(),
            **provenance.describe(),
        }


def how_keys(section: Section) -> set[str]:
    """The keys of a section that are no part of a stage's key."""
    return {name for name, field in type(section).model_fields.items() if HOW in field.metadata}


def load(stage: Stage) -> Callable[..., Counts]:
    """The function that does a stage's work."""
    module, _, function = stage.function.partition(":")
    return getattr(importlib.import_module(module), function)


def is_complete(folder: Path) -> bool:
    """Whether a stage's folder is there and finished."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """A finished folder's manifest."""
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def recorded_outputs(data: Path, run: str) -> dict[str, str]:
    """The outputs that a run remembers, ``stage/key`` by the names of their nodes; none where it remembers nothing."""
    path = data / RUNS / f"{run}.json"
    return json.loads(path.read_text(encoding="utf-8"))["outputs"] if path.is_file() else {}


def recorded_use(record: Path) -> set[str]:
    """The outputs, ``stage/key``, that a remembered run uses, or will once what is under way is built."""
    values = json.loads(record.read_text(encoding="utf-8"))
    return {*values["outputs"].values(), *values.get("under_way", {}).values()}


def announce_run(pipeline: Pipeline, nodes: Sequence[Node]) -> None:
    """Record what a run is about to build and to read, so that ``clean`` beside it, or after a kill, leaves that."""
    _record(pipeline, recorded_outputs(pipeline.settings.data, pipeline.run.name), _outputs(pipeline, nodes))


def remember_run(pipeline: Pipeline, nodes: Sequence[Node]) -> None:
    """Record the keys that a run now uses: of these nodes, and of further ones that an earlier command built."""
    before = recorded_outputs(pipeline.settings.data, pipeline.run.name)
    built = _outputs(pipeline, nodes)
    further = [node for node in pipeline.nodes if node.name in before and node.name not in built]
    kept = {node.name: before[node.name] for node in further if _is_still_used(pipeline, node, before[node.name])}
    _record(pipeline, built | kept, {})


def _record(pipeline: Pipeline, outputs: dict[str, str], under_way: dict[str, str]) -> None:
    path = pipeline.settings.data / RUNS / f"{pipeline.run.name}.json"
    values: dict[str, Any] = {"written": datetime.now(UTC).isoformat(timespec="seconds"), "outputs": outputs}
    with writable(path.parent):
        remove_abandoned(path)
        write_json(path, values | ({"under_way": under_way} if under_way else {}))


def _outputs(pipeline: Pipeline, nodes: Sequence[Node]) -> dict[str, str]:
    return {node.name: _output(pipeline, node) for node in nodes}


def _output(pipeline: Pipeline, node: Node) -> str:
    return f"{node.stage.name}/{pipeline.key(node)}"


def _is_still_used(pipeline: Pipeline, node: Node, output: str) -> bool:
    """Whether a run that goes on to a node would use this output of it."""
    try:
        return output == _output(pipeline, node)
    except UserError:
        return True  # a file that it was made from cannot be read now: no reason to forget it
