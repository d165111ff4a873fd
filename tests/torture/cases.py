"""One drawn case: an estimator, a table, and what came of fitting and predicting."""

import sys
import traceback
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import (
    Dense,
    EstimatorLayer,
    NormalScores,
    Parallel,
    Skip,
    Stack,
    Standardize,
    Tanh,
)

from . import tables

FLAT = (
    "Identity", "Dense[6] Tanh", "Dense[5] ReLU Dense[4] Sigmoid", "Dense[4] LeakyReLU",
    "Dense[4] Cos", "Dense[4] Sign", "Dense[4] Step", "Dense[6] Softmax", "Dense[4] BatchNorm Tanh",
    "Dense[4] Dropout", "GaussianNoise Dense[4]", "PiecewiseLinear", "Dense[3] PiecewiseLinear",
    "NormalScores Dense[4] Tanh", "Standardize[clip=3] Dense[4] ReLU", "BatchNorm Dense[3]",
    "Kernel[20]", "Kernel[5]", "Kernel[8] Dense[3] Tanh", "Trees[3]", "Trees[3, kind=extra]",
    "Trees[2, kind=boosting]", "Dense[4] Tanh Trees[3]", "Trees[2] Dense[3] Tanh",
    "Skip(Dense[3] Tanh)", "Parallel(Dense[3] Tanh | Trees[2])", "Parallel(Dense[2] | Identity)",
    "Stack(Dense[3] Tanh | Trees[3])", "Stack(Identity | Kernel[10])", "Stack(Kernel[6])",
    "Dense[4] Tanh Stack(Identity | Trees[2])", "Dense[2] Dense", "Dense[4] Tanh Dense Softmax",
    "Dense[3, relaxation=1] Tanh Dense[3, alpha=0] Tanh", "ReLU", "Tanh", "Softmax", "Cos",
)  # fmt: skip
IMAGES = (
    "Conv2D[2, 1] ReLU Flatten Dense[3]", "MaxPool2D[1] Flatten", "Conv2D[2, 1] AvgPool2D[1]",
    "Conv2D[2, 1] BatchNorm Tanh Flatten", "Flatten Trees[2]", "Conv2D[3, 1] Cos",
)  # fmt: skip
OTHERS = (
    lambda: [EstimatorLayer(Ridge()), Dense(3)],
    lambda: [EstimatorLayer(GaussianNB())],
    lambda: [Stack([[EstimatorLayer(LogisticRegression())], [Dense(3), Tanh()]])],
    lambda: [EstimatorLayer(KNeighborsClassifier(1))],
    lambda: [EstimatorLayer(DecisionTreeRegressor(), cv=2)],
    lambda: [EstimatorLayer(PCA(1), units=1), Dense(3)],
    lambda: [EstimatorLayer(StandardScaler()), Dense(3), Tanh()],
    lambda: [Standardize(with_mean=False), Skip([Dense(2), Tanh()])],
    lambda: [NormalScores(0), Parallel([[Dense(2)], [NormalScores()]])],
)
# functions that call methods of an estimator within an `EstimatorLayer`
OF_OTHERS = {"fit_estimator", "_fit_transform", "_probed_width"}
SETTINGS = {
    "alpha": (0, 0.0, 1e-300, 1e-16, 1.0, 1e12, 1e300),
    "relaxation": (0, 1, 0.5),
    "readout": ("last",),
    "n_sweeps": (2, 3),
    "rcond": (0.0, 1e-3, 0.9),
    "backward_rcond": (0.0, 1e-6, 0.9),
    "standardize": (False,),
    "dtype": ("float32", "float32"),
    "memory_limit": (1, 20_000),
}


