"""The linear discriminant of the outputs, against scikit-learn and plain refits."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import sklearn_zorb.discriminant as module
from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.calibration import PowerCalibration
from sklearn_zorb.discriminant import LinearDiscriminant
from sklearn_zorb.trainers import ZORB, Backprop


def data(n_rows=60, n_columns=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n_rows) % 3)
    return rng.normal(size=(n_rows, n_columns)) + np.eye(3)[codes][:, :n_columns], codes


def test_without_shrinkage_it_is_linear_discriminant_analysis(monkeypatch):
    monkeypatch.setattr(module, "SHRINKAGES", np.zeros(1))
    monkeypatch.setattr(module, "ONE_ROW", 0.0)
    outputs, codes = data()
    ours = LinearDiscriminant().fit(outputs, codes).probabilities(outputs)
    peer = LinearDiscriminantAnalysis().fit(outputs, codes)
    np.testing.assert_allclose(ours, peer.predict_proba(outputs), atol=1e-10)


def plain(outputs, codes, penalty, point):
    """Posterior at one point, by the formula."""
    classes = range(codes.max() + 1)
    means = np.array([outputs[codes == k].mean(axis=0) for k in classes])
    deviation = outputs - means[codes]
    covariance = deviation.T @ deviation + penalty * np.eye(outputs.shape[1])
    covariance /= len(codes)
    logs = [
        np.log(np.mean(codes == k))
        - (point - means[k]) @ np.linalg.solve(covariance, point - means[k]) / 2
        for k in classes
    ]
    return np.exp(logs) / np.exp(logs).sum()


def test_left_out_probabilities_are_those_of_refits():
    outputs, codes = data()
    fitted = LinearDiscriminant().fit(outputs, codes)
    means = np.array([outputs[codes == k].mean(axis=0) for k in range(3)])
    penalty = 1 + fitted.shrinkage * ((outputs - means[codes]) ** 2).sum() / outputs.shape[1]
    for i in range(0, 60, 7):
        others = np.arange(60) != i
        expected = plain(outputs[others], codes[others], penalty, outputs[i])
        np.testing.assert_allclose(fitted.left_out[i], expected, atol=1e-10)


def test_of_many_rows_some_judge_the_penalties_and_all_are_left_out(monkeypatch):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 600)
    outputs = np.eye(3)[codes] + rng.normal(scale=0.5, size=(600, 3))
    counts, compute = [], LinearDiscriminant._left_out

    def counting(self, axes, *tables):
        counts.append((len(axes), len(tables[0])))
        return compute(self, axes, *tables)

    monkeypatch.setattr(module, "JUDGED", 100)
    monkeypatch.setattr(LinearDiscriminant, "_left_out", counting)
    some = LinearDiscriminant().fit(outputs, codes)
    assert counts == [(len(module.SHRINKAGES), 100), (1, 600)]
    monkeypatch.undo()
    monkeypatch.setattr(module, "SHRINKAGES", np.array([some.shrinkage]))
    everything = LinearDiscriminant().fit(outputs, codes)
    np.testing.assert_allclose(some.left_out, everything.left_out)


def test_penalties_of_few_rows_are_tried_together_as_they_are_one_by_one(monkeypatch):
    outputs, codes = data(50)
    together = LinearDiscriminant().fit(outputs, codes)
    monkeypatch.setattr(module, "AT_ONCE", 60)
    alone = LinearDiscriminant().fit(outputs, codes)
    assert together.shrinkage == alone.shrinkage != module.SHRINKAGES[0]
    np.testing.assert_allclose(together.left_out, alone.left_out, atol=1e-12)


def test_a_weight_is_a_number_of_copies():
    outputs, codes = data(30)
    times = np.random.default_rng(1).integers(1, 4, size=30)
    weighted = LinearDiscriminant().fit(outputs, codes, times.astype(float))
    repeated = LinearDiscriminant().fit(np.repeat(outputs, times, axis=0), np.repeat(codes, times))
    assert weighted.shrinkage == repeated.shrinkage
    np.testing.assert_allclose(
        np.repeat(weighted.left_out, times, axis=0), repeated.left_out, atol=1e-10
    )
    np.testing.assert_allclose(
        weighted.probabilities(outputs), repeated.probabilities(outputs), atol=1e-10
    )


def test_single_members_and_outputs_that_are_all_the_same():
    outputs, codes = data(31)
    codes[:] = np.arange(31) % 2
    codes[0] = 2
    fitted = LinearDiscriminant().fit(outputs, codes)
    assert np.isfinite(fitted.left_out).all() and fitted.left_out[0, 2] == 0
    flat = LinearDiscriminant().fit(np.zeros((31, 3)), codes)
    np.testing.assert_allclose(flat.probabilities(np.zeros((1, 3))), [[15 / 31, 15 / 31, 1 / 31]])


def ordered(n_rows=400, seed=0):
    """Four classes in a row, the inner two of which least squares hides behind the others."""
    x = np.random.default_rng(seed).uniform(size=(n_rows, 1))
    return x, (4 * x[:, 0]).astype(int)


def test_the_classifier_finds_masked_classes():
    X, y = ordered()
    model = ZORBClassifier("Identity", random_state=0).fit(X, y)
    largest = model._outputs(X).argmax(axis=1)
    assert set(largest) == {0, 3}
    assert np.mean(model.predict(X) == y) > 0.95 > model.loo_score_ - 0.05
    assert np.array_equal(model.decision_function(X).argmax(axis=1), model.predict(X))
    assert np.array_equal(model.predict_proba(X).argmax(axis=1), model.predict(X))


def test_what_left_out_outputs_give_away_is_not_used():
    # without anything to learn, a left-out output is lower for the row's own class
    X = np.random.default_rng(0).normal(size=(300, 4))
    y = np.random.default_rng(1).integers(3, size=300)
    model = ZORBClassifier("Identity").fit(X, y)
    assert model.loo_score_ < 0.45
    shares = np.bincount(y) / 300
    assert np.abs(model.predict_proba(X) - shares).max() < 0.1


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
    chosen = 0
    for seed in range(10):
        X = np.random.default_rng(seed).normal(size=(n_rows, 4))
        model = ZORBClassifier(random_state=0).fit(X, np.arange(n_rows) % n_classes)
        chosen += model._discriminant is not None
    assert chosen <= 1


def test_classes_are_found_whatever_they_weigh():
    X, y = ordered()
    some = np.random.default_rng(1).uniform(0.1, 2.0, size=400)
    for weights, own in ((None, "balanced"), (None, {0: 1, 1: 3, 2: 2, 3: 0.5}), (some, None)):
        model = ZORBClassifier("Identity", class_weight=own).fit(X, y, sample_weight=weights)
        assert np.mean(model.predict(X) == y) > 0.9
        assert model.loo_score_ == pytest.approx(np.mean(model.predict(X) == y), abs=0.06)


def test_two_classes_hide_nothing_and_batches_keep_their_outputs():
    X, y = ordered()
    assert ZORBClassifier("Identity").fit(X, y > 1)._discriminant is None
    batches = ZORBClassifier("Identity").partial_fit(X, y, classes=range(4))
    assert batches._discriminant is None


def test_a_network_solved_in_closed_form_has_it_too():
    X, y = ordered()
    model = NetworkClassifier("Identity", trainer=ZORB(), random_state=0).fit(X, y)
    assert model._discriminant is not None
    assert np.array_equal(model.decision_function(X).argmax(axis=1), model.predict(X))
    model.set_params(trainer=Backprop(max_epochs=2)).fit(X, y)
    assert model._discriminant is None


def test_losses_of_the_calibration():
    outputs, codes = data(20)
    calibration = PowerCalibration().fit(outputs, codes)
    shares = calibration.probabilities(outputs)[np.arange(20), codes]
    np.testing.assert_allclose(calibration.losses(outputs, codes), -np.log(shares))
