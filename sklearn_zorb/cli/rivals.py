"""The methods that ``zorb demo`` compares, with what each needs to read a table."""

from __future__ import annotations

from typing import Any

from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from .. import ZORBClassifier, ZORBRegressor


def rivals(task: str, X: Any, seed: int) -> dict[str, Any]:
    """List the estimators to compare, by name.

    ZORB and boosting take tables as they are, boosting with text as categories and dates as days.
    For the others, gaps are filled, categories encoded and columns scaled within the folds. All
    keep scikit-learn's defaults, except that the linear regression finds its penalty and the
    regression MLP gets a standardised target and early stopping, without which it fails.

    Parameters
    ----------
    task : {"classification", "regression"}
    X : ndarray or DataFrame
    seed : int

    Returns
    -------
    dict of str to estimator
    """

    def prepared(estimator: Any) -> Any:
        return make_pipeline(*_numbers(X), estimator)

    typed = [FunctionTransformer(categories_and_days)] if hasattr(X, "dtypes") else []
    if task == "classification":
        boosting: Any = HistGradientBoostingClassifier(random_state=seed)
        return {
            "ZORB": ZORBClassifier(random_state=seed),
            "Linear": prepared(LogisticRegression()),
            "RandomForest": prepared(RandomForestClassifier(random_state=seed)),
            "HistGradientBoosting": make_pipeline(*typed, boosting),
            "MLP": prepared(MLPClassifier(random_state=seed)),
        }
    network = MLPRegressor(early_stopping=True, random_state=seed)
    boosting = HistGradientBoostingRegressor(random_state=seed)
    return {
        "ZORB": ZORBRegressor(random_state=seed),
        "Linear": prepared(RidgeCV([0.01, 0.1, 1, 10, 100])),
        "RandomForest": prepared(RandomForestRegressor(random_state=seed)),
        "HistGradientBoosting": make_pipeline(*typed, boosting),
        "MLP": prepared(TransformedTargetRegressor(network, transformer=StandardScaler())),
    }


def categories_and_days(X: Any) -> Any:
    """Turn text into categories and dates into days, as boosting takes them."""
    text = {name: X[name].astype("category") for name in _of_kind(X, "text")}
    days = {name: (X[name] - X[name].min()).dt.days for name in _of_kind(X, "dates")}
    return X.assign(**text, **days)


def _numbers(X: Any) -> list[Any]:
    """The steps that turn rows into scaled numbers."""
    if not hasattr(X, "dtypes"):
        return [StandardScaler()]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    categories = _of_kind(X, "text") + _of_kind(X, "categories")
    rest = [name for name in X if name not in categories]
    return [
        FunctionTransformer(categories_and_days),
        make_column_transformer((one_hot, categories), (SimpleImputer(), rest)),
        StandardScaler(),
    ]


def _of_kind(X: Any, kind: str) -> list[str]:
    kinds = {"dates": "M", "categories": "O", "text": "O"}
    names = [name for name in X if X[name].dtype.kind == kinds[kind]]
    if kind == "dates":
        return names
    return [name for name in names if (X[name].dtype.name == "category") == (kind == "categories")]
