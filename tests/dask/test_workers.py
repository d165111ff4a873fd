"""Sums over rows on workers: what travels, and workers that die."""

import operator
import os
import signal
import threading

import numpy as np
import pytest

from sklearn_zorb.rows import Rows
from sklearn_zorb.rows.remote import View, kept, mean, total

# the folder of this file has the name of the package
distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

from sklearn_zorb.dask import DaskZORBRegressor  # noqa: E402
from sklearn_zorb.dask.workers import Workers  # noqa: E402

SIZES = [3, 1, 5, 2, 4, 6]
ROWS = np.random.default_rng(0).normal(size=(sum(SIZES), 2))


@pytest.fixture(scope="module")
def rows():
    options = {"processes": False, "dashboard_address": ":0", "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        parts = [
            client.submit(np.array, block, pure=False)
            for block in np.split(ROWS, np.cumsum(SIZES)[:-1])
        ]
        yield Workers(client, SIZES).table(parts, ROWS[:1])


def test_sums_of_all_blocks(rows):
    found = total(lambda rows: (rows**2).sum(axis=0), operator.add, rows)
    np.testing.assert_allclose(found, (ROWS**2).sum(axis=0))
    weights = View(lambda rows: np.abs(rows[:, 0]), rows)
    expected = np.average(ROWS[:, 1], weights=np.abs(ROWS[:, 0]))
    assert mean(lambda rows: rows[:, 1], weights, rows) == pytest.approx(expected)


def test_rows_are_read_by_their_places(rows):
    for part in (slice(2, 15, 3), np.array([20, 0, 4, 3]), ROWS[:, 0] > 0, slice(None)):
        np.testing.assert_array_equal(rows[part], ROWS[part])


def test_a_table_that_is_kept_is_made_once(rows):
    table = kept(View(lambda rows: rows + np.random.default_rng().normal(size=rows.shape), rows))
    np.testing.assert_array_equal(table[:], table[:])
    doubled = kept(View(lambda rows: 2 * rows, rows))
    np.testing.assert_array_equal(Rows(doubled)[:], 2 * ROWS)


def test_no_more_is_brought_together_than_there_is_room_for(rows, monkeypatch):
    monkeypatch.setattr("sklearn_zorb.rows.remote.GATHERED_BYTES", 100)
    with pytest.raises(ValueError, match="needs 21 rows at once"):
        rows[:]


def test_the_error_of_a_block_is_raised(rows):
    def refuse(rows):
        raise ValueError("no such rows")

    with pytest.raises(ValueError, match="no such rows"):
        total(refuse, operator.add, rows)
    with pytest.raises(ValueError, match="no such rows"):
        kept(View(lambda rows: rows if len(rows) == 1 else refuse(rows), rows))


@pytest.mark.slow
def test_a_worker_that_dies_changes_nothing():
    X = da.from_array(np.tile(ROWS, (100, 1)), chunks=(300, -1))
    y = da.sin(X[:, 0])
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        X, y = client.persist([X, y])
        distributed.wait([X, y])
        model = DaskZORBRegressor("Dense[20] Tanh " * 3, random_state=0)
        expected = model.fit(X, y).predict(ROWS)
        worker = min(client.run(os.getpid).values())
        threading.Timer(0.3, os.kill, (worker, signal.SIGKILL)).start()
        found = model.fit(X, y).predict(ROWS)
    np.testing.assert_allclose(found, expected, rtol=1e-8)
