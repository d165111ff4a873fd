"""Scalars become layers, and the space holds what acts."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers, format_layers, parse_layers
from sklearn_zorb.automl import layers_from, parameters
from sklearn_zorb.automl.space import Choice, search_space
from sklearn_zorb.layers import Auto

ALL = "linear+kernel+smooth+forest+extra+boosting"
SHAPES = [(50, 4), (500, 4), (1999, 60), (2000, 4), (5000, 4), (10**5, 600)]


def starts(space):
    return {name: domain.start for name, domain in space.items()}


def far(domain):
    """A value that is not near the start."""
    if isinstance(domain, Choice):
        return domain.values[1]
    return max(domain.low, domain.high, key=lambda end: abs(np.log(end / domain.start)))


@pytest.mark.parametrize(
    "scalars, text",
    [
        ({}, "Auto"),
        ({"effort": np.str_("fast"), "kernel": np.str_("laplace")}, "Auto[fast, kernel=laplace]"),
        ({"trees": np.int64(30), "shrinkage": np.float64(2)}, "Auto[trees=30, shrinkage=2.0]"),
        ({"trees": 30.0, "landmarks": np.float64(500)}, "Auto[landmarks=500, trees=30]"),
        ({"landmarks": 2.0, "max_features": 1.0}, "Auto[landmarks=2.0, max_features=1.0]"),
        ({"blocks": "linear+forest"}, 'Auto[blocks="linear+forest"]'),
    ],
)
def test_layers_are_text_that_is_read_again(scalars, text):
    assert layers_from(**scalars) == text
    assert format_layers(parse_layers(text)) == text
    assert auto_layers((300, 4), effort=text)


@pytest.mark.parametrize(
    "scalars, error, message",
    [
        ({"trees": 2.5}, ValueError, "'trees' parameter of Auto must be"),
        ({"landmarks": 4.5}, ValueError, "'landmarks' parameter of Auto must be"),
        ({"blocks": "trees"}, ValueError, "blocks='trees'; pass 'auto', or names out of"),
        ({"tree": 2}, TypeError, "tree"),
    ],
)
def test_scalars_that_are_none(scalars, error, message):
    with pytest.raises(error, match=message):
        layers_from(**scalars)


def test_parameters_as_tools_hand_them_out():
    assert parameters(alpha=np.str_("10.0"), max_leaf_nodes="None", n_jobs=2) == {
        "alpha": 10.0, "layers": "Auto", "n_jobs": 2
    }  # fmt: skip
    once = parameters(max_features="0.35", rounds=31, learning_rate=0.30000000000000004)
    assert once == {"layers": "Auto[max_features=0.35, rounds=31, learning_rate=0.3]"}
    assert parameters(**once) == once
    with pytest.raises(ValueError, match="layers='Dense.4.' beside trees: pass one of the two"):
        parameters(layers="Dense[4]", trees=3)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_space_starts_from_the_default(task, shape):
    space = search_space(task, *shape)
    found = starts(space)
    assert parameters(**found) == {"alpha": "loo", "layers": "Auto"}
    assert {"alpha": ZORBClassifier().alpha} == {"alpha": found.pop("alpha")}
    # by the sizes themselves too, where a tool passes them on one by one
    text = format_layers(auto_layers(shape, effort=Auto(**found)))
    assert text.replace("min_samples_leaf=1, ", "") == format_layers(auto_layers(shape))


def test_a_space_has_what_its_blocks_have():
    names = set(search_space("classification", 500, 4))
    boosting = {"rounds", "learning_rate", "max_leaf_nodes"}
    assert {"effort", "blocks", "landmarks", "kernel", "trees", "shrinkage", "alpha"} <= names
    assert not names & boosting
    assert set(search_space("classification", 5000, 4)) == names | boosting
    assert "linear+kernel+forest" not in search_space("classification", 500, 4)["blocks"].values
    assert "linear+kernel+forest" in search_space("classification", 5000, 4)["blocks"].values
    assert "trees" not in search_space("regression", 500, 4, blocks="linear+kernel")
    assert "landmarks" not in search_space("regression", 500, 4, blocks="smooth+extra")


@pytest.mark.quick(2)
@pytest.mark.parametrize("blocks, rows", [("linear+kernel+forest+extra", 120), ("boosting", 600)])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_parameter_of_a_space_changes_predictions(task, blocks, rows):
    """One at a time, in a list of blocks none of which is without weight."""
    X, y = make_friedman1(rows, noise=1.0, random_state=0)
    y = y > 15 if task == "classification" else y
    estimator = ZORBClassifier if task == "classification" else ZORBRegressor
    # few trees and rounds unless they are what changes
    base = {"blocks": blocks, "trees": 5, "rounds": 3, "shrinkage": 1e4}

    def predicted(**scalars):
        model = estimator(**parameters(**{**base, **scalars}), random_state=0).fit(X, y)
        return model.predict_proba(X) if task == "classification" else model.predict(X)

    usual = predicted()
    np.testing.assert_array_equal(predicted(), usual)
    space = search_space(task, *X.shape, blocks=blocks)
    if blocks == "boosting":
        space = {name: space[name] for name in ("rounds", "learning_rate", "max_leaf_nodes")}
    else:
        del space["effort"]  # it acts by the sizes, which the others are given
    same = [name for name, domain in space.items()
            if np.allclose(predicted(**{name: far(domain)}), usual)]  # fmt: skip
    assert same == []


def test_effort_changes_predictions_by_the_sizes_that_are_not_given():
    X, y = make_friedman1(120, random_state=0)
    fits = [
        ZORBRegressor(layers_from(effort, blocks="forest"), random_state=0).fit(X, y).predict(X)
        for effort in search_space("regression", *X.shape)["effort"].values
    ]
    assert len(np.unique(np.round(fits, 6), axis=0)) == 3


@pytest.mark.parametrize("task", ["ranking", None, "binary"])
def test_tasks_that_are_none(task):
    with pytest.raises(ValueError, match=r"task=.*; pass one of 'classification', 'regression'"):
        search_space(task, 100, 4)


def test_sizes_that_are_none():
    with pytest.raises(ValueError, match="the numbers of rows and of columns"):
        search_space("regression", 0, 4)
