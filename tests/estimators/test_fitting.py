"""A fit that fails or is interrupted leaves an estimator as it was."""

import copy
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from sklearn_zorb import NetworkClassifier, NetworkRegressor, ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import Dense, Skip, Stack, Standardize, Tanh, Trees
from sklearn_zorb.trainers import ZORB, Backprop

pd = pytest.importorskip("pandas")
X, Y = load_iris(return_X_y=True, as_frame=True)
OTHER = X[X.columns[:3]].rename(columns=lambda name: f"other {name}") * 7 + 1
LABELS = np.array(["a", "b", "c"])[Y]
REACHED = range(1, 11)


class Interrupted(Tanh):
    """Ctrl-C at a call of one of its methods: the next that is counted down to."""

    left = None


def counted(name):
    def method(self, *args, **options):
        if Interrupted.left is not None:
            Interrupted.left -= 1
            if Interrupted.left == 0:
                raise KeyboardInterrupt
        return getattr(super(Interrupted, self), name)(*args, **options)

    return method


for method in ("forward", "learn_inverse", "invert", "solve"):
    if hasattr(Tanh, method):
        setattr(Interrupted, method, counted(method))


def interrupted(fit, k):
    """Whether the k-th call to the layer came, and the fit ended there."""
    Interrupted.left = k
    try:
        fit()
    except KeyboardInterrupt:
        return True
    finally:
        Interrupted.left = None
    return False


def fitted(model):
    """What a user sees of a fitted model."""
    names = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    # what these hold shows in the predictions
    shown = set(names) - {"params_", "layers_", "model_", "sums_"}
    seen = sorted(names), {name: repr(getattr(model, name)) for name in shown}
    methods = [name for name in ("predict", "predict_proba") if hasattr(model, name)]
    return seen, [getattr(model, name)(X).tolist() for name in methods]


LISTS = {
    "plain": [Dense(8), Interrupted(), Dense(6), Interrupted()],
    "last": [Dense(8), Interrupted(), Dense()],
    "skip": [Skip([Dense(4), Interrupted()]), Dense(5), Interrupted()],
    "stack": [Stack([[Standardize(clip=3.0)], [Dense(8), Interrupted()], [Trees(3)]])],
}


def interruptions(model, rows, targets):
    """At how many calls a fit was interrupted: after each the model is as it was."""
    before = fitted(model)
    for k in REACHED:
        if not interrupted(lambda: model.fit(rows, targets), k):
            return k - 1
        assert fitted(model) == before, f"interrupted at call {k}"
    return len(REACHED)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("n_sweeps", [1, 3])
@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor])
def test_an_interrupted_refit_leaves_the_model_as_it_was(Estimator, n_sweeps, name):
    old, new = (LABELS, (Y > 0).to_numpy()) if Estimator is ZORBClassifier else (Y, -1e6 * Y)
    model = Estimator(LISTS[name], n_sweeps=n_sweeps, random_state=0).fit(X, old)
    assert interruptions(model, OTHER, new) > 0


@pytest.mark.quick(2)
@pytest.mark.parametrize("rule", [ZORB(), Backprop(max_epochs=2)], ids=repr)
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("Estimator", [NetworkClassifier, NetworkRegressor])
def test_an_interrupted_refit_of_a_network(Estimator, warm_start, rule):
    old, new = (LABELS, (Y > 0).to_numpy()) if Estimator is NetworkClassifier else (Y, -1e6 * Y)
    model = Estimator(LISTS["plain"], trainer=rule, random_state=0).fit(X, old)
    model.set_params(warm_start=warm_start and not isinstance(rule, ZORB))
    interruptions(model, *((X, old) if warm_start else (OTHER, new)))


@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor, NetworkClassifier])
def test_an_interrupted_batch_is_as_if_it_had_not_come(Estimator):
    options = {} if Estimator is ZORBRegressor else {"classes": ["a", "b", "c"]}
    targets = Y if Estimator is ZORBRegressor else LABELS
    model = Estimator(LISTS["plain"], random_state=0)
    model.partial_fit(X[::2], targets[::2], **options)
    before, twin, count = fitted(model), copy.deepcopy(model), 0
    for k in REACHED:
        trial = copy.deepcopy(model)
        if interrupted(lambda trial=trial: trial.partial_fit(X[1::2], targets[1::2]), k):
            count += 1
            assert fitted(trial) == before, f"interrupted at call {k}"
            trial.partial_fit(X[1::2], targets[1::2])
            expected = copy.deepcopy(twin).partial_fit(X[1::2], targets[1::2])
            np.testing.assert_array_equal(trial.predict(X), expected.predict(X))
    assert count > 0


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("Estimator", [ZORBClassifier, ZORBRegressor, NetworkClassifier])
def test_an_interrupted_first_fit_leaves_the_model_unfitted(Estimator, method):
    options = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    options = {} if Estimator is ZORBRegressor else options
    for k in (1, 2, 3):
        model = Estimator(LISTS["plain"], random_state=0)
        if interrupted(lambda model=model: getattr(model, method)(X, Y, **options), k):
            assert not any(name[0] != "_" and name[-1] == "_" for name in vars(model))
            with pytest.raises(NotFittedError):
                model.predict(X)


@pytest.mark.parametrize("Estimator", [ZORBClassifier, NetworkClassifier])
def test_a_refused_fit_leaves_the_model_as_it_was(Estimator):
    model = Estimator("Dense[8] Tanh", random_state=0)
    model.partial_fit(X, LABELS, classes=["a", "b", "c"])
    before, gap = fitted(model), OTHER.mask(OTHER > 9, np.inf)
    for rows, targets in ((OTHER, np.ones(150)), (gap, LABELS), (OTHER, LABELS[:5])):
        with pytest.raises(ValueError):
            model.fit(rows, targets)
        assert fitted(model) == before
    with pytest.raises(ValueError):
        model.fit(OTHER, LABELS, sample_weight=-np.ones(150))
    for rows, targets in ((X, np.full(150, "unheard of")), (OTHER, LABELS), (X, LABELS[:5])):
        with pytest.raises(ValueError):
            model.partial_fit(rows, targets)
        assert fitted(model) == before
    with pytest.raises(ValueError):
        model.partial_fit(X, LABELS, classes=["a", "b"])
    # of parameters that are wrong nothing is learned
    for params in ({"layers": "Dense[0]"}, {"layers": "Conv2D[2] Flatten"}, {"dtype": "int8"}):
        model.set_params(**params)
        with pytest.raises(ValueError):
            model.fit(OTHER, Y)
        model.set_params(layers="Dense[8] Tanh", dtype="float64")
        assert fitted(model)[1] == before[1]


def test_overflow_while_layers_are_solved_is_refused():
    model = ZORBRegressor("Identity", alpha=0, standardize=False, dtype="float32")
    with warnings.catch_warnings(), pytest.raises(ValueError, match="numbers overflow .* X holds"):
        warnings.simplefilter("error", RuntimeWarning)
        model.fit(1e-30 * X, 1e10 * Y)  # the weights are 1e40
