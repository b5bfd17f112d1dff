"""Shares of tokens, epochs, and the documents of a part of an epoch."""

import numpy as np
import pytest

from deepred.base.errors import UserError
from deepred.corpus.mixture_weights import Supply, check_sources, epochs_of


@pytest.mark.parametrize(
    ("weights", "shares", "most", "expected"),
    [
        ({}, {}, 4, {"wikipedia": 1, "books": 1}),
        ({"books": 2.5}, {}, 4, {"wikipedia": 1, "books": 2.5}),
        ({"books": 9}, {"wikipedia": 0.8, "books": 0.2}, 4, {"wikipedia": 8 / 9, "books": 2}),
        ({}, {"wikipedia": 4, "books": 1}, 4, {"wikipedia": 8 / 9, "books": 2}),
        ({}, {"wikipedia": 0.5, "books": 0.5}, 4, {"wikipedia": 4 / 9, "books": 4}),
        ({}, {"wikipedia": 1}, 4, {"wikipedia": 1, "books": 0}),
    ],
)
def test_epochs_follow_from_weights_or_from_shares_of_tokens(weights, shares, most, expected):
    tokens = {"wikipedia": 900, "books": 100}
    epochs = epochs_of(tokens, weights, shares, most)
    assert epochs == pytest.approx(expected)
    if shares:
        read = {source: epochs[source] * tokens[source] for source in tokens}
        whole = sum(shares.values())
        assert {s: n / sum(read.values()) for s, n in read.items() if n} == pytest.approx(
            {s: share / whole for s, share in shares.items()}
        )


@pytest.mark.parametrize("shares", [{"chess": 0.5, "wikipedia": 0.5}, {"wikipedia": 0.0}])
def test_a_share_of_what_is_not_there_is_an_error(shares):
    with pytest.raises(UserError, match="shares"):
        epochs_of({"wikipedia": 900}, {}, shares, 4)


def test_an_unknown_source_is_an_error():
    with pytest.raises(UserError, match="bookz"):
        check_sources(["bookz"], ["books"])


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
def test_a_part_of_an_epoch_is_met_by_tokens_however_unequal_documents_are(fraction):
    random = np.random.default_rng(1)
    draws, tokens = random.random(3000), random.pareto(1.2, 3000).astype(np.int64) * 100 + 50
    supply = Supply.empty()
    for part in range(3):
        supply.add(draws[part::3], tokens[part::3])
    taken = tokens[draws < supply.bound(fraction)].sum() / tokens.sum()
    # a document cannot be cut: half of the longest is the most that the share may miss
    assert abs(taken - fraction) <= 0.5 * tokens.max() / tokens.sum() + 1e-3
