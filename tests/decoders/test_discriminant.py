"""The linear discriminant of the outputs, against plain refits by its formula."""

import numpy as np
import pytest
from left_out import best_calibration, calibrated, left_out_ridge
from sklearn.linear_model import Ridge

from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.decoders import Classes
from sklearn_zorb.trainers import ZORB, Backprop


def posterior(outputs, codes, weights, shrinkage, points, rho=None):
    """Posterior probabilities of normal classes with one covariance, and the penalty."""
    classes = range(codes.max() + 1)
    means = np.array([
        np.average(outputs[codes == k], axis=0, weights=weights[codes == k]) for k in classes
    ])  # fmt: skip
    deviation = outputs - means[codes]
    scatter = (deviation * weights[:, None]).T @ deviation
    rho = 1 + shrinkage * np.trace(scatter) / len(scatter) if rho is None else rho
    inverse = np.linalg.inv((scatter + rho * np.eye(len(scatter))) / weights.sum())
    logs = np.stack([
        np.log(weights[codes == k].sum())
        - np.einsum("ij,jk,ik->i", points - means[k], inverse, points - means[k]) / 2
        for k in classes
    ], axis=1)  # fmt: skip
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True), rho


def left_out_posterior(outputs, codes, weights, shrinkage):
    """Each row's probabilities by a discriminant that lacks one copy of it."""
    _, rho = posterior(outputs, codes, weights, shrinkage, outputs)
    found = []
    for i in range(len(codes)):
        fewer = weights - (np.arange(len(codes)) == i)
        found.append(posterior(outputs, codes, fewer, None, outputs[i : i + 1], rho)[0][0])
    return np.array(found)


def ordered(n_rows=400, seed=0):
    """Four classes in a row, the inner two of which least squares hides behind the others."""
    x = np.random.default_rng(seed).uniform(size=(n_rows, 1))
    return x, (4 * x[:, 0]).astype(int)


@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_are_those_of_the_formula(weighted):
    X, y = ordered(90)
    weights = np.random.default_rng(1).integers(1, 4, size=90) if weighted else np.ones(90)
    model = ZORBClassifier([], alpha=1.0, standardize=False, readout="last")
    model.fit(X, y, sample_weight=weights if weighted else None)
    Y = np.eye(4)[y]
    known = left_out_ridge(X, Y, 1.0, weights.astype(float))
    candidates = [left_out_posterior(known, y, weights, s) for s in (0.01, 0.1, 0.3)]
    losses = [-weights @ np.log(shares[np.arange(90), y]) for shares in candidates]
    left_out, best = candidates[np.argmin(losses)], (0.01, 0.1, 0.3)[np.argmin(losses)]
    assert model.loo_score_ == pytest.approx(
        np.average(left_out.argmax(axis=1) == y, weights=weights)
    )
    outputs = Ridge(1.0).fit(X, Y, sample_weight=weights).predict(X)
    expected, _ = posterior(known, y, weights, best, outputs)
    np.testing.assert_allclose(model.decision_function(X), expected, atol=1e-8)
    pair = best_calibration(left_out, y, weights)
    np.testing.assert_allclose(model.predict_proba(X), calibrated(expected, *pair), atol=1e-8)


def test_the_classifier_finds_masked_classes():
    X, y = ordered()
    model = ZORBClassifier("Identity", random_state=0).fit(X, y)
    assert set(Ridge(1.0).fit(X, np.eye(4)[y]).predict(X).argmax(axis=1)) == {0, 3}
    assert np.mean(model.predict(X) == y) > 0.95 > model.loo_score_ - 0.05
    assert np.array_equal(model.decision_function(X).argmax(axis=1), model.predict(X))
    assert np.array_equal(model.predict_proba(X).argmax(axis=1), model.predict(X))


def test_many_rows_are_judged_as_few():
    X, y = ordered(30_000)
    model = ZORBClassifier("Identity", random_state=0).fit(X, y)
    assert np.mean(model.predict(X) == y) > 0.95
    assert model.loo_score_ == pytest.approx(np.mean(model.predict(X) == y), abs=0.01)


