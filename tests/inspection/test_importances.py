"""The display of importances."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError

from sklearn_zorb import ZORBRegressor
from sklearn_zorb.inspection import FeatureImportancesDisplay

pytest.importorskip("matplotlib").use("Agg")


def labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_bars_are_the_largest_in_order():
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor("Identity").fit(X, y)
    display = FeatureImportancesDisplay.from_estimator(model, max_features=4, color="k")
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, np.sort(model.feature_importances_)[:-5:-1])
    assert labels(display)[0] == f"x{model.feature_importances_.argmax()}"
    assert display.ax_.yaxis_inverted()
    assert display.bars_[0].get_facecolor() == (0, 0, 0, 1)


def test_names_come_from_the_data_or_the_caller():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = RandomForestRegressor(5, random_state=0).fit(X, y)
    display = FeatureImportancesDisplay.from_estimator(model)
    assert set(labels(display)) == set(X.columns)
    names = [f"column {i}" for i in range(10)]
    display = FeatureImportancesDisplay.from_estimator(
        model, feature_names=names, max_features=None, ax=display.ax_
    )
    assert set(labels(display)) == set(names)
    with pytest.raises(ValueError, match="2 names for 10 columns"):
        FeatureImportancesDisplay.from_estimator(model, feature_names=names[:2])


def test_it_takes_fitted_estimators_only():
    with pytest.raises(NotFittedError):
        FeatureImportancesDisplay.from_estimator(ZORBRegressor())
