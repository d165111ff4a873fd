"""Kinds of labels: what is predicted of them, and the score of rows left out."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, log_loss
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils.multiclass import type_of_target

from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.layers import Dense, Softmax, Tanh

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "strings", "multilabel"])
def test_shapes_and_consistency(kind):
    target = {
        "binary": (Y == 1).astype(int),
        "multiclass": Y,
        "strings": np.array(["a", "b", "c"])[Y],
        "multilabel": np.column_stack([Y == 0, Y > 0, X[:, 0] > 6]).astype(int),
    }[kind]
    model = ZORBClassifier("Dense[30] Tanh", random_state=0).fit(X, target)
    predicted, scores = model.predict(X), model.decision_function(X)
    probabilities = model.predict_proba(X)
    assert predicted.shape == target.shape and set(np.unique(predicted)) <= set(np.unique(target))
    assert model.score(X, target) > 0.9 and 0.85 < model.loo_score_ <= 1
    assert np.isfinite(probabilities).all() and (probabilities >= 0).all()
    if kind == "binary":
        assert scores.shape == (150,)
        np.testing.assert_array_equal(scores > 0, predicted == 1)
    elif kind == "multilabel":
        assert probabilities.shape == (150, 3)
        np.testing.assert_array_equal(scores > 0, predicted == 1)
        np.testing.assert_array_equal(probabilities > 0.5, predicted == 1)
    else:
        assert scores.shape == (150, 3)
        np.testing.assert_array_equal(model.classes_[scores.argmax(axis=1)], predicted)
    if kind != "multilabel":
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], predicted)


@pytest.mark.parametrize("tail", ["", "Dense Softmax", "Dense Sigmoid"])
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_every_read_out(tail, classes):
    y = Y % classes
    model = ZORBClassifier(f"Dense[20] Tanh {tail}", random_state=0).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert log_loss(y, probabilities) < 0.5 * log_loss(y, np.full_like(probabilities, 1 / classes))
    assert model.score(X, y) > 0.85


def test_softmax_read_out_widens_binary_targets():
    model = ZORBClassifier([Dense(6), Tanh(), Dense(), Softmax()], random_state=0).fit(X, Y == 1)
    assert model.n_outputs_ == 2
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X))


def test_sparse_labels_are_dense_labels():
    labels = np.column_stack([Y == 0, Y > 0]).astype(int)
    dense = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, labels)
    sparse = ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, sp.csr_matrix(labels))
    np.testing.assert_array_equal(sparse.predict(X), dense.predict(X))


@pytest.mark.parametrize("multilabel", [False, True])
def test_loo_score_is_the_weighted_accuracy_of_left_out_outputs(multilabel):
    rng = np.random.default_rng(0)
    rows = X[::2] + rng.normal(scale=0.5, size=X[::2].shape)
    y = (Y[::2, None] == [0, 1]).astype(int) if multilabel else (Y[::2] == 1).astype(int)
    weights = rng.integers(1, 4, size=len(rows))
    make = ZORBClassifier([], alpha=1.0, standardize=False)
    predicted = np.empty_like(y)
    for i in range(len(rows)):
        fewer = weights - (np.arange(len(rows)) == i)
        predicted[i] = make.fit(rows, y, fewer).predict(rows[i : i + 1])[0]
    expected = accuracy_score(y, predicted, sample_weight=weights)
    assert expected < 0.98
    assert make.fit(rows, y, weights).loo_score_ == pytest.approx(expected)


KINDS = [
    np.arange(12) % 3, np.arange(12) % 2 == 0, np.arange(12, dtype=np.uint8) % 5, np.arange(12),
    np.arange(40), np.arange(12) % 7, np.arange(12) % 2 + 0.0, np.arange(12) / 3,
    np.array(["a", "b"] * 6), np.eye(3, dtype=int)[np.arange(12) % 3],
]  # fmt: skip


@pytest.mark.parametrize("y", KINDS, ids=lambda y: f"{y.dtype}-{len(np.unique(y))}-{y.ndim}")
def test_kinds_of_labels_are_those_of_scikit_learn(y):
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        kind = type_of_target(y, input_name="y")
    model = ZORBClassifier("Dense[3] Tanh", random_state=0)
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        if kind == "continuous":
            with pytest.raises(ValueError, match="Unknown label type: continuous"):
                model.fit(np.arange(len(y))[:, None], y)
        else:
            model.fit(np.arange(len(y))[:, None], y)
            assert model.predict(np.zeros((1, 1))).dtype == y.dtype
    assert {str(w.message) for w in ours} == {str(w.message) for w in theirs}


def test_multiclass_multioutput_is_refused_and_wrapped():
    both = np.column_stack([Y, Y[::-1]])
    with pytest.raises(ValueError, match="MultiOutputClassifier"):
        ZORBClassifier().fit(X, both)
    assert MultiOutputClassifier(ZORBClassifier()).fit(X, both).predict(X).shape == (150, 2)


def test_one_class():
    with pytest.raises(ValueError, match="one class only, 9; .*at least 2"):
        ZORBClassifier().fit(X, np.full(150, 9))


def test_labels_without_a_common_order():
    for labels, types in (([None, "a"] * 3, "NoneType, str"), ([1, "a"] * 3, "int, str")):
        with pytest.raises(ValueError, match=f"y mixes labels of the types {types}"):
            ZORBClassifier("Dense[4] Tanh").fit(X[:6], np.array(labels, dtype=object))


@pytest.mark.parametrize("Estimator", [ZORBClassifier, NetworkClassifier])
def test_labels_after_classes_and_classes_after_labels(Estimator):
    labels = np.column_stack([Y == 0, Y == 1, Y < 2]).astype(int)
    for first, then in ((labels, Y), (Y, labels)):
        model = Estimator("Dense[2] Tanh").partial_fit(X, first, classes=[0, 1, 2])
        with pytest.raises(ValueError, match="y has shape .*the first call had"):
            model.partial_fit(X, then)
