import numpy as np
import pytest

from deepred.base.errors import FaultError
from deepred.filter.term_years import Terms


def test_a_saved_table_comes_back_with_its_settings(tmp_path):
    terms = Terms.of((np.array([7, 9], np.int64), np.array([3, 4], np.int64)), bits=10, min_count=2)
    terms.save(tmp_path / "terms.parquet")
    found = Terms.load(tmp_path / "terms.parquet")
    assert found.keys.tolist() == [7, 9]
    assert found.numbers.tolist() == [3, 4]
    assert (found.bits, found.min_count) == (10, 2)


def test_another_table_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"bucket": [1]}), tmp_path / "terms.parquet")
    with pytest.raises(FaultError, match="is no table of terms"):
        Terms.load(tmp_path / "terms.parquet")
