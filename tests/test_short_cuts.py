"""What fits of few rows skip makes no difference but to their time."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import validate_data

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb._compat import InvalidParameterError
from sklearn_zorb.estimators.validation import checked
from sklearn_zorb.layers import Dense, Dropout, Kernel, Stack, Standardize, Tanh

OPTIONS = {
    "accept_sparse": ("csr", "csc"), "dtype": [np.float64, np.float32], "multi_output": True,
    "y_numeric": True,
}  # fmt: skip
ROWS = np.arange(12.0).reshape(6, 2)
BAD = np.array([[1.0, np.nan], [2.0, 1.0]]), np.array([[1.0, np.inf], [2.0, -np.inf]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8", np.int64, np.float16, object])
@pytest.mark.parametrize("kind", [float, int, np.int8, ">f8", bool, object])
@pytest.mark.parametrize("order", ["C", "F"])
def test_checked_rows_are_those_of_scikit_learn(dtype, kind, order):
    X, y = np.asarray(ROWS, dtype=dtype, order=order), np.arange(6).astype(kind)
    ours, theirs = BaseEstimator(), BaseEstimator()
    own = checked(ours, X, y, **OPTIONS)
    other = validate_data(theirs, X, y, **OPTIONS)
    for a, b in zip(own, other, strict=True):
        assert a.dtype == b.dtype and a.flags.c_contiguous == b.flags.c_contiguous
        np.testing.assert_array_equal(a, b)
    assert vars(ours) == vars(theirs)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("X", "y"),
    [
        *((X, np.arange(2.0)) for X in BAD),
        (ROWS, np.array([1.0, 2, 3, 4, 5, np.nan])),
        (ROWS, np.array([1.0, 2, 3, 4, np.inf, -np.inf])),
        (ROWS, np.arange(5.0)),
        (ROWS[:0], np.zeros(0)),
        (ROWS[:, :0], np.arange(6.0)),
        (ROWS[0], np.arange(2.0)),
        (ROWS[None], np.arange(1.0)),
        (ROWS * 1j, np.arange(6.0)),
    ],
)
def test_bad_rows_are_left_to_scikit_learn(X, y):
    with pytest.raises(ValueError) as ours:
        checked(BaseEstimator(), X, y, **OPTIONS)
    with pytest.raises(ValueError) as theirs:
        validate_data(BaseEstimator(), X, y, **OPTIONS)
    assert str(ours.value) == str(theirs.value)


def test_sums_that_overflow_are_no_news():
    X = np.full((6, 2), 1e308)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checked(BaseEstimator(), X, np.arange(6.0), **OPTIONS)[0] is X


def test_names_of_columns_go_with_the_fit_that_had_them():
    pandas = pytest.importorskip("pandas")
    model = ZORBRegressor("Dense[3] Tanh", random_state=0)
    model.fit(pandas.DataFrame(ROWS, columns=["a", "b"]), ROWS[:, 0])
    assert list(model.feature_names_in_) == ["a", "b"]
    model.fit(ROWS, ROWS[:, 0])
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize(
    ("good", "bad"), [({"units": 1}, {"units": 1.0}), ({"use_bias": True}, {"use_bias": 1})],
)  # fmt: skip
def test_equal_numbers_of_other_types_are_checked_apart(good, bad):
    Dense(**{"units": 2, **good})._validate_params()
    for _ in range(2):
        with pytest.raises(InvalidParameterError, match=next(iter(bad))):
            Dense(**{"units": 2, **bad})._validate_params()


def test_parameters_are_checked_after_they_were_right():
    model = ZORBClassifier("Dense[3] Tanh", random_state=0).fit(ROWS, [0, 1] * 3)
    for _ in range(2):
        with pytest.raises(InvalidParameterError, match="'relaxation' parameter of ZORBClassifier"):
            model.set_params(relaxation=2.0).fit(ROWS, [0, 1] * 3)
    model.set_params(relaxation=0.5).fit(ROWS, [0, 1] * 3)


class Outside(Dense):
    """A layer of others whose constructor takes more."""

    def __init__(self, units=None, *, note=(), **options):
        super().__init__(units, **options)
        self.note = note

    @classmethod
    def _get_param_names(cls):
        return ["note", "units"]


@pytest.mark.parametrize(
    "layer",
    [Dense(3, alpha=0.1), Dense(2, initializer=np.ones), Dropout(0.2), Kernel(9), Standardize(),
     Stack([[Dense(3), Tanh()], Kernel()]), Outside(3, note=[1, 2])],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_clones_of_layers(layer):
    copy = clone(layer)
    assert copy is not layer and type(copy) is type(layer)
    assert repr(copy) == repr(layer)
    for name, value in layer.get_params(deep=False).items():
        if isinstance(value, list):
            assert getattr(copy, name) is not value


class Doubled(Dense):
    """A layer that does not keep what it is given."""

    def __init__(self, units=None):
        super().__init__(units=None if units is None else 2 * units)

    @classmethod
    def _get_param_names(cls):
        return ["units"]


def test_constructors_that_change_a_value_are_told_of():
    with pytest.raises(RuntimeError, match="constructor either does not set or modifies"):
        clone(Doubled(3))
