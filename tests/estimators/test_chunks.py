"""Rows that come in chunks give the model of all rows."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Identity, Stack, Trees

DIGITS, LABELS = load_digits(n_class=4, return_X_y=True)


def chunks_of(*tables, size=150):
    n_rows = len(tables[0])
    for start in range(0, n_rows, size):
        yield tuple(table[start : start + size] for table in tables)


def assert_same(found, expected):
    assert np.abs(found - expected).max() <= 1e-8 * np.abs(expected).max()


@pytest.mark.parametrize("limit", [None, "1MB"])
@pytest.mark.parametrize("parameters", [{}, {"n_sweeps": 2, "class_weight": "balanced"}])
def test_classifier_is_that_of_all_rows(limit, parameters):
    model = ZORBClassifier("Dense[40] Tanh Dense[20] ReLU", random_state=0, **parameters)
    expected = model.fit(DIGITS, LABELS).predict_proba(DIGITS)
    model.set_params(memory_limit=limit).fit_chunks(lambda: chunks_of(DIGITS, LABELS))
    assert_same(model.predict_proba(DIGITS), expected)


def test_regressor_is_that_of_all_rows_and_copies():
    X, y, weights = DIGITS, LABELS + DIGITS[:, 20], np.arange(len(LABELS)) % 3
    model = ZORBRegressor("Dense[40] Tanh", random_state=0).fit(X, y, weights)
    expected = model.predict(X), model.predict_quantiles(X)
    model.fit_chunks([*chunks_of(X, y, weights)])
    assert_same(model.predict(X), expected[0])
    assert_same(model.predict_quantiles(X), expected[1])


def test_frames_of_which_no_chunk_has_all_levels():
    frame = pd.DataFrame({"city": list("abcd") * 100, "size": np.arange(400.0)}).sort_values("city")
    frame.iloc[::9, 1] = np.nan
    y = (frame["city"] > "b").to_numpy()
    model = ZORBClassifier("Dense[10] Tanh", random_state=0).fit(frame, y)
    expected = model.predict_proba(frame)
    model.fit_chunks(lambda: chunks_of(frame, y, size=110))
    assert_same(model.predict_proba(frame), expected)


def test_memory_is_that_of_a_chunk_and_the_limit():
    n_chunks, shape = 20, (10_000, 20)

    def chunks():
        for seed in range(n_chunks):
            X = np.random.default_rng(seed).normal(size=shape)
            yield X, np.sin(X[:, 0]) > 0.5

    model = ZORBClassifier("Dense[50] Tanh", random_state=0, memory_limit="20MB")
    tracemalloc.start()
    model.fit_chunks(chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # hidden activations of all rows take 80 MB, the rows 32
    assert peak < 20e6
    assert model.loo_score_ > 0.9


def test_trees_learn_from_some_rows():
    layers = [Stack([[Identity()], [Trees(10)]])]
    y = DIGITS[:, 20] * DIGITS[:, 43] > 40
    model = ZORBClassifier(layers, random_state=0)
    model.fit_chunks(lambda: chunks_of(DIGITS[:600], y[:600]))
    assert model.score(DIGITS[600:], y[600:]) > 0.8


def test_chunks_have_to_come_again():
    model, seen = ZORBRegressor("Dense[5] Tanh"), []

    def shrinking():
        seen.append(0)
        return chunks_of(DIGITS[: -len(seen)], LABELS[: -len(seen)])

    with pytest.raises(TypeError, match="generator, which can be gone through once only"):
        model.fit_chunks(chunks_of(DIGITS, LABELS))
    with pytest.raises(ValueError, match="chunks have to be the same each time"):
        model.fit_chunks(shrinking)
    with pytest.raises(ValueError, match="block 4 of X, y and sample_weight has"):
        model.fit_chunks([*chunks_of(DIGITS[:-1], LABELS)])
    with pytest.raises(ValueError, match="X has no rows"):
        model.fit_chunks([])
