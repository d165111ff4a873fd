"""The estimators, with their defaults, each behind the preparation of columns it needs.

All of them are pipelines, so that medians, categories and scales come from training rows only.
Fills of missing numbers are medians; a missing category is a category of its own.
"""

import logging
from functools import partial

from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, RandomizedSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from sklearn.utils import get_tags

from sklearn_zorb import ZORBClassifier, ZORBRegressor

NUMBERS = make_column_selector(dtype_include="number")
CATEGORIES = make_column_selector(dtype_include="category")


def one_hot(model):
    """For models of distances and products: one-hot categories, numbers of unit variance."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    numbers[0].set_params(strategy="median", keep_empty_features=True)
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer((numbers, NUMBERS), (categories, CATEGORIES)), model
    )


def ordinal(model):
    """For forests: categories as whole numbers."""
    numbers = SimpleImputer(strategy="median", keep_empty_features=True)
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    return make_pipeline(
        make_column_transformer((numbers, NUMBERS), (categories, CATEGORIES)), model
    )


def native(model):
    """For boosting that takes categories and missing values as they are."""
    return make_pipeline(FunctionTransformer(), model)


def named_gaps(model):
    """For libraries that take categories, but none that is missing, and no missing number."""
    numbers = SimpleImputer(strategy="median", keep_empty_features=True)
    named = FunctionTransformer(name_gaps, feature_names_out="one-to-one")
    columns = make_column_transformer(
        (numbers, NUMBERS), (named, CATEGORIES), verbose_feature_names_out=False
    )
    return make_pipeline(columns.set_output(transform="pandas"), model)


def name_gaps(frame):
    """Missing categories as a category called "missing"."""
    return frame.apply(lambda column: column.cat.add_categories("missing").fillna("missing"))


def scaled_target(model):
    """Regressors whose defaults are made for targets of unit variance."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def as_read(model):
    """For models that take a frame as it was read, with text and gaps."""
    return make_pipeline(FunctionTransformer(categories_as_text), model)


def categories_as_text(frame):
    """The frame before its columns of text were declared categories."""
    return frame.astype(dict.fromkeys(CATEGORIES(frame), object)).infer_objects()


def zorb(task, seed, n_jobs, layers="auto", columns=as_read):
    model = ZORBClassifier if task == "classification" else ZORBRegressor
    return columns(model(layers, random_state=seed, n_jobs=n_jobs))


def hist_gradient_boosting(task, seed, n_jobs):
    classes = task == "classification"
    model = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return native(model(random_state=seed))


def lightgbm(task, seed, n_jobs):
    import lightgbm

    model = lightgbm.LGBMClassifier if task == "classification" else lightgbm.LGBMRegressor
    return native(model(random_state=seed, n_jobs=n_jobs, verbosity=-1))


def xgboost(task, seed, n_jobs):
    import xgboost

    model = xgboost.XGBClassifier if task == "classification" else xgboost.XGBRegressor
    return native(model(random_state=seed, n_jobs=n_jobs, enable_categorical=True))


class WithCategories(BaseEstimator):
    """CatBoost, told which columns of the frame are categories."""

    def __init__(self, model):
        self.model = model

    def __sklearn_tags__(self):
        return get_tags(self.model)

    def fit(self, X, y):
        self.model_ = clone(self.model).fit(X, y, cat_features=CATEGORIES(X))
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X).ravel()

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def catboost(task, seed, n_jobs):
    import catboost

    classes = task == "classification"
    model = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    quiet = {"verbose": False, "allow_writing_files": False}
    return named_gaps(WithCategories(model(random_seed=seed, thread_count=n_jobs, **quiet)))


def random_forest(task, seed, n_jobs):
    model = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return ordinal(model(n_estimators=200, random_state=seed, n_jobs=n_jobs))


def extra_trees(task, seed, n_jobs):
    model = ExtraTreesClassifier if task == "classification" else ExtraTreesRegressor
    return ordinal(model(n_estimators=200, random_state=seed, n_jobs=n_jobs))


