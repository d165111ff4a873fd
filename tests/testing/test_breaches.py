"""`check_layer` names each breach of the contract, one deliberately broken layer for each."""

import numpy as np
import pytest
from layer_calls import OwnLayer, mean_difference, with_traits
from sklearn.datasets import load_iris

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import Dense, LeakyReLU, Solved, Tanh
from sklearn_zorb.linalg import is_jax
from sklearn_zorb.testing import check_layer

ROW = (4,)


class Negate(OwnLayer):
    """A sound layer, for others to break."""

    def forward(self, params, inputs, *, rng=None):
        return -inputs

    def inverse(self, params, targets, inputs):
        return -targets


@with_traits(learns=True)
class Shift(OwnLayer):
    """A sound layer that learns: adds the weighted mean difference to its targets."""

    def init(self, rng, input_shape, data=None):
        return {"shift": rng.normal(size=input_shape)}

    def forward(self, params, inputs, *, rng=None):
        return inputs + params["shift"]

    def inverse(self, params, targets, inputs):
        return targets - params["shift"]

    def solve(self, params, inputs, targets, context):
        return Solved({"shift": mean_difference(inputs, targets, context)[0]})


@pytest.mark.parametrize("layer", [Negate(), Shift()], ids=str)
def test_the_layers_to_break_are_sound(layer):
    check_layer(layer, ROW)


BREACHES = {}


def breaks(line):
    """File a layer under the line that the check must name for it."""

    def file(cls):
        assert cls.__name__ not in BREACHES
        BREACHES[cls.__name__] = (cls(), line)
        return cls

    return file


@breaks("the constructor stores its arguments and nothing else")
class KeepsMore(Negate):
    def __init__(self):
        self.calls = 0


@breaks("the constructor stores its arguments and nothing else")
class ChangesArguments(Negate):
    def __init__(self, sizes=(1, 2)):
        self.sizes = list(sizes)


@breaks("set_params")
class SetsOther(Negate):
    def __init__(self, slope=1.0):
        self.slope = slope

    def set_params(self, **params):
        return super().set_params(slope=params["slope"] + 1)


@breaks("hyperparameters satisfy")
class Invalid(LeakyReLU):
    def __init__(self, slope=-1.0):
        super().__init__(slope)


@breaks("layers can be pickled")
class HoldsLambda(Negate):
    def __init__(self, function=None):
        self.function = function

    def __reduce__(self):
        raise TypeError("no")


@breaks("output_shape accepts")
class NoShape(Negate):
    def output_shape(self, input_shape):
        raise ValueError("only images")


@breaks("init returns params as a dict of arrays")
class InitList(Negate):
    def init(self, rng, input_shape, data=None):
        return []


@breaks("init returns params as a dict of arrays")
class InitText(Negate):
    def init(self, rng, input_shape, data=None):
        return {"kind": "text"}


@breaks("init gives the same params for the same seed")
class InitUnseeded(Shift):
    def init(self, rng, input_shape, data=None):
        return {"shift": np.random.default_rng().normal(size=input_shape)}