def test_what_left_out_outputs_give_away_is_not_used():
    # without anything to learn, a left-out output is lower for the row's own class
    X = np.random.default_rng(0).normal(size=(300, 4))
    y = np.random.default_rng(1).integers(3, size=300)
    model = ZORBClassifier("Identity").fit(X, y)
    assert model.loo_score_ < 0.45
    assert np.abs(model.predict_proba(X) - np.bincount(y) / 300).max() < 0.1


@pytest.mark.parametrize("seed", [1, 28])
def test_classes_are_not_read_backwards(seed):
    # few rows of classes that differ little: outputs of left-out rows are worse than nothing
    rng, y = np.random.default_rng(seed), np.arange(3030) % 3
    means = 0.5 * rng.normal(size=(3, 4))
    X = np.vstack([rng.normal(size=(30, 4)), rng.normal(size=(3000, 4))]) + means[y]
    model = ZORBClassifier(random_state=0).fit(X[:30], y[:30])
    assert model.score(X[30:], y[30:]) > 0.36


@pytest.mark.parametrize("n_rows, n_classes", [(24, 6), (40, 4), (60, 3)])
def test_noise_is_left_to_the_outputs(n_rows, n_classes):
    """Outputs are linear in the rows; posteriors are not."""
    bent = 0
    for seed in range(10):
        X = np.random.default_rng(seed).normal(size=(n_rows, 4))
        model = ZORBClassifier("Identity").fit(X, np.arange(n_rows) % n_classes)
        line = model.decision_function(np.linspace(-1, 1, 5)[:, None] * np.ones(4))
        bent += np.abs(np.diff(line, n=2, axis=0)).max() > 1e-8
    assert bent <= 1


def test_classes_are_found_whatever_they_weigh():
    X, y = ordered()
    some = np.random.default_rng(1).uniform(0.1, 2.0, size=400)
    for weights, class_weight in (
        (None, "balanced"),
        (None, {0: 1, 1: 3, 2: 2, 3: 0.5}),
        (some, None),
    ):
        model = ZORBClassifier("Identity", class_weight=class_weight).fit(
            X, y, sample_weight=weights
        )
        assert np.mean(model.predict(X) == y) > 0.9
        assert model.loo_score_ == pytest.approx(np.mean(model.predict(X) == y), abs=0.06)


def test_single_members_and_outputs_that_are_all_the_same():
    rng = np.random.default_rng(0)
    codes = np.arange(31) % 2
    codes[0] = 2
    for X in (rng.normal(size=(31, 3)) + np.eye(3)[codes], np.zeros((31, 3))):
        shares = ZORBClassifier("Identity").fit(X, codes).predict_proba(X)
        assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares, [[15 / 31, 15 / 31, 1 / 31]] * 31, atol=0.02)


def test_where_outputs_name_all_rows_rightly_nothing_is_hidden():
    # of few rows, scores far apart would make a discriminant sure of all
    rng, y = np.random.default_rng(0), np.arange(60) % 3
    outputs = 0.4 * np.eye(3)[y] + 0.2 + 0.02 * rng.normal(size=(60, 3))
    decoder = Classes(np.arange(3)).learn(outputs, y, None)
    assert decoder.score == 1
    assert decoder.discriminant is None


def test_two_classes_hide_nothing_and_batches_keep_their_outputs():
    """Outputs are linear in the rows; posteriors are not."""
    X, y = ordered()
    line = np.linspace(0, 1, 5)[:, None]
    two = ZORBClassifier("Identity").fit(X, y > 1).decision_function(line)
    batches = ZORBClassifier("Identity").partial_fit(X, y, classes=range(4))
    for scores in (two, batches.decision_function(line)):
        np.testing.assert_allclose(np.diff(scores, n=2, axis=0), 0, atol=1e-10)


def test_a_network_solved_in_closed_form_has_it_too():
    X, y = ordered()
    model = NetworkClassifier("Identity", trainer=ZORB(), random_state=0).fit(X, y)
    assert np.mean(model.predict(X) == y) > 0.95
    assert np.array_equal(model.decision_function(X).argmax(axis=1), model.predict(X))
    # of a network trained otherwise, scores are its logits
    model.set_params(trainer=Backprop(max_epochs=2)).fit(X, y)
    line = model.decision_function(np.linspace(0, 1, 5)[:, None])
    np.testing.assert_allclose(np.diff(line, n=2, axis=0), 0, atol=1e-5)
