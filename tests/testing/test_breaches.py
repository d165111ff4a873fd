"""`check_layer` names each breach of the contract, one deliberately broken layer for each."""

import numpy as np
import pytest
from layer_calls import OwnLayer, mean_difference, with_traits
from sklearn.datasets import load_iris

from sklearn_zorb import ZORBClassifier
from sklearn_zorb.layers import Dense, Layer, LeakyReLU, Solved, Tanh
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


def noise():
    return np.random.default_rng().normal()


# what each method gives in place of what is right, by the line that the check must name
INIT = {
    "init returns params as a dict of arrays": lambda shape: [],
    "init returns params as a dict of arrays.": lambda shape: {"kind": "text"},
    "init gives the same params for the same seed": lambda shape: {
        "shift": noise() * np.ones(shape)
    },
}
FORWARD = {
    "forward returns outputs of shape": lambda x, rng: -x[:, :1],
    "forward returns finite outputs": lambda x, rng: x * np.nan,
    "forward treats each row by itself": lambda x, rng: x.mean(axis=0) - x,
    "forward keeps float32.": lambda x, rng: -x * np.ones(1),
    "arrays passed in are only read": lambda x, rng: np.negative(x, out=x),
    "forward with rng gives the same for the same seed": (
        lambda x, rng: -x if rng is None else -x + noise()
    ),
    "forward with rng returns outputs of shape": lambda x, rng: -x if rng is None else -x[:, :1],
    "forward works under jax.jit": lambda x, rng: np.negative(np.asarray(x)),
    "forward gives the same for JAX arrays": lambda x, rng: x if is_jax(x) else -x,
    "forward keeps float32 in JAX": lambda x, rng: -x * np.ones(1) if is_jax(x) else -x,
}
INVERSE = {
    "invert runs, and arrays passed in are only read": lambda t, x: np.negative(t, out=t),
    "invert returns targets of the shape of the inputs": lambda t, x: -t[:, :1],
    "invert returns finite targets": lambda t, x: t * np.inf,
    "forward of what invert finds gives the outputs again": lambda t, x: t,
    "invert keeps float32": lambda t, x: -t * np.ones(1),
    "invert runs": lambda t, x: -t + 0 * x.mean(),
    "row by row": lambda t, x: -t + 1e-3 * (t.mean(axis=0) - t.mean()),
}
SOLVE = {
    "solve returns Solved": lambda start, shift, x, count: {"shift": shift},
    "solve returns params as a dict of arrays": (
        lambda start, shift, x, count: Solved({"shift": shift, "kind": "text"})
    ),
    "forward works with solved params": lambda start, shift, x, count: Solved({"offset": shift}),
    "solve gives the same for the same seed": (
        lambda start, shift, x, count: Solved({"shift": noise() + shift})
    ),
    "training outputs are outputs of shape": (
        lambda start, shift, x, count: Solved({"shift": shift}, outputs=x[:, :1])
    ),
    "solve comes no farther from targets": (
        lambda start, shift, x, count: Solved({"shift": 2 * start - shift})
    ),
    "does not depend on how rows are chunked": (
        lambda start, shift, x, count: Solved({"shift": shift + 0.01 * count})
    ),
    "takes a weight of 2 for two rows": (
        lambda start, shift, x, count: Solved({"shift": shift + 0.01 * x[:].mean(axis=0)})
    ),
}


class Broken(Negate):
    """Breaks the line that is its hyperparameter, by one of the tables."""

    def __init__(self, line):
        self.line = line

    def init(self, rng, input_shape, data=None):
        return INIT[self.line](input_shape) if self.line in INIT else {}

    def forward(self, params, inputs, *, rng=None):
        return FORWARD[self.line](inputs, rng) if self.line in FORWARD else -inputs

    def inverse(self, params, targets, inputs):
        return INVERSE[self.line](targets, inputs) if self.line in INVERSE else -targets


class BrokenShift(Shift):
    """The same of a layer that learns."""

    def __init__(self, line):
        self.line = line

    def solve(self, params, inputs, targets, context):
        shift, count = mean_difference(inputs, targets, context)
        return SOLVE[self.line](params["shift"], shift, inputs, count)


BREACHES = [(Broken(line), line) for line in (*INIT, *FORWARD, *INVERSE)]
BREACHES += [(BrokenShift(line), line) for line in SOLVE]


def breaks(line):
    """File a layer under the line that the check must name for it."""

    def file(cls):
        BREACHES.append((cls(), line))
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