@breaks("forward returns outputs of shape")
class WrongShape(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs[:, :1]


@breaks("forward returns finite outputs")
class NotFinite(Negate):
    def forward(self, params, inputs, *, rng=None):
        return inputs * np.nan


@breaks("forward treats each row by itself")
class Couples(Negate):
    def forward(self, params, inputs, *, rng=None):
        return inputs.mean(axis=0) - inputs


@breaks("forward keeps float32.")
class Widens(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs * np.ones(1)


class Forgetful:
    value = 2.0

    def __init__(self):
        self.value = 3.0

    def __reduce__(self):
        return object.__new__, (Forgetful,)


@breaks("forward is the same after pickling")
@with_traits(jax=False)
class ForgetsInPickle(Negate):
    def init(self, rng, input_shape, data=None):
        return {"model": Forgetful()}

    def forward(self, params, inputs, *, rng=None):
        return inputs * params["model"].value


@breaks("arrays passed in are only read")
class WritesInputs(Negate):
    def forward(self, params, inputs, *, rng=None):
        inputs *= -1
        return inputs


@breaks("invert runs, and arrays passed in are only read")
class WritesTargets(Negate):
    def inverse(self, params, targets, inputs):
        targets *= -1
        return targets


@breaks("forward leaves params as they are")
class WritesParams(Negate):
    def forward(self, params, inputs, *, rng=None):
        params["seen"] = inputs
        return -inputs


@breaks("forward keeps what it learns in params")
class KeepsState(Negate):
    def forward(self, params, inputs, *, rng=None):
        self.seen_ = inputs
        return -inputs


@breaks("forward with rng gives the same for the same seed")
class TrainsUnseeded(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs if rng is None else -inputs + np.random.default_rng().normal()


@breaks("forward with rng returns outputs of shape")
class TrainsOtherShape(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs if rng is None else -inputs[:, :1]


@breaks("forward works under jax.jit")
class NumPyOnly(Negate):
    def forward(self, params, inputs, *, rng=None):
        return np.negative(np.asarray(inputs))


@breaks("forward gives the same for JAX arrays")
class OtherInJax(Negate):
    def forward(self, params, inputs, *, rng=None):
        return inputs if is_jax(inputs) else -inputs


@breaks("forward keeps float32 in JAX")
class WidensInJax(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs * np.ones(1) if is_jax(inputs) else -inputs


@breaks("invert returns targets of the shape of the inputs")
class InvertsOtherShape(Negate):
    def inverse(self, params, targets, inputs):
        return -targets[:, :1]


@breaks("invert returns finite targets")
class InvertsToInfinity(Negate):
    def inverse(self, params, targets, inputs):
        return targets * np.inf


@breaks("forward of what invert finds gives the outputs again")
class NoInverse(Negate):
    def inverse(self, params, targets, inputs):
        return targets


@breaks("invert keeps float32")
class InvertWidens(Negate):
    def inverse(self, params, targets, inputs):
        return -targets * np.ones(1)


@breaks("invert runs")
class ReadsInputs(Negate):
    def inverse(self, params, targets, inputs):
        return -targets + 0 * inputs.mean()


@breaks("row by row")
class InvertCouples(Negate):
    def forward(self, params, inputs, *, rng=None):
        return -inputs

    def inverse(self, params, targets, inputs):
        return -targets + 1e-3 * (targets.mean(axis=0) - targets.mean())


@breaks("solve returns Solved")
class SolveDict(Shift):
    def solve(self, params, inputs, targets, context):
        return params


@breaks("solve returns params as a dict of arrays")
class SolveText(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved({**params, "kind": "text"})


@breaks("forward works with solved params")
class SolveOtherParams(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved({"offset": params["shift"]})


@breaks("solve gives the same for the same seed")
class SolveUnseeded(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved({"shift": np.random.default_rng().normal(size=inputs.shape[1:])})


@breaks("solved params can be pickled")
@with_traits(jax=False)
class SolveToForgetful(Shift):
    def forward(self, params, inputs, *, rng=None):
        return inputs * (params["model"].value if "model" in params else 2)

    def inverse(self, params, targets, inputs):
        return targets / 2

    def solve(self, params, inputs, targets, context):
        return Solved({"model": Forgetful()})


@breaks("invert works with solved params")
class InvertsUnsolvedOnly(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved(
            {**super().solve(params, inputs, targets, context).params, "range": np.ones(2)}
        )

    def inverse(self, params, targets, inputs):
        return targets[:, :1] if "range" in params else targets - params["shift"]


@breaks("reads no targets")
@with_traits(reads_targets=False)
class UsesTargets(Shift):
    pass


@breaks("training outputs are outputs of shape")
class TrainingOutputsShape(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved(params, outputs=inputs[:, :1])


@breaks("solve comes no farther from targets")
class SolveAway(Shift):
    def solve(self, params, inputs, targets, context):
        solved = super().solve(params, inputs, targets, context).params
        return Solved({"shift": 2 * params["shift"] - solved["shift"]})


@breaks("does not depend on how rows are chunked")
class SolveByChunk(Shift):
    def solve(self, params, inputs, targets, context):
        shift, n_chunks = mean_difference(inputs, targets, context)
        return Solved({"shift": shift + 0.01 * n_chunks})


@breaks("takes a weight of 2 for two rows")
class SolveUnweighted(Shift):
    def solve(self, params, inputs, targets, context):
        solved = super().solve(params, inputs, targets, context).params
        return Solved({"shift": solved["shift"] + 0.01 * inputs.mean(axis=0)})


@breaks("invert returns finite targets for outputs that the layer cannot reach")
class Square(Negate):
    def forward(self, params, inputs, *, rng=None):
        return inputs**2

    def inverse(self, params, targets, inputs):
        with np.errstate(invalid="ignore"):
            return targets**0.5


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("layers", [[Dense(4), Square()], [Dense(4), Square(), Dense(3), Tanh()]])
def test_fit_names_a_layer_whose_inverse_is_not_finite(layers, backend):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"Square\.invert returned NaN.*check_layer"):
        ZORBClassifier(layers, backend=backend, random_state=0).fit(X, y)


@pytest.mark.parametrize("name", BREACHES)
def test_each_breach_is_named(name):
    layer, line = BREACHES[name]
    with pytest.raises(AssertionError) as caught:
        check_layer(layer, ROW)
    assert str(caught.value).startswith(f"{name} breaks the contract of layers: ")
    assert line in str(caught.value)


class Away(Negate):
    """An inverse that leads away from its targets."""

    def inverse(self, params, targets, inputs):
        return 5 * targets


def test_a_rough_inverse_must_still_lead_to_its_targets():
    with pytest.raises(AssertionError, match="gives outputs closer to the targets"):
        check_layer(Away(), ROW, exact_inverse=False)


@with_traits(jax=False)
class OnHost(Negate):
    def forward(self, params, inputs, *, rng=None):
        return np.negative(np.asarray(inputs))


def test_a_layer_that_cannot_be_traced_may_say_so():
    check_layer(OnHost(), ROW)


SEEN = []


class Watches(Negate):
    def init(self, rng, input_shape, data=None):
        SEEN.append((data[0], rng.random()))
        return {}


def test_random_state_draws_other_inputs():
    SEEN.clear()
    for seed in (0, 0, 1):
        check_layer(Watches(), ROW, random_state=seed)
    first, same, other = SEEN[0], SEEN[2], SEEN[4]
    assert np.array_equal(first[0], same[0]) and first[1] == same[1]
    assert not np.isclose(first[0], other[0]).any() and first[1] != other[1]
