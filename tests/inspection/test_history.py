"""Displays of histories."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier
from sklearn_zorb.inspection import ErrorReductionDisplay, HistoryDisplay
from sklearn_zorb.trainers import Backprop, TargetPropagation

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
X, y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def close():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.fixture(scope="module")
def model():
    rule = Backprop(max_epochs=7, early_stopping=True)
    return NetworkClassifier("Dense[4] Tanh", trainer=rule, random_state=0).fit(X, y)


def test_losses_by_default(model):
    display = HistoryDisplay.from_estimator(model, color="k")
    assert list(display.curves) == ["loss", "validation_loss"]
    values = [entry["loss"] for entry in model.history_]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), values)
    assert display.lines_[0].get_color() == "k"
    assert display.ax_.get_xlabel() == "epoch" and display.ax_.get_ylabel() == "loss"


def test_scores_against_time_on_given_axes(model):
    from matplotlib import pyplot

    ax = pyplot.subplots()[1]
    display = HistoryDisplay.from_estimator(
        model, ["score", "validation_score"], against="seconds", ax=ax
    )
    assert display.ax_ is ax and display.figure_ is ax.figure
    seconds = np.cumsum([entry["seconds"] for entry in model.history_])
    np.testing.assert_allclose(display.lines_[1].get_xdata(), seconds)


def test_error_reductions():
    rule = TargetPropagation(diagnostics=True, max_epochs=5)
    model = NetworkClassifier("Dense[4] Tanh Dense[4] Tanh", trainer=rule).fit(X, y)
    display = ErrorReductionDisplay.from_estimator(model)
    assert list(display.curves) == ["error_reduction", "local_reduction_1", "local_reduction_2"]
    assert display.ax_.get_ylabel() == "error reduction"


def test_a_fit_that_diverged_at_once_is_told_from_a_closed_form():
    rule = Backprop("sgd", learning_rate=1e30, batch_size=16)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 0"):
        model = NetworkRegressor("Dense[20] ReLU", trainer=rule, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="diverged in its first epoch.*Lower the learning rate"):
        HistoryDisplay.from_estimator(model)


def test_errors_say_what_to_pass(model):
    with pytest.raises(NotFittedError):
        HistoryDisplay.from_estimator(NetworkClassifier())
    with pytest.raises(ValueError, match="not trained epoch by epoch"):
        HistoryDisplay.from_estimator(ZORBClassifier("Dense[4] Tanh").fit(X, y))
    with pytest.raises(ValueError, match="nothing"):
        HistoryDisplay.from_estimator(model, ["nothing"])
    with pytest.raises(ValueError, match="against='hours'"):
        HistoryDisplay.from_estimator(model, against="hours")
    with pytest.raises(ValueError, match="no error reductions"):
        ErrorReductionDisplay.from_estimator(model)