TARGETS = r"ndarray of shape \(\d+, 4\)"
INVERSES = {
    "params first": (lambda params, targets: (params, targets), rf"\(dict, {TARGETS}\)"),
    "params last": (lambda params, targets: (targets, params), rf"\({TARGETS}, dict\)"),
    "nothing": (lambda params, targets: None, "NoneType"),
    "a row less": (lambda params, targets: targets[:-1], TARGETS),
    "flat": (lambda params, targets: targets.ravel(), r"ndarray of shape \(\d+,\)"),
    "wide": (lambda params, targets: np.hstack([targets] * 2), r"targets of shape \(8,\)"),
}


@pytest.mark.parametrize("reads_inputs", [False, True])
@pytest.mark.parametrize(("returns", "told"), INVERSES.values(), ids=INVERSES)
def test_fit_tells_what_an_inverse_returned_in_place_of_targets(returns, told, reads_inputs):
    @with_traits(reads_inputs=reads_inputs)
    class Wrong(Negate):
        def invert(self, params, targets, inputs, context):
            return returns(params, targets)

    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier([Dense(8), Wrong(), Dense(4), Wrong()], readout="last", random_state=0)
    with pytest.raises(ValueError, match=rf"Wrong\.invert returned {told}"):
        model.fit(X, y)


def test_fit_tells_what_learn_inverse_returned_in_place_of_params():
    class Wrong(Negate):
        def learn_inverse(self, params, chunks, context):
            return params, list(chunks)

    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"returned \(dict, list\)\. It has to return params"):
        ZORBClassifier([Dense(8), Wrong()], random_state=0).fit(X, y)


@pytest.mark.parametrize(("layer", "line"), BREACHES)
def test_each_breach_is_named(layer, line):
    with pytest.raises(AssertionError) as caught:
        check_layer(layer, ROW)
    assert str(caught.value).startswith(f"{type(layer).__name__} breaks the contract of layers: ")
    assert line in str(caught.value)


class NoInverse(Layer):
    def forward(self, params, inputs, *, rng=None):
        return -inputs


class Fewer(NoInverse):
    def forward(self, params, inputs, *, rng=None):
        return -inputs[:, :1]


class FewerOfShape(Fewer):
    def output_shape(self, input_shape):
        return (1,)


RETURNED = {
    "params too": lambda params, targets: (params, targets),
    "nothing": lambda params, targets: None,
    "more": lambda params, targets: 1.1 * targets,
}


class Returns(Negate):
    """An inverse that returns something else than targets."""

    def __init__(self, what):
        self.what = what

    def inverse(self, params, targets, inputs):
        return RETURNED[self.what](params, -targets)


class SolvesNothing(Shift):
    solve = Layer.solve


class TakesRowsForArrays(Shift):
    def solve(self, params, inputs, targets, context):
        return Solved({"shift": (targets - inputs).mean(axis=0)})


class Draws(Negate):
    def forward(self, params, inputs, *, rng=None):
        return noise() - inputs


class Dictionary(Negate):
    traits = {"learns": True}


ADVICE = [
    (NoInverse(), "The class does not override invert"),
    (FewerOfShape(), "The class does not override invert"),
    (Fewer(), r"It returned ndarray of shape \(150, 1\), .* \(150, 4\)\. Override output_shape"),
    (Returns("params too"), r"It returned \(dict, ndarray of shape \(150, 4\)\), .*one array"),
    (Returns("nothing"), "It returned NoneType, .*one array"),
    (Returns("more"), r"entries differ: the one at \[\d+, \d\] .*exact_inverse=False"),
    (Draws(), "Take all random numbers from the rng"),
    (SolvesNothing(), "has no solve: override it"),
    (TakesRowsForArrays(), r"'Targets' and 'Rows'.*inputs\[:\]"),
    (Dictionary(), "Its traits are of type dict"),
    (WritesParams(), "return a copy of it"),
    (KeepsState(), "It set seen_; return it"),
    (Broken("arrays passed in are only read"), "Work on copies"),
    (Broken("forward treats each row by itself"), "such as a mean, is for init or solve"),
    (Broken("forward works under jax.jit"), r"namespace\(inputs\), not from NumPy"),
]


@pytest.mark.parametrize(("layer", "advice"), ADVICE)
def test_a_breach_says_in_few_words_what_came_and_what_to_do(layer, advice):
    with pytest.raises(AssertionError, match=advice) as caught:
        check_layer(layer, ROW)
    assert len(str(caught.value)) < 350 and "\n" not in str(caught.value)


@pytest.mark.parametrize("layer", [Negate, "Dense[4]", None])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(TypeError, match="pass an object of a class that inherits from"):
        check_layer(layer, ROW)


@pytest.mark.parametrize("shape", [4, "4", (), (0,), (2.5,), None])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"input_shape=.*pass a tuple of positive int"):
        check_layer(Negate(), shape)


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
