"""Ctrl-C at moments drawn by chance while a fitted model is fitted again."""

import copy
import signal
from functools import partial
from time import perf_counter

import numpy as np
from sklearn.base import clone, is_classifier

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    ZORBTransformer,
)
from sklearn_zorb.trainers import MLELM, Backprop

LISTS = ("Dense[8] Tanh Dense[6] ReLU", "Stack(Identity | Kernel[20] | Trees[3])", "fast")
RULES = (Backprop(max_epochs=2), MLELM())
MODELS = [
    *(kind(layers) for kind in (ZORBClassifier, ZORBRegressor) for layers in LISTS),
    ZORBTransformer(LISTS[0]),
    *(kind(LISTS[0], trainer=rule) for kind in (NetworkClassifier, NetworkRegressor)
      for rule in RULES),
]  # fmt: skip


def interrupted(call, seconds):
    """Make a call, and press Ctrl-C after so many seconds, unless it is through before."""
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except (KeyboardInterrupt, Exception):
        pass  # libraries make another error of it, now and then
    finally:
        signal.signal(signal.SIGALRM, handler)


def answers(model, X):
    """All that the model says of rows."""
    methods = [name for name in ("predict", "predict_proba", "transform") if hasattr(model, name)]
    return *(getattr(model, name)(X) for name in methods), sorted(vars(model))


def same(one, two):
    return all(map(np.array_equal, one, two))


def interrupted_refits(model, count, seed=0):
    """How many of `count` refits left the old model, the new one, or neither.

    They are of other columns and other targets.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    old, new = X[:, 0] * X[:, 1], 1e3 * X[:, 2]
    if is_classifier(model):
        old, new = np.where(old > 0, "a", "b"), np.digitize(new, [-500, 500])
    rows = {4: X, 3: 5 * X[:, :3] + 1}
    fitted = clone(model).set_params(random_state=0).fit(X, old)
    again = clone(fitted).fit(rows[3], new)  # compiles what the next one does not have to
    start = perf_counter()
    again.fit(rows[3], new)
    seconds = perf_counter() - start
    expected = {4: answers(fitted, X), 3: answers(again, rows[3])}
    found = {"old": 0, "new": 0, "neither": 0}
    for moment in rng.uniform(1e-6, seconds, size=count):
        model = copy.deepcopy(fitted)
        interrupted(partial(model.fit, rows[3], new), moment)
        width = model.n_features_in_
        whole = same(answers(model, rows[width]), expected[width])
        found[{4: "old", 3: "new"}[width] if whole else "neither"] += 1
    return found
