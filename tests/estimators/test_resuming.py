"""A fit that was interrupted says what was finished, and the next one goes on from there."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import Dense, Tanh, Trees

X, Y = load_digits(n_class=5, return_X_y=True)
SOLVED = []


class Counted(Dense):
    """Dense, which says when it is solved, and may be interrupted."""

    stop = None

    def solve(self, params, inputs, targets, context):
        if self.units == Counted.stop:
            raise KeyboardInterrupt
        SOLVED.append(self.units)
        return super().solve(params, inputs, targets, context)


@pytest.fixture(autouse=True)
def nothing_solved():
    SOLVED.clear()
    yield
    Counted.stop = None


def model(*units, **parameters):
    layers = [layer for n in units for layer in (Counted(n), Tanh())]
    return ZORBClassifier(layers, random_state=0, **parameters)


def interrupted(estimator, stop):
    Counted.stop = stop
    with pytest.raises(KeyboardInterrupt) as error:
        estimator.fit(X, Y)
    Counted.stop = None
    assert not hasattr(estimator, "model_")
    return error.value


@pytest.mark.parametrize("n_sweeps", [1, 2])
def test_layers_that_were_solved_are_not_solved_again(n_sweeps):
    expected = model(40, 30, 20, n_sweeps=n_sweeps).fit(X, Y)
    SOLVED.clear()
    estimator = model(40, 30, 20, n_sweeps=n_sweeps, warm_start=True)
    error = interrupted(estimator, 30)
    assert "1 of at most" in error.__notes__[0] and "'counted_1'" in error.__notes__[0]
    interrupted(estimator, 20)
    assert SOLVED == [40, 30]
    estimator.fit(X, Y)
    assert SOLVED[:3] == [40, 30, 20]
    assert [entry["layer"] for entry in estimator.history_] == [
        entry["layer"] for entry in expected.history_
    ]
    np.testing.assert_array_equal(estimator.predict_proba(X), expected.predict_proba(X))
    # a fit that has ended leaves nothing to go on from
    SOLVED.clear()
    estimator.set_params(n_sweeps=1).fit(X, Y)
    assert SOLVED == [40, 30, 20]


def test_without_warm_start_or_with_other_layers_all_are_solved():
    estimator = model(40, 30)
    assert "warm_start=True" in interrupted(estimator, 30).__notes__[1]
    estimator.fit(X, Y)
    assert SOLVED == [40, 40, 30]
    estimator = model(40, 30, warm_start=True)
    interrupted(estimator, 30)
    SOLVED.clear()
    estimator.set_params(alpha=1.0).fit(X, Y)
    assert SOLVED == [40, 30]


def test_layers_that_hand_on_left_out_outputs_are_solved_again():
    layers = [Counted(30), Tanh(), Trees(5, units=8), Counted(20), Tanh()]
    expected = ZORBClassifier(layers, random_state=0, readout="last").fit(X, Y)
    estimator = ZORBClassifier(layers, random_state=0, readout="last", warm_start=True)
    interrupted(estimator, 20)
    SOLVED.clear()
    estimator.fit(X, Y)
    assert SOLVED == [20]
    np.testing.assert_array_equal(estimator.predict_proba(X), expected.predict_proba(X))
