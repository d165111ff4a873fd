"""NetworkClassifier and NetworkRegressor as scikit-learn citizens."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_multilabel_classification,
)

from sklearn_zorb import NetworkClassifier, NetworkRegressor, parse_layers
from sklearn_zorb.trainers import (
    Backprop,
    DirectFeedbackAlignment,
    Evolution,
    RandomBases,
    TargetPropagation,
)

X, Y = load_iris(return_X_y=True)


def test_the_users_trainer_and_layers_are_not_changed():
    rule, layers = Backprop(max_epochs=3), parse_layers("Dense[4] Tanh Dense Softmax")
    before = repr(rule), repr(layers)
    NetworkClassifier(layers, trainer=rule).fit(X, Y)
    assert (repr(rule), repr(layers)) == before


@pytest.mark.quick(1)
@pytest.mark.parametrize("layers", ["Dense[8] Tanh", "Dense[8] Tanh Dense Sigmoid"])
def test_multilabel(layers):
    X, y = make_multilabel_classification(200, n_classes=4, random_state=0)
    model = NetworkClassifier(layers, random_state=0).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (200, 4)
    np.testing.assert_array_equal(model.predict(X), proba > 0.5)
    assert (model.predict(X) == y).mean() > 0.9


@pytest.mark.quick(1)
@pytest.mark.parametrize("tail", ["", "Dense Sigmoid", "Dense Softmax"])
def test_probabilities_are_those_of_the_logits(tail):
    # rows far out, whose probabilities are close to 0 and 1
    X, y = 40 * np.repeat(np.eye(3), 2, axis=0), np.repeat([0, 1, 2], 2)
    model = NetworkClassifier("Identity " + tail, random_state=0, standardize=False).fit(X, y)
    readout = [params for params in model.params_ if "weights" in params][0]
    logits = X @ readout["weights"] + readout["intercept"]
    expected = expit(logits) if "Sigmoid" in tail else softmax(logits, axis=1)
    expected = np.maximum(expected, np.finfo(float).tiny)
    expected /= expected.sum(axis=1, keepdims=True)
    proba = model.predict_proba(X)
    assert proba.min() < 5e-6
    np.testing.assert_allclose(proba, expected, rtol=1e-6)


@pytest.mark.slow
def test_multi_output_regression_and_range_of_a_final_sigmoid():
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor("Dense[8] Tanh", random_state=0).fit(X, np.c_[y, -y])
    assert model.predict(X).shape == (442, 2)
    assert model.score(X, np.c_[y, -y]) > 0.5
    bounded = NetworkRegressor("Dense[8] Tanh Dense Sigmoid", random_state=0).fit(X, y)
    assert bounded.score(X, y) > 0.5
    assert bounded.predict(10 * X).max() <= y.max() * 1.001


def test_sparse_rows_give_what_dense_rows_give():
    positive = np.where(X > 2, X, 0)
    rule = Backprop(max_epochs=20)
    dense = NetworkClassifier(trainer=rule, standardize=False, random_state=0).fit(positive, Y)
    rows = sp.csr_matrix(positive)
    sparse = NetworkClassifier(trainer=rule, standardize=False, random_state=0).fit(rows, Y)
    np.testing.assert_allclose(sparse.predict_proba(rows), dense.predict_proba(positive))


def test_double_up_to_1000_rows_single_above():
    X, y = np.random.default_rng(0).normal(size=(1200, 3)), np.arange(1200) % 2
    rule = Backprop(max_epochs=1)
    small = NetworkClassifier("Dense[2] Tanh", trainer=rule).fit(X[:1000], y[:1000])
    large = NetworkClassifier("Dense[2] Tanh", trainer=rule).fit(X, y)
    assert small.params_[1]["weights"].dtype == np.float64
    assert large.params_[1]["weights"].dtype == np.float32


def test_warm_start_goes_on_where_it_stopped():
    whole = NetworkClassifier(trainer=Backprop(max_epochs=20, tol=None), random_state=0).fit(X, Y)
    parts = NetworkClassifier(
        trainer=Backprop(max_epochs=10, tol=None), warm_start=True, random_state=0
    )
    parts.fit(X, Y).fit(X, Y)
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X), rtol=1e-6)
    fresh = clone(parts).fit(X, Y)
    assert not np.allclose(fresh.predict_proba(X), whole.predict_proba(X), rtol=1e-2)


def test_warm_start_takes_no_other_classes():
    model = NetworkClassifier("Dense[8] Tanh", trainer=Backprop(max_epochs=2), warm_start=True)
    model.fit(X, Y)
    with pytest.raises(ValueError, match=r"classes \[0, 1, 2\], and y holds \[3, 4, 5\]"):
        model.fit(X, Y + 3)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.set_params(warm_start=False).fit(X, Y + 3).classes_.tolist() == [3, 4, 5]


@pytest.mark.quick(1)
@pytest.mark.parametrize("rows", [150, 1200])
@pytest.mark.parametrize(
    "trainer",
    [
        Backprop(max_epochs=20),
        DirectFeedbackAlignment(max_epochs=20),
        TargetPropagation("difference", max_epochs=20),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_warm_start_goes_on_in_another_precision(trainer, rows):
    model = NetworkClassifier("Dense[8] Tanh", trainer=trainer, warm_start=True, random_state=0)
    before = model.fit(X, Y).history_[-1]["loss"]
    if rows == 150:
        model.set_params(dtype="float32")
    model.fit(np.tile(X, (rows // 150, 1)), np.tile(Y, rows // 150))
    assert model.params_[1]["weights"].dtype == np.float32
    assert model.history_[0]["loss"] == pytest.approx(before, rel=0.2)
    model.set_params(dtype="float64").fit(X, Y)
    assert model.params_[1]["weights"].dtype == np.float64
    assert model.history_[-1]["loss"] < before


RULES = [
    Backprop(max_epochs=2),
    Backprop("sgd", optimizer_params={"momentum": 0.9}, max_epochs=2),
    DirectFeedbackAlignment(max_epochs=2),
    TargetPropagation("difference", max_epochs=2),
    TargetPropagation(update="solve", max_epochs=2),
    RandomBases(kind="gradients", max_epochs=2),
    RandomBases(kind="gradients", n_directions=5, max_epochs=2),
]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2, 3])
def test_another_rule_goes_on_from_the_params(step):
    """From each rule to three others, and back in a batch."""
    for i, before in enumerate(RULES):
        model = NetworkClassifier("Dense[8] Tanh", trainer=before, random_state=0)
        loss = model.fit(X, Y).history_[-1]["loss"]
        model.set_params(trainer=RULES[(i + step) % len(RULES)], warm_start=True).fit(X, Y)
        # the first entry is that of the params that were there
        assert model.history_[0]["loss"] < loss + 0.1
        model.set_params(trainer=before).partial_fit(X, Y)
        assert np.isfinite(model.predict_proba(X)).all()


def test_population_search_goes_on_after_a_gradient():
    pytest.importorskip("evosax")
    model = NetworkClassifier("Dense[8] Tanh", warm_start=True, random_state=0).fit(X, Y)
    for trainer in (Evolution(max_epochs=2), Backprop(max_epochs=2)):
        assert model.set_params(trainer=trainer).fit(X, Y).score(X, Y) > 0.9


def test_verbose_prints_loss_and_time_left(capsys):
    NetworkClassifier(trainer=Backprop(max_epochs=2), verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "loss" in lines[0] and "left" in lines[0]


@pytest.mark.parametrize("schedule", ["cosine", lambda share: 1.0 - share])
def test_a_warm_start_is_a_training_with_a_schedule_of_its_own(schedule):
    rule = Backprop("sgd", learning_rate=0.1, schedule=schedule, max_epochs=4, tol=None)
    model = NetworkClassifier("Dense[8] Tanh", trainer=rule, warm_start=True, random_state=0)
    losses = [entry["loss"] for _ in range(3) for entry in model.fit(X, Y).history_]
    assert (np.diff(losses) < 0).all()


def test_partial_fit_has_no_end_that_a_schedule_could_reach():
    rule = Backprop("sgd", learning_rate=0.1, schedule="cosine", max_epochs=4)
    model = NetworkClassifier("Dense[8] Tanh", trainer=rule, random_state=0)
    for _ in range(8):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert (np.diff([entry["loss"] for entry in model.history_]) < 0).all()


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="trainer"):
        NetworkClassifier(trainer="adam").fit(X, Y)
    with pytest.raises(ValueError, match="learning_rate"):
        NetworkClassifier(trainer=Backprop(learning_rate=-1)).fit(X, Y)


def test_partial_fit_epoch_by_epoch_is_fit():
    rule = Backprop(max_epochs=30, tol=None, learning_rate=0.01)
    whole = NetworkClassifier("Dense[8] Tanh", trainer=rule, random_state=0).fit(X, Y)
    parts = NetworkClassifier("Dense[8] Tanh", trainer=rule, random_state=0)
    for _ in range(30):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X), rtol=1e-6)
    assert [entry["epoch"] for entry in parts.history_] == list(range(30))
    assert rule.max_epochs == 30


def test_partial_fit_of_one_class_at_a_time():
    model = NetworkClassifier("Dense[16] Tanh", random_state=0)
    model.partial_fit(X, Y, classes=[0, 1, 2])
    for _ in range(30):
        for label in range(3):
            model.partial_fit(X[label == Y], Y[label == Y])
    assert model.score(X, Y) > 0.8


def test_partial_fit_keeps_the_scale_of_the_targets():
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor("Dense[16] Tanh", trainer=Backprop(batch_size=64), random_state=0)
    for _ in range(30):
        for part in (slice(0, 200), slice(200, None)):
            model.partial_fit(X[part], y[part])
    assert model.score(X, y) > 0.4


def test_rules_in_closed_form_have_no_partial_fit():
    from sklearn_zorb.trainers import ZORB

    assert hasattr(NetworkClassifier(), "partial_fit")
    assert not hasattr(NetworkClassifier(trainer=ZORB()), "partial_fit")


@pytest.mark.quick(1)
@pytest.mark.parametrize("tail", ["", "Dense Sigmoid", "Dense Softmax"])
def test_final_activations_give_the_same_probabilities_that_were_trained(tail):
    X, y = load_breast_cancer(return_X_y=True)
    model = NetworkClassifier("Dense[8] Tanh " + tail, random_state=0).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    loss = -np.log(proba[np.arange(len(y)), y]).mean()
    # the last entry is the loss before the last of many small steps
    assert loss == pytest.approx(model.history_[-1]["loss"], rel=0.05)
    assert ((model.decision_function(X) > 0) == model.predict(X)).all()
