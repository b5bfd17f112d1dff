import os

import pytest

from deepred.base.errors import UserError
from deepred.run import inputs
from deepred.run.config import Articles, Examples
from deepred.run.settings import Settings


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "samples").mkdir()
    for name in ("b.txt", "a.txt"):
        (tmp_path / "samples" / name).write_text(name, encoding="utf-8")
    return Settings(data=tmp_path / "data", samples=tmp_path / "samples")


def test_a_glob_gives_its_files_in_order(settings):
    found = inputs.resolve("samples:*.txt", settings, None, "books.files")
    assert [path.name for path in found] == ["a.txt", "b.txt"]


def test_a_persona_that_ships_with_the_package_is_found(settings):
    (path,) = inputs.resolve(Examples().persona[0], settings, None, "examples.persona")
    assert path.is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("samples:c.txt", r"books\.files: .*c\.txt does not exist"),
        ("samples:*.pgn", r"no file matches"),
        ("world:dump.xml", r"needs the generated world"),
        ("downloads:dump.xml", r"does not exist \(fetch it first: deepred download"),
        ("persona:nobody", r"personas that ship with the package: .*deep-red"),
    ],
)
def test_a_name_that_leads_nowhere_is_explained(settings, name, message):
    with pytest.raises(UserError, match=message):
        inputs.resolve(name, settings, None, "books.files")


def test_unset_samples_are_a_clear_error(tmp_path):
    with pytest.raises(UserError, match="DEEPRED_SAMPLES is not set"):
        inputs.resolve("samples:a.txt", Settings(data=tmp_path), None, "books.files")


def test_a_section_tells_which_of_its_keys_name_files():
    assert inputs.external_keys(Articles()) == ["dumps", "plain"]


def test_a_checksum_is_remembered_until_the_file_changes(tmp_path):
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    checksums = inputs.Checksums(tmp_path)
    assert checksums.remembered(path) is None
    first = checksums.of(path)
    assert inputs.Checksums(tmp_path).remembered(path) == first
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert checksums.remembered(path) is None
    assert checksums.of(path) != first