class Case:
    """Everything that is drawn for one number of one seed."""

    def __init__(self, seed, number, auto=0.03, backends=("numpy",)):
        rng = np.random.default_rng([seed, number])
        shape = tables.draw_shape(rng)
        self.classifies = bool(rng.random() < 0.5)
        self.rows_name, self.X = tables.draw_rows(rng, *shape)
        draw = tables.draw_labels if self.classifies else tables.draw_numbers
        self.y_name, self.y = draw(rng, self.X)
        self.weights_name, self.weights = tables.draw_weights(rng, len(self.X))
        self.container, self.contained = tables.draw_container(rng)
        self.layers, self.later = self._layers(rng, auto), tables.later_rows(rng, self.X)
        names = rng.choice(list(SETTINGS), size=rng.integers(0, 4), replace=False)
        self.settings = {
            str(name): SETTINGS[name][rng.integers(len(SETTINGS[name]))] for name in names
        }
        self.settings["backend"] = str(rng.choice(backends))
        if self.classifies and rng.random() < 0.1:
            self.settings["class_weight"] = "balanced"
        if self.layers in IMAGES:
            self.settings["input_shape"] = (self.X.shape[1], 1, 1)
        self.random_state = int(rng.integers(1000))

    def _layers(self, rng, auto):
        if rng.random() < auto:
            return "auto"
        if rng.random() < 0.2:
            return OTHERS[rng.integers(len(OTHERS))]()
        return str(rng.choice(FLAT + IMAGES))

    def __str__(self):
        kind = "classifier" if self.classifies else "regressor"
        return (
            f"{kind} {self.layers!r} {self.settings}; X {self.rows_name} {self.X.shape} as "
            f"{self.container}, y {self.y_name}, weights {self.weights_name}"
        )

    def model(self):
        make = ZORBClassifier if self.classifies else ZORBRegressor
        return make(self.layers, random_state=self.random_state, **self.settings)

    def run(self):
        """Fit and predict; AssertionError where a prediction is not finite."""
        model = self.model().fit(self.contained(self.X), self.y, sample_weight=self.weights)
        refused = None
        for rows in self.later:
            try:
                self._predict(model, self.contained(rows), len(rows))
            except (ValueError, TypeError) as error:
                if not is_check(error):
                    raise
                refused = error
        return refused

    def _predict(self, model, rows, n_rows):
        predicted = model.predict(rows)
        assert len(predicted) == n_rows
        if not self.classifies:
            assert np.isfinite(predicted).all(), "predictions are not finite"
            for end in model.predict_interval(rows) if hasattr(model, "predict_interval") else ():
                assert np.isfinite(end).all(), "ends of intervals are not finite"
            return
        shares = np.asarray(model.predict_proba(rows))
        assert np.isfinite(shares).all(), "probabilities are not finite"
        assert np.isfinite(model.decision_function(rows)).all(), "decisions are not finite"


def is_check(error):
    """Whether a check of this package or of scikit-learn's validation raised it.

    Or an estimator that the case brought along, which is not ours.
    """
    places = [place.filename for place in traceback.extract_tb(error.__traceback__)]
    called = [place.name for place in traceback.extract_tb(error.__traceback__)]
    if "sklearn_zorb" not in places[-1] and OF_OTHERS & set(called):
        return True
    checks = ("sklearn_zorb", "sklearn/utils/validation", "sklearn/utils/multiclass")
    known = any(part in places[-1] for part in checks)
    return known and isinstance(error, ValueError | TypeError)


def judge(case):
    """ "finite", "refused", or what is wrong with the case as one line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return "finite" if case.run() is None else "refused"
        except Exception as error:
            if is_check(error):
                return "refused"
            frames = traceback.extract_tb(error.__traceback__)
            inside = [frame for frame in frames if "sklearn_zorb" in frame.filename]
            where = inside[-1] if inside else frames[-1]
            name = where.filename.split("sklearn_zorb/")[-1]
            return f"{type(error).__name__} at {name}:{where.lineno}: {str(error)[:160]}"


def failures(seed, numbers, **options):
    """Pairs of case and complaint, and how many cases ended in which way."""
    found, counts = [], {"finite": 0, "refused": 0}
    for number in numbers:
        case = Case(seed, number, **options)
        verdict = judge(case)
        if verdict in counts:
            counts[verdict] += 1
        else:
            found.append((number, case, verdict))
            print(f"case {seed}/{number}: {verdict}\n    {case}", file=sys.stderr, flush=True)
    return found, counts
