"""What a fit tells of its progress: lines, tasks of callbacks, the time left."""

import re

import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, Kernel, Stack, Trees, durations
from sklearn_zorb.layers.durations import TimeLeft, seconds_of, seconds_of_list

X, Y = load_iris(return_X_y=True)
BLOCKS = "Stack(Identity | Kernel[20] | Trees[3] | Trees[2, kind=boosting, cv=2])"


@pytest.mark.parametrize("alone", [True, False])
def test_each_block_has_a_line(capsys, alone, monkeypatch):
    # with and without a thread of its own for boosting
    monkeypatch.setattr("sklearn_zorb.linalg.threads._numbers", lambda: 1 if alone else 2)
    ZORBClassifier(BLOCKS, random_state=0, verbose=1).fit(X, Y)
    *blocks, last = capsys.readouterr().out.splitlines()
    pattern = r"stack_1: block (\d) of 4, ([\w ()]+)  [\d.]+ s, \d+ s left"
    found = dict(re.fullmatch(pattern, line).groups() for line in blocks)
    assert found == {
        "1": "Dense", "2": "Kernel (auto)", "3": "Trees (forest)", "4": "Trees (boosting)"
    }  # fmt: skip
    assert re.match(r"\[1/1\] stack_1  [\d.]+ s, 0 s left  loo error", last)


def test_silence_changes_nothing(capsys):
    loud = ZORBClassifier(BLOCKS, random_state=0, verbose=1).fit(X, Y).predict_proba(X)
    capsys.readouterr()
    silent = ZORBClassifier(BLOCKS, random_state=0).fit(X, Y).predict_proba(X)
    assert capsys.readouterr().out == "" and (loud == silent).all()


def test_layers_have_lines_with_the_time_left(capsys):
    ZORBRegressor("Dense[8] Tanh Dense[4, relaxation=0] Tanh", n_sweeps=2, verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    # a layer that stays as it is has none
    assert [line.split()[1] for line in lines[:2]] == ["dense_1", "readout"]
    assert all(re.search(r"\d s left", line) for line in lines)


class Recorder:
    """A callback that keeps the names of tasks and of those above them."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        self.begun.append(self._path(context))

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.ended.append(self._path(context))

    def _path(self, context):
        names = []
        while context is not None:
            names.insert(0, context.task_name)
            context = context.parent
        return tuple(names)


def test_callbacks_are_told_of_blocks():
    pytest.importorskip("sklearn.callback")
    recorder = Recorder()
    ZORBClassifier(BLOCKS, random_state=0).set_callbacks(recorder).fit(X, Y)
    stack = ("fit", "layer stack_1")
    assert recorder.begun[:2] == [("fit",), stack]
    assert sorted(recorder.begun[2:]) == [(*stack, f"block {i}") for i in range(1, 5)]
    assert recorder.ended[-2:] == [stack, ("fit",)]
    assert sorted(recorder.ended) == sorted(recorder.begun)


def test_the_bar_of_scikit_learn(capsys):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    ZORBClassifier(BLOCKS, random_state=0).set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert re.search("layer stack_1.*100%", capsys.readouterr().out)


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(durations, "perf_counter", lambda: now[0])
    return now


def test_time_left_follows_the_speed(clock):
    left = TimeLeft([10.0, 20.0, 30.0])
    clock[0] = 20.0
    # half as fast as was expected
    assert left.after(0, 20.0) == pytest.approx(100, rel=0.1)
    clock[0] = 60.0
    assert left.after(1, 40.0) == pytest.approx(60, rel=0.1)
    clock[0] = 125.0
    assert left.after(2, 65.0) == 0


def test_time_left_where_a_part_is_done_meanwhile(clock):
    left = TimeLeft([10.0, 100.0, 30.0], beside=[1])
    clock[0] = 10.0
    # the long one has run for ten seconds too
    assert left.after(0, 10.0) == pytest.approx(90, rel=0.01)
    clock[0] = 40.0
    assert left.after(2, 30.0) == pytest.approx(60, rel=0.01)


def test_expected_seconds_rise_as_work_does():
    def of(layer, n_rows=2000, width=20, n_outputs=2):
        return seconds_of(layer, (width,), n_rows, n_outputs)

    for layer in (Dense(10), Kernel(100), Trees(10), Trees(10, kind="boosting")):
        assert of(layer, n_rows=20_000) > of(layer) > 0
        assert of(layer, width=200) > of(layer, width=5)
    assert of(Kernel(1000)) > 10 * of(Kernel(100, reweight=0))
    assert of(Trees(100)) == pytest.approx(10 * of(Trees(10)))
    assert of(Trees(10, kind="boosting"), n_outputs=6) > 4 * of(Trees(10, kind="boosting"))
    blocks = [[Kernel(100), Dense(2)], [Trees(10, units=2)]]
    total = sum(seconds_of_list(block, (20,), 2000, 2) for block in blocks)
    stack = Stack([[Kernel(100)], [Trees(10, units=2)]], units=2)
    assert of(stack) == pytest.approx(total)
