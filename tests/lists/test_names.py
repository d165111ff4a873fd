"""Names of layers in a list, and nested parameters that go through them."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_zorb import NetworkClassifier, ZORBClassifier
from sklearn_zorb.layers import (
    Dense,
    EstimatorLayer,
    Identity,
    Layer,
    LeakyReLU,
    Parallel,
    ReLU,
    Skip,
    Tanh,
    parse_layers,
)
from sklearn_zorb.trainers import Backprop

X, Y = load_iris(return_X_y=True)
OWN = set(ZORBClassifier().get_params())


def Network(layers="auto", **options):
    return ZORBClassifier(layers, standardize=False, random_state=0, **options)


def layer_names(network):
    return [key for key in network.get_params() if "__" not in key and key not in OWN]


def plain():
    return [Dense(8), Tanh(), Dense(4), LeakyReLU(0.1)]


def nested():
    return [Skip([Dense(8), Tanh()]), Parallel([[Dense(4), Tanh()], [("far", Dense(2))]])]


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ([], []),
        (plain(), ["dense_1", "tanh_1", "dense_2", "leakyrelu_1"]),
        (tuple(plain()), ["dense_1", "tanh_1", "dense_2", "leakyrelu_1"]),
        ([("a", Dense(3)), ("b", Tanh())], ["a", "b"]),
        # a layer with a name of its own still counts: naming it renames no other
        ([("a", Dense(3)), Dense(2), Tanh()], ["a", "dense_2", "tanh_1"]),
        (nested(), ["skip_1", "parallel_1"]),
    ],
)
def test_names(layers, names):
    network = Network(layers)
    assert layer_names(network) == names
    fitted = [name for name, _ in network.fit(X, Y).layers_]
    assert [name for name in fitted if name not in ("inputs", "readout")] == names


def test_appending_a_layer_renames_none():
    layers = plain()
    before = layer_names(Network(layers))
    assert layer_names(Network([*layers, Dense(), Tanh()])) == [*before, "dense_3", "tanh_2"]


def test_get_params():
    layers = plain()
    params = Network(layers, alpha=2).get_params()
    assert params["layers"] is layers
    assert params["alpha"] == 2
    assert params["dense_2"] is layers[2]
    assert params["dense_2__units"] == 4
    assert params["leakyrelu_1__slope"] == 0.1
    assert set(Network(layers).get_params(deep=False)) == OWN


def test_get_params_of_composite_layers():
    layers = nested()
    params = Network(layers).get_params()
    assert params["skip_1__layers"] is layers[0].layers
    assert params["skip_1__dense_1"] is layers[0].layers[0]
    assert params["skip_1__dense_1__units"] == 8
    assert params["parallel_1__dense_1__units"] == 4
    assert params["parallel_1__tanh_1"] is layers[1].branches[0][1]
    assert params["parallel_1__far__units"] == 2
    assert "dense_1__units" in layers[0].get_params()
    assert "dense_1__units" not in layers[0].get_params(deep=False)


def test_names_are_counted_through_all_blocks():
    params = Parallel([[Dense(1)], [Dense(2), Identity()], [Dense(3)]]).get_params()
    assert [params[f"dense_{i}__units"] for i in (1, 2, 3)] == [1, 2, 3]


def test_parameters_of_a_wrapped_estimator():
    network = Network([EstimatorLayer(Ridge(alpha=3))])
    assert network.get_params()["estimatorlayer_1__estimator__alpha"] == 3
    network.set_params(estimatorlayer_1__estimator__alpha=5)
    assert network.layers[0].estimator.alpha == 5


def test_constructor_arguments_go_before_layers():
    network = Network([("alpha", Dense())], alpha=2)
    assert network.get_params()["alpha"] == 2
    network.set_params(alpha=3)
    assert network.alpha == 3
    assert isinstance(network.layers[0][1], Dense)


@pytest.mark.parametrize(
    "garbage",
    [-1, "helloworld", [1], {}, None, (), ("a",), [None, [Tanh()]], [Dense, ("b", Dense)],
     [(1, Dense())], ["Dense[8]", "Tanh"], ("Dense[8]", "Tanh"), np.ones(3), "auto",
     [("x", 3), "y"], {"dense_1": Dense()}],
    ids=repr,
)  # fmt: skip
def test_garbage_is_tolerated_until_fit(garbage):
    network = Network().set_params(layers=garbage)
    assert network.layers is garbage
    assert network.get_params()["layers"] is garbage
    assert Network(garbage).set_params(alpha=3).layers is garbage
    assert Skip(garbage).get_params()["layers"] is garbage
    assert Parallel([garbage]).get_params()["branches"][0] is garbage
    with pytest.raises((TypeError, ValueError)):
        network.fit(X[:0], Y[:0])


def test_garbage_leaves_its_neighbours_their_names():
    network = Network([1, Dense(8), ("x", 3)])
    assert network.get_params()["x"] == 3
    assert network.set_params(dense_1__units=5).layers[0] == 1
    assert network.layers[1].units == 5
    assert isinstance(network.set_params(x=Tanh()).get_params()["x"], Tanh)


# -- set_params --------------------------------------------------------------------------------


def test_set_parameter_of_a_layer():
    layers = plain()
    objects = list(layers)
    network = Network(layers)
    assert network.set_params(dense_1__units=16, dense_2__alpha=1.0, alpha=3) is network
    assert (network.layers[0].units, network.layers[2].alpha, network.alpha) == (16, 1.0, 3)
    # neither the list nor its layers changed, and untouched layers were not copied
    assert all(layer is before for layer, before in zip(layers, objects, strict=True))
    assert (layers[0].units, layers[2].alpha) == (8, None)
    assert network.layers is not layers
    assert network.layers[1] is layers[1]


def test_set_whole_layer():
    layers, new = plain(), Dense(99)
    network = Network(layers).set_params(dense_2=new)
    assert network.layers[2] is new
    assert network.get_params()["dense_2"] is new
    assert layers[2].units == 4


def test_set_whole_layer_and_its_parameters_in_one_call():
    layers, new = plain(), LeakyReLU(0.5)
    # in either order, and although the class changes
    for params in ({"tanh_1": new, "tanh_1__slope": 0.7}, {"tanh_1__slope": 0.7, "tanh_1": new}):
        network = Network(layers).set_params(**params)
        assert network.get_params()["tanh_1__slope"] == 0.7
        assert network.get_params()["leakyrelu_1__slope"] == 0.1
    assert new.slope == 0.5
    assert isinstance(layers[1], Tanh)


def test_names_are_frozen_during_a_call():
    layers = [Tanh(), LeakyReLU(0.1)]
    network = Network(layers).set_params(tanh_1=LeakyReLU(0.2), leakyrelu_1__slope=0.9)
    slopes = [layer.slope for _, layer in network.layers]
    assert slopes == [0.2, 0.9]


def test_names_stay_when_a_class_changes():
    network = Network([Tanh(), Tanh(), ("x", Dense())])
    new = ReLU()
    network.set_params(tanh_1=new)
    assert network.get_params()["tanh_1"] is new
    assert layer_names(network) == ["tanh_1", "tanh_2", "x"]
    assert layer_names(network.set_params(tanh_1=Tanh(), x=Tanh())) == ["tanh_1", "tanh_2", "x"]
    network.fit(X, Y)


def test_set_layers_and_their_parameters_in_one_call():
    layers = [Dense(1), Skip([Dense(2)])]
    network = Network("auto").set_params(
        dense_1__units=10, skip_1__dense_1__units=20, layers=layers, alpha=0.5
    )
    assert network.layers[0].units == 10
    assert network.layers[1].layers[0].units == 20
    assert (layers[0].units, layers[1].layers[0].units) == (1, 2)
    assert network.alpha == 0.5


def test_set_through_composite_layers():
    layers = nested()
    network = Network(layers)
    network.set_params(
        skip_1__dense_1__units=80, parallel_1__far=Tanh(), parallel_1__dense_1__units=40
    )
    skip, parallel = network.layers
    assert skip.layers[0].units == 80
    assert isinstance(network.get_params()["parallel_1__far"], Tanh)
    assert network.get_params()["parallel_1__dense_1__units"] == 40
    assert [len(branch) for branch in parallel.branches] == [2, 1]
    assert layers[0].layers[0].units == 8
    assert layers[1].branches[0][0].units == 4
    assert isinstance(layers[1].branches[1][0][1], Dense)


def test_set_whole_block_list_of_a_composite():
    network = Network(nested()).set_params(
        skip_1__layers=[Dense(3)], skip_1__dense_1__use_bias=False
    )
    assert repr(network.layers[0]) == "Skip(layers=[Dense(units=3, use_bias=False)])"


def test_one_object_in_two_places():
    layer = Dense(8)
    network = Network([layer, layer]).set_params(dense_2__units=9)
    assert [layer.units for layer in network.layers] == [8, 9]


def test_own_nested_parameters_still_work():
    network = NetworkClassifier(plain(), trainer=Backprop())
    network.set_params(trainer__max_epochs=7, dense_1__units=3)
    assert network.trainer.max_epochs == 7
    assert network.layers[0].units == 3


# -- errors of set_params ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["dense_3", "dense_3__units", "dens_1__units", "layers__x"])
def test_unknown_name_lists_the_valid_ones(key):
    network = Network(layers := plain())
    message = (
        f"Invalid parameter '{key}' for estimator ZORBClassifier.*"
        r"Valid parameters are: \['alpha', .*\]. "
        r"Valid names of layers are: \['dense_1', 'tanh_1', 'dense_2', 'leakyrelu_1'\]."
    )
    with pytest.raises(ValueError, match=message):
        network.set_params(alpha=99, dense_1__units=99, **{key: 3})
    # nothing was set before the error
    assert network.layers is layers
    assert network.alpha == "loo"


def test_unknown_name_suggests_a_close_one():
    with pytest.raises(ValueError, match="Did you mean 'tanh_1'?"):
        Network(plain()).set_params(tanh1=ReLU())
    with pytest.raises(ValueError, match="Did you mean 'alpha'?"):
        Network(plain()).set_params(alhpa=3)


def test_unknown_names_inside_layers():
    with pytest.raises(ValueError, match=r"Invalid parameter 'unts' for estimator Dense"):
        Network(plain()).set_params(dense_1__unts=3)
    with pytest.raises(ValueError, match=r"'dens_1__x' for estimator Skip.* \['dense_1', 'tanh"):
        Network(nested()).set_params(skip_1__dens_1__x=3)


@pytest.mark.parametrize("layers", ["Dense[8] Tanh", ["Dense[8]", "Tanh"], "auto"])
def test_names_in_text(layers):
    with pytest.raises(ValueError, match="names in lists only, and layers is text.*parse_layers"):
        Network(layers).set_params(dense_1__units=3)
    with pytest.raises(ValueError, match="parse_layers"):
        Network(plain()).set_params(layers=layers, dense_1__units=3)
    if layers != "auto":  # what the error says works
        assert Network().set_params(layers=parse_layers(layers), dense_1__units=3).layers[0].units


def test_parameter_of_what_has_none():
    with pytest.raises(ValueError, match="'a' is None, which has no parameter 'units'"):
        Network([("a", None)]).set_params(a__units=3)


# -- the rest of scikit-learn ------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers", [plain(), nested(), [("a", Dense(8))], "Dense[8]", ["Dense[8]", "Tanh"], "auto"]
)
def test_clone(layers):
    network = Network(layers)
    copy = clone(network)
    assert repr(copy) == repr(network)
    assert copy.get_params().keys() == network.get_params().keys()
    assert all(a is not b for a, b in zip(copy.layers, layers, strict=True) if isinstance(a, Layer))


def test_grid_search():
    layers = [Dense(8), Tanh()]
    grid = {"dense_1__units": [1, 16], "tanh_1": [Tanh(), LeakyReLU()]}
    search = GridSearchCV(Network(layers), grid, cv=2).fit(X, Y)
    best = search.best_params_["dense_1__units"]
    assert dict(search.best_estimator_.layers_)["dense_1"].units == best
    assert layers[0].units == 8
    texts = {"layers": ["Dense[4]", ["Dense[16]", "Tanh"], [Dense(5)]]}
    assert GridSearchCV(Network(), texts, cv=2).fit(X, Y).best_params_["layers"] in texts["layers"]


# -- resolving ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (None, "layers must be a list of layers, such as [Dense(64), Tanh()], or text"),
        (3, "got 3."),
        ({}, "got {}."),
        (Dense(8), "got Dense(units=8)."),
        (("dense", Dense(8)), "got ('dense', Dense(units=8))."),
        ([1], "layers[0] must be a layer or a (name, layer) pair; got 1 of type int."),
        ([Dense(), None], "layers[1] must be a layer or a (name, layer) pair; got None"),
        ([Dense], "got the class Dense: pass an object, Dense(...)."),
        ([Ridge()], "got the estimator Ridge: wrap it, EstimatorLayer(Ridge(...))."),
        ([Dense(), "Tanh"], "layers[1] must be a layer or a (name, layer) pair; got the text 'T"),
        ([Dense(), [Tanh()]], "got a list, [Tanh()]: side by side, lists of layers are Parallel"),
        ([("a", Dense(), 3)], "layers[0] must be a layer or a (name, layer) pair; got a tuple"),
        ([(3, Dense())], "got a tuple, (3, Dense())"),
        ([("a", 3)], "got the name 'a' with 3 of type int."),
        ([("a", Ridge())], "got the name 'a' with the estimator Ridge"),
        ([Tanh(), Skip([3])], "layers[1].layers[0] must be a layer"),
        ([Skip("Tanh")], "layers[0].layers must be a list of layers"),
        ([Skip("Tanh")], "or parse_layers('Dense[64] Tanh'); got 'Tanh'."),
        ([Parallel([[Tanh()], [Skip([3])]])], "layers[0].branches[1][0].layers[0] must be a"),
        ([Parallel([Tanh()])], "layers[0].branches[0] must be a list of layers"),
        ([Parallel("Tanh")], "layers[0].branches must be a list of blocks, each a list"),
        ([("p", Parallel(3))], "layers[0].branches must be a list of blocks, each a list"),
    ],
)
def test_what_is_no_list_of_layers(layers, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        Network(layers).fit(X, Y)


# -- checking names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([("a", Dense()), Tanh(), ("a", Dense())], "layers[0] and layers[2] are both named 'a'"),
        ([("dense_2", Dense()), Dense()], "layers[0] and layers[1] are both named 'dense_2'"),
        ([Tanh(), ("a__b", Dense())], "layers[1] is named 'a__b', but '__'"),
        ([("alpha", Dense())], "'alpha', which is a constructor argument of Network: choose"),
        ([("layers", Dense())], "'layers', which is a constructor argument of Network: choose"),
        ([("", Dense())], "layers[0] has an empty name"),
        ([Skip([("layers", Tanh())])], "layers[0].layers[0] is named 'layers', which is a"),
        ([("x", Skip([("a__b", Tanh())]))], "layers[0].layers[0] is named 'a__b'"),
        (
            [Parallel([[Tanh(), ("a", Tanh())], [("a", ReLU())]])],
            "layers[0].branches[0][1] and layers[0].branches[1][0] are both named 'a'",
        ),
    ],
)
def test_names_that_are_refused(layers, message):
    message = message.replace("Network", "ZORBClassifier")
    with pytest.raises(ValueError, match=re.escape(message)):
        Network(layers).fit(X, Y)


def test_the_same_name_in_two_lists():
    layers = [("a", Dense(4)), ("b", Skip([("a", Tanh())]))]
    assert Network(layers).fit(X, Y).get_params()["b__a"] is layers[1][1].layers[0][1]
