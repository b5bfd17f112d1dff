import os

import pytest

from deepred.base.errors import UserError
from deepred.base.given import (
    iterate_lines,
    parse_toml,
    read_json,
    read_number,
    read_object,
    read_rows_of_json,
    read_text,
    read_toml,
)

MEND = "name another"
HOSTILE_JSON = {
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "half a character": b'{"a": "\\ud800"}',
    "not a number": b'{"a": NaN}',
    "not UTF-8": b'{"a": "\xff"}',
    "NUL": b"\0",
    "empty": b"",
    "cut": b'{"a": ',
}
HOSTILE_TOML = {
    "deep": b"a = " + b"[" * 100_000,
    "deep keys": b"[" + b"a." * 100_000 + b"a]",
    "a million digits": b"a = " + b"9" * 1_000_000,
    "twice": b"a = 1\na = 2",
    "NUL": b"a = '\0'",
    "not UTF-8": b"a = '\xff'",
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_hostile_json_is_one_error_that_names_the_file(tmp_path, name):
    path = tmp_path / "given.json"
    path.write_bytes(HOSTILE_JSON[name])
    with pytest.raises(UserError, match=r"given\.json") as raised:
        read_json(path, MEND)
    assert raised.value.mend == MEND and "\n" not in str(raised.value)


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_hostile_toml_is_one_error_that_names_the_file(tmp_path, name):
    path = tmp_path / "given.toml"
    path.write_bytes(HOSTILE_TOML[name])
    with pytest.raises(UserError, match=r"given\.toml") as raised:
        read_toml(path, MEND)
    assert raised.value.mend == MEND and len(str(raised.value)) < 1000


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, said in ((tmp_path, "folder"), (tmp_path / "pipe", "pipe"), (tmp_path / "loop", "not exist")):
        with pytest.raises(UserError, match=said):
            read_text(path, MEND)
    with pytest.raises(UserError, match="device"):
        read_text(tmp_path.__class__("/dev/zero"), MEND)


def test_a_file_is_read_to_its_bound(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(path, MEND) == "abc"
    with pytest.raises(UserError, match="more than 5 bytes"):
        read_text(path, MEND, most=5)


def test_rows_name_their_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}')
    assert [row for _, row in read_rows_of_json(path, MEND)] == [{"a": 1}, {"a": 2}]
    for content, line in ((b'{"a": 1}\n{"a":', 2), (b"[]\n", 1), (b'{}\n"text"\n', 2)):
        path.write_bytes(content)
        with pytest.raises(UserError, match=rf"rows\.jsonl, line {line}"):
            list(read_rows_of_json(path, MEND))
    with pytest.raises(UserError, match="line 1: more than 10 bytes"):
        list(iterate_lines(path, MEND, most=10) if path.write_bytes(b"x" * 100) else ())
    with pytest.raises(UserError, match="no JSON object but list"):
        path.write_bytes(b"[]")
        read_object(path, MEND)


def test_a_value_in_toml_is_parsed_like_a_file():
    assert parse_toml("a = 1", "--set a", MEND) == {"a": 1}


def test_numbers_that_others_state_are_bounded():
    assert read_number("120") == 120
    assert [read_number(text) for text in ("9" * 5000, "²", "-1", "", "1.5")] == [None] * 5