def svm(task, seed, n_jobs):
    if task == "classification":
        return one_hot(CalibratedClassifierCV(SVC(random_state=seed), ensemble=False))
    return one_hot(scaled_target(SVR()))


def mlp(task, seed, n_jobs):
    if task == "classification":
        return one_hot(MLPClassifier(random_state=seed))
    return one_hot(scaled_target(MLPRegressor(random_state=seed)))


def linear(task, seed, n_jobs):
    if task == "classification":
        return one_hot(LogisticRegression(max_iter=1000))
    return one_hot(RidgeCV())


def pytabkit(name, task, seed, n_jobs):
    import pytabkit

    for logger in ("lightning", "pytorch_lightning"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    kind = "Classifier" if task == "classification" else "Regressor"
    model = getattr(pytabkit, f"{name}_{kind}")
    return named_gaps(model(device="cpu", random_state=seed, n_threads=n_jobs))


def tuned(make, settings, task, seed, n_jobs):
    """A peer with the best of 20 drawn settings, by log-loss or R² of five folds."""
    *columns, (name, model) = make(task, seed, n_jobs).steps
    scoring = "neg_log_loss" if task == "classification" else "r2"
    kind = StratifiedKFold if task == "classification" else KFold
    search = RandomizedSearchCV(
        model,
        settings,
        n_iter=20,
        scoring=scoring,
        cv=kind(5, shuffle=True, random_state=seed),
        random_state=seed,
    )
    return Pipeline([*columns, (name, search)])


OURS, BEST, PIPELINE = "ZORB", "ZORB, best", "ZORB, pipeline"
EFFORTS = {
    "ZORB, fast": partial(zorb, layers="fast"),
    OURS: zorb,
    BEST: partial(zorb, layers="best"),
}
# untuned peers, and later those that stand outside the ranks
PEERS = {
    "HistGradientBoosting": hist_gradient_boosting,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "CatBoost": catboost,
    "RandomForest": random_forest,
    "ExtraTrees": extra_trees,
    "SVM": svm,
    "MLP": mlp,
    "Linear": linear,
}
SLOW = {
    "RealMLP": partial(pytabkit, "RealMLP_TD"),
    "xRFM": partial(pytabkit, "XRFM_D"),
    # of 50 drawn settings the best on rows held out
    "xRFM, tuned": partial(pytabkit, "XRFM_HPO"),
}
# on a few tables only
TUNED = {
    "LightGBM, tuned": partial(
        tuned,
        lightgbm,
        {
            "n_estimators": [50, 100, 200, 400, 800],
            "learning_rate": loguniform(0.01, 0.3),
            "num_leaves": [4, 8, 16, 31, 63, 127],
            "min_child_samples": [2, 5, 10, 20, 40],
            "reg_lambda": loguniform(1e-3, 10),
            "colsample_bytree": uniform(0.4, 0.6),
            "subsample": uniform(0.5, 0.5),
            "subsample_freq": [1],
        },
    ),
    # fewer rounds than the thousand that it does by itself, which keeps a search to minutes
    "CatBoost, tuned": partial(
        tuned,
        catboost,
        {
            "model__n_estimators": [50, 100, 200, 400],
            "model__learning_rate": loguniform(0.02, 0.3),
            "model__depth": [3, 4, 5, 6, 7],
            "model__l2_leaf_reg": loguniform(0.3, 30),
            "model__random_strength": loguniform(0.1, 10),
            "model__bagging_temperature": uniform(0, 1),
        },
    ),
}
# ours where milliseconds count
LIGHT = {
    "ZORB, random units": partial(zorb, layers="Dense[64, relaxation=0] ReLU", columns=one_hot),
    "ZORB, 64 landmarks": partial(
        zorb, layers="Kernel[64, kind=laplace_l1, bandwidth=1, reweight=0]", columns=one_hot
    ),
}
MODELS = {
    **EFFORTS,
    PIPELINE: partial(zorb, columns=one_hot),
    **LIGHT,
    **PEERS,
    **SLOW,
    **TUNED,
}


def make(name, task, seed=0, n_jobs=1):
    """The pipeline called `name`; ImportError where its library is not installed."""
    return MODELS[name](task, seed, n_jobs)
