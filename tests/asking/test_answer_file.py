"""Files of answers on a disk that is full."""

import resource

import pytest

from deepred.asking.answer_file import open_answers, read_lines
from deepred.base.errors import FaultError


def test_full_disk_is_one_line_and_the_next_call_goes_on(tmp_path):
    path = tmp_path / "answers.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        said = r"the answers: the disk is full at .*answers\.jsonl \(free space"
        with pytest.raises(FaultError, match=said), open_answers(path) as file:
            for number in range(9):
                file.append({"request": "r", "article": f"{number:04d}"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with open_answers(path) as file:
        assert len(file.known) == 3 and file.torn == 1
        file.append({"request": "r", "article": "0003"})
    assert [row and row["article"] for row in read_lines(path)] == ["0000", "0001", "0002", "0003"]
