"""The default list as one layer."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes, load_iris

from sklearn_zorb import (
    NetworkClassifier,
    ZORBClassifier,
    ZORBRegressor,
    auto_layers,
    format_layers,
    load,
    parse_layers,
    save,
)
from sklearn_zorb.layers import Auto, Dense, Stack

X, y = load_iris(return_X_y=True)
ALL = "linear+kernel+smooth+forest+extra+boosting+shallow"


def text(shape=(2500, 5), **sizes):
    return format_layers(auto_layers(shape, effort=Auto(**sizes)))


def test_it_is_the_list_of_its_effort():
    for effort in ("fast", "auto", "best"):
        assert text(effort=effort) == format_layers(auto_layers((2500, 5), effort=effort))
    fits = [
        ZORBClassifier(layers, random_state=0).fit(X, y).predict_proba(X)
        for layers in ("fast", [Auto("fast")], [("mine", Auto("fast"))], "auto[fast]")
    ]
    for other in fits[1:]:
        np.testing.assert_array_equal(fits[0], other)


@pytest.mark.parametrize(
    "sizes, piece",
    [
        ({"landmarks": 70}, "Kernel[70]"),
        ({"landmarks": 0.1}, "Kernel[250]"),
        ({"landmarks": 1.5, "effort": "fast"}, "Kernel[750]"),
        ({"kernel": "laplace"}, "Kernel[2500, kind=laplace]"),
        ({"trees": 33}, "Trees[33, max_samples=5000]"),
        ({"max_features": 0.3}, "Trees[max_features=0.3, max_samples=5000]"),
        ({"min_samples_leaf": 4}, "Trees[min_samples_leaf=4, max_samples=5000]"),
        ({"rounds": 12}, "Trees[12, kind=boosting"),
        ({"learning_rate": 0.7}, "learning_rate=0.7"),
        ({"max_leaf_nodes": 9}, "max_leaf_nodes=9"),
        ({"shrinkage": 2.0}, "Stack[shrinkage=2.0]"),
    ],
)
def test_each_size_stands_in_the_list(sizes, piece):
    found, usual = text(**sizes), text()
    assert piece in found and piece not in usual


def test_fast_blocks_that_stand_beside_boosting_are_smaller_unless_sizes_are_given():
    alone, beside = (text((n_rows, 50), effort="fast") for n_rows in (5000, 7000))
    for piece in ("PiecewiseLinear)", "Kernel[500]", "Trees[50, max_samples=2000]"):
        assert piece in alone
    for piece in ("PiecewiseLinear[4])", "kind=gaussian]", "Trees[25, max_samples=4000]"):
        assert piece in beside
    given = text((7000, 50), effort="fast", kernel="laplace", trees=7)
    assert "kind=laplace" in given and "Trees[7, max_samples=4000]" in given
    assert text((7000, 600), effort="fast").endswith("Trees[50, max_samples=2000])")


def test_blocks_stand_in_the_order_that_is_asked_for():
    (stack,) = auto_layers((50, 4), effort=Auto(blocks=f" {ALL} "))
    assert [block[-1].get_params().get("kind", "ridge") for block in stack.blocks] == [
        "ridge", "auto", "gaussian", "forest", "extra", "boosting", "boosting"
    ]  # fmt: skip
    assert text(blocks="boosting+linear").startswith("Stack(Trees")


@pytest.mark.parametrize("n_rows", [2, 3, 8, 20])
def test_every_block_can_be_had_on_few_rows(n_rows):
    few, classes = X[::7][:n_rows], np.arange(n_rows) % 2
    for estimator in (ZORBClassifier, ZORBRegressor):
        model = estimator([Auto(blocks=ALL, trees=5, rounds=2)], random_state=0)
        assert np.isfinite(model.fit(few, classes).predict(few)).all()


def test_sizes_are_parameters_of_the_estimator():
    layers = [Auto()]
    model = ZORBRegressor(layers, random_state=0)
    model.set_params(auto_1__trees=np.int64(7), auto_1__blocks=np.str_("linear+forest"))
    assert layers[0].trees is None
    X, y = load_diabetes(return_X_y=True)
    model.fit(X, y)
    written = ZORBRegressor('Auto[blocks="linear+forest", trees=7]', random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), written.predict(X))
    assert format_layers(parse_layers(format_layers(model.layers))) == format_layers(model.layers)


def test_it_is_saved_with_the_model(tmp_path):
    model = ZORBClassifier([Auto(blocks="linear", shrinkage=1.0)]).fit(X, y)
    save(model, tmp_path / "model.zorb")
    loaded = load(tmp_path / "model.zorb")
    assert str(loaded) == str(model)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_sparse_inputs_have_what_they_can():
    wide = sp.random(60, 1001, 0.01, format="csr", random_state=0)
    assert len(auto_layers(wide, effort=Auto(blocks=ALL))[0].blocks) == 3
    with pytest.raises(ValueError, match="sparse inputs of 4 columns can have none of these"):
        ZORBClassifier([Auto(blocks="boosting")]).fit(sp.csr_matrix(X), y)


@pytest.mark.parametrize(
    "sizes, message",
    [
        ({"effort": "quick"}, "The 'effort' parameter of Auto must be a str among"),
        ({"blocks": "linear+trees"}, "blocks='linear.trees'; pass 'auto', or names out of linear,"),
        ({"blocks": "linear+linear"}, "each once"),
        ({"blocks": ""}, "pass 'auto', or names"),
        ({"landmarks": 0}, "The 'landmarks' parameter of Auto"),
        ({"landmarks": 4.5}, "The 'landmarks' parameter of Auto"),
        ({"trees": 2.5}, "The 'trees' parameter of Auto"),
    ],
)
def test_sizes_that_are_none(sizes, message):
    with pytest.raises(ValueError, match=message):
        ZORBClassifier([Auto(**sizes)]).fit(X, y)


@pytest.mark.parametrize(
    "model",
    [
        NetworkClassifier([Auto()]),
        ZORBClassifier([Dense(3), Auto()]),
        ZORBClassifier([Stack([[Auto()]])]),
    ],
)
def test_places_where_it_cannot_stand(model):
    with pytest.raises(ValueError, match=r"pass layers=\[Auto\(\)\] without other layers"):
        model.fit(X, y)


def test_batches_have_another_default():
    assert not hasattr(ZORBClassifier([Auto()]), "partial_fit")
