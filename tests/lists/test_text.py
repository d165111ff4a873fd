"""Layers as text: what is read, what is written, and what the errors show."""

import random
import re

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sklearn_zorb import ZORBRegressor
from sklearn_zorb import layers as public
from sklearn_zorb.layers import (
    Conv2D,
    Dense,
    EstimatorLayer,
    Flatten,
    Identity,
    Layer,
    LayerSyntaxError,
    Parallel,
    ReLU,
    Reshape,
    Sigmoid,
    Skip,
    Stack,
    Tanh,
    Trees,
    format_layers,
    parse_layers,
    register_layer,
)
from sklearn_zorb.lists.grammar import KNOWN_LAYERS


def described(value):
    """Types and parameters all the way down, for comparisons by ``==``."""
    if isinstance(value, Layer):
        params = value.get_params(deep=False)
        return type(value), {name: described(inner) for name, inner in params.items()}
    if isinstance(value, list | tuple):
        return type(value), [described(inner) for inner in value]
    return type(value), value


class OwnLayer(Layer):
    """Not one of the package's."""


class Lattice(Layer):
    """Takes arguments of every kind."""

    def __init__(self, rows, columns, depth=1, order="C", *, wrap=False):
        self.rows = rows
        self.columns = columns
        self.depth = depth
        self.order = order
        self.wrap = wrap


@pytest.fixture
def lattice(monkeypatch):
    """Makes Lattice a public layer: nothing else is needed to write it as text."""
    monkeypatch.setitem(KNOWN_LAYERS, "lattice", Lattice)


# -- reading -----------------------------------------------------------------------------------

READ = [
    ("Dense", [Dense()]), ("Dense[]", [Dense()]), ("Dense[64]", [Dense(64)]),
    ("Dense [ 64 , ]", [Dense(64)]), ("dENSE[units=64]", [Dense(64)]),
    ("Dense[64]\n\tTanh\n", [Dense(64), Tanh()]),
    ("Conv2D[8,3] Sigmoid Flatten", [Conv2D(8, 3), Sigmoid(), Flatten()]),
    ("Convolution2D[8,3]", [Conv2D(8, 3)]), ("convolution[8,3]", [Conv2D(8, 3)]),
    ("Reshape[(8, 8, 1)]", [Reshape((8, 8, 1))]),
    (
        "Dense[64, initializer=he, use_bias=false, alpha=1e-3]",
        [Dense(64, initializer="he", use_bias=False, alpha=1e-3)],
    ),
    (["Dense[64,", "alpha=1]", "Tanh"], [Dense(64, alpha=1), Tanh()]),
    (("Dense[64]", "Tanh"), [Dense(64), Tanh()]),
    ("Skip(Dense[64] Tanh)", [Skip([Dense(64), Tanh()])]),
    ("Skip ( Tanh ) Tanh", [Skip([Tanh()]), Tanh()]),
    ("Skip(Skip(Tanh))", [Skip([Skip([Tanh()])])]),
    ("Parallel(Dense[64] Tanh | Identity)", [Parallel([[Dense(64), Tanh()], [Identity()]])]),
    ("Parallel(Skip(Tanh)|Tanh)", [Parallel([[Skip([Tanh()])], [Tanh()]])]),
    ("Stack(Dense | Trees)", [Stack([[Dense()], [Trees()]])]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ, ids=[str(text) for text, _ in READ])
def test_parse(text, expected):
    assert described(parse_layers(text)) == described(expected)


VALUES = [
    ("64", 64), ("+64", 64), ("-1", -1), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5),
    ("1e-3", 1e-3), ("2E+3", 2000.0), ("true", True), ("False", False), ("NONE", None),
    ("loo", "loo"), ("Loo_2", "Loo_2"), ("'none'", "none"), ('"a b"', "a b"), ("''", ""),
    (r"'it\'s'", "it's"), (r'"a\\b\n\"c\""', 'a\\b\n"c"'), ("'] ) | ,'", "] ) | ,"), ("()", ()),
    ("(3)", (3,)), ("(3, 3)", (3, 3)), ("(3,)", (3,)), ("((1, he), none)", ((1, "he"), None)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text, value):
    (layer,) = parse_layers(f"Dense[alpha={text}]")
    assert described(layer.alpha) == described(value)


# -- errors ------------------------------------------------------------------------------------

# ^ marks where the caret must stand
FAULTS = [
    ("^", "empty"),
    ("^Dens[64]", "Did you mean Dense?"),
    ("Dense ^dnse", "Unknown layer 'dnse'"),
    ("^Convolutional[8, 3]", "Did you mean Conv2D?"),
    ("^zzz", "Known layers: Auto, AvgPool2D, BatchNorm"),
    ("^64", "Expected the name of a layer, as in Dense[64], got '64'"),
    ("Dense[3] ^[4]", "Expected the name of a layer"),
    ("Dense^-64", "Expected the name of a layer"),
    ("Dense^, Tanh", "separated by spaces"),
    ("Dense ^| Tanh", "between blocks only: write Parallel"),
    ("Dense^]", "This ']' closes nothing: remove it"),
    ("Skip(Tanh)^)", "This ')' closes nothing: remove it"),
    ("Dense^[64", "This '[' is never closed: add ']'"),
    ("Dense[alpha=^(1", "This '(' is never closed: add ')'"),
    ("Skip^(Dense", "This '(' is never closed: add ')'"),
    ("Skip^(Parallel(Dense | Tanh)", "This '(' is never closed: add ')'"),
    ("Dense[^", "Expected a value, such as 64 or true, got the end of the text"),
    ("Dense[64^)", "Expected ',' or ']', got ')'"),
    ("Dense[64 ^Tanh", "Expected ',' or ']', got 'Tanh'"),
    ("Dense[alpha=(1 ^2)]", "Expected ',' or ')', got '2'"),
    ("Dense[^,]", "Expected a value, such as 64 or true, got ','"),
    ("Dense[units=^]", "Expected a value, such as 64 or true, got ']'"),
    ("Dense[units=^=3]", "Expected a value, such as 64 or true, got '='"),
    ("Dense['units'^=3]", "Expected ',' or ']', got '='"),
    ("Dense[64, ^use_bais=true]", "no argument 'use_bais'. Valid arguments: units, use_bias"),
    ("Tanh[^x=1]", "Tanh has no argument 'x'. It takes none"),
    ("Tanh[^3]", "Tanh takes no arguments: remove them"),
    ("Dense[64, ^3]", "Dense takes 1 by position (units); write the others by name: use_bias"),
    ("LeakyReLU[0.1, ^2]", "LeakyReLU takes 1 by position (slope); remove the others"),
    ("Dense[use_bias=true, ^3]", "Write name=value"),
    ("Dense[3, ^units=4]", "'units' is given twice"),
    ("Dense[alpha=1, ^alpha=1]", "'alpha' is given twice"),
    ("Tanh ^Conv2D", "Conv2D needs filters: write Conv2D[filters=...]"),
    ("Dense[^1_000]", "'1_000' is no number"),
    ("Dense[^1.2.3]", "'1.2.3' is no number"),
    ("Dense[^12px]", "'12px' is no number"),
    ("Dense[alpha=^inf]", "finite"),
    ("Dense[alpha=^-Inf]", "finite"),
    ("Dense[alpha=^nan]", "finite"),
    ("Dense[alpha=^1e999]", "finite"),
    ("Dense[initializer=^'he]", "quote is never closed"),
    ("Dense[initializer=^@]", "Unexpected '@': quote strings"),
    ("Dense^(64)", "Dense takes no blocks; arguments stand in square brackets: Dense[...]"),
    ("Skip[^Dense[3]]", "Layers stand in parentheses, as in Skip(Dense[64])"),
    ("Skip[^Tanh]", "Skip takes no arguments: layers stand in parentheses"),
    ("Skip[^layers=x](Tanh)", "'layers' stands in parentheses"),
    ("^Skip Tanh", "Skip needs a block: write Skip(Dense[64] Tanh)"),
    ("^Parallel", "Parallel needs a block: write Parallel(Dense[64] Tanh | Identity)"),
    ("Skip(^)", "block is empty: write a layer"),
    ("Parallel(Tanh | ^)", "block is empty"),
    ("Parallel(^| Tanh)", "block is empty"),
    ("Skip(Dense ^| Tanh)", "Skip takes one block"),
    ("Skip(Tanh^, Tanh)", "separated by spaces"),
    ("Skip(Tanh^]", "This ']' closes nothing"),
    ("Dense[^__import__('os')]", "Layers stand in parentheses"),
]


@pytest.mark.parametrize(("marked", "message"), FAULTS, ids=[marked for marked, _ in FAULTS])
def test_fault(marked, message):
    text = marked.replace("^", "")
    with pytest.raises(LayerSyntaxError) as raised:
        parse_layers(text)
    says, shown, caret = str(raised.value).split("\n")
    assert message in says
    assert shown == f"    {text}"
    assert caret == " " * (4 + marked.index("^")) + "^"


@pytest.mark.parametrize(
    ("text", "shown", "caret"),
    [
        ("Tanh\nDense[64\n]\nTanh[3] Tanh\nTanh", "Tanh[3] Tanh", "     ^"),
        ("Tanh\n\tTanh[3]", "\tTanh[3]", "\t     ^"),
        ("Skip(Tanh  \n\n", "Skip(Tanh  ", "    ^"),
        ("Dense[64,  \n", "Dense[64,  ", "         ^"),
        (["Tanh", "Tanh[3]"], "Tanh Tanh[3]", "          ^"),
    ],
)
def test_fault_shows_its_line(text, shown, caret):
    with pytest.raises(LayerSyntaxError) as raised:
        parse_layers(text)
    assert str(raised.value).split("\n")[1:] == [f"    {shown}", f"    {caret}"]


@pytest.mark.parametrize(
    "text, column",
    [("Skip(" * 300, 154), ("Skip(" * 40 + "Tanh" + ")" * 40, 154), ("Dense[" + "(" * 2000, 36)],
)
def test_text_may_not_nest_without_end(text, column):
    with pytest.raises(LayerSyntaxError, match="nested more than 30 deep") as raised:
        parse_layers(text)
    assert str(raised.value).splitlines()[-1].index("^") == column + 4


def test_layers_nest_as_deep_as_text_may():
    layers = parse_layers("Skip(" * 30 + "Tanh" + ")" * 30)
    assert parse_layers(format_layers(layers))[0].get_params(deep=False)


@pytest.mark.parametrize("text", [None, 3, b"Dense", ["Dense", 3], [Dense()], {"Dense"}])
def test_parse_refuses_what_is_no_text(text):
    with pytest.raises(TypeError, match="a string or a list of strings; got"):
        parse_layers(text)


def test_any_text_gives_layers_or_a_syntax_error():
    pieces = ["Dense", "Tanh", "Dense[64]", "Skip(", "Parallel(", "alpha=", "64", "he", *"[](),|"]
    draw = random.Random(0)
    n_read = 0
    for _ in range(3000):
        text = " ".join(draw.choices(pieces, k=draw.randint(0, 9)))
        try:
            layers = parse_layers(text)
        except LayerSyntaxError:
            continue
        n_read += 1
        assert described(parse_layers(format_layers(layers))) == described(layers)
    assert n_read > 50


# -- writing -----------------------------------------------------------------------------------

WRITTEN = [
    "Dense", "Dense[64]", "Dense[64, use_bias=false]", "Dense[alpha=0.001]",
    "Dense[8] Sigmoid Dense Softmax", "Conv2D[8] Flatten", "Conv2D[8, 5, 2]", "Conv2D[8, (3, 5)]",
    "LeakyReLU[0.3]", "ReLU[uniform]", "Reshape[(16,)]", "Skip(Dense[64] Tanh)",
    "Parallel(Dense[64] Tanh | Skip(Tanh) | Identity)", "Stack(Dense | Trees)",
]  # fmt: skip


def test_a_list_is_written_as_the_tuple_it_stands_for():
    assert format_layers([Reshape([4, 4])]) == "Reshape[(4, 4)]"


@pytest.mark.parametrize("text", WRITTEN)
def test_written_form(text):
    assert format_layers(parse_layers(text)) == text


WHOLE = [0, -3, 10**30, True, False, (), (1,), (1, (2.0, None, "x y"))]
REAL = [1.0, -0.1, 1e-300, 1.7976931348623157e308, 0.1 + 0.2]
TEXTS = ["he", "HE_2", "", " ", "none", "True", "inf", "NaN", "1e3", "k-means", "é", "日本", "'",
         '"', "\\", "\\n", "a\nb\r\tc", "\x0b\x1c\u2028\x00", "] | ) ^"]  # fmt: skip


@pytest.mark.parametrize("value", WHOLE + REAL + TEXTS, ids=repr)
def test_value_round_trip(value):
    # of use_bias, 1 equals the default and is another value
    layers = [Dense(8, alpha=value, use_bias=1), Skip([Dense(value)])]
    assert described(parse_layers(format_layers(layers))) == described(layers)


def test_numpy_scalars_are_written_as_python_ones():
    for value, text in (
        (np.int64(8), "8"), (np.float64(0.1), "0.1"), (np.float32(0.5), "0.5"),
        (np.bool_(True), "true"), (np.str_("he"), "he"),
    ):  # fmt: skip
        assert format_layers([Dense(alpha=value)]) == f"Dense[alpha={text}]"
        assert parse_layers(format_layers([Dense(alpha=value)]))[0].alpha == value


def test_every_default_layer_is_its_name():
    classes = [getattr(public, name) for name in public.__all__]
    written = 0
    for cls in classes:
        if isinstance(cls, type) and issubclass(cls, Layer) and cls is not Layer:
            try:
                layer = cls()
            except TypeError:  # has required arguments
                continue
            written += 1
            assert format_layers([layer]) == cls.__name__
            assert described(parse_layers(cls.__name__)) == described([layer])
    assert written > 15


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Lattice(2, 3), "Lattice[2, 3]"),
        (Lattice(2, 3, 4, "F"), "Lattice[2, 3, 4, F]"),
        (Lattice(2, 3, order="F"), "Lattice[2, 3, order=F]"),
        (Lattice(2, 3, 4, wrap=True), "Lattice[2, 3, 4, wrap=true]"),
    ],
)
@pytest.mark.usefixtures("lattice")
def test_arguments_are_written_by_position_up_to_the_first_default(layer, text):
    assert format_layers([layer]) == text
    assert described(parse_layers(text)) == described([layer])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Lattice", "Lattice needs rows and columns: write Lattice[rows=..., columns=...]"),
        ("Lattice[2]", "Lattice needs columns: write Lattice[rows=..., columns=...]"),
        ("Lattice[1, 2, 3, 4, 5]", "takes 4 by position (rows, columns, depth, order); write"),
    ],
)
@pytest.mark.usefixtures("lattice")
def test_required_and_positional_arguments(text, message):
    with pytest.raises(LayerSyntaxError, match=re.escape(message)):
        parse_layers(text)


def test_names_are_left_out():
    layers = [("first", Dense(8)), Skip([("inner", Tanh())]), Parallel([[("x", ReLU())]])]
    assert format_layers(layers) == "Dense[8] Skip(Tanh) Parallel(ReLU)"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Dense(8, initializer=described)],
            r"Dense: initializer=<function described.* cannot be written",
        ),
        ([Skip([Dense(initializer=np.zeros)])], r"Skip: layers: Dense: initializer="),
        ([Dense(alpha=np.ones(2))], r"Dense: alpha=array\(\[1., 1.\]\) cannot be written"),
        ([Dense(alpha={1, 2})], r"Dense: alpha=\{1, 2\} cannot be written"),
        ([Dense(alpha=float("inf"))], r"Dense: alpha=inf cannot be written"),
        ([Dense(alpha=(1, np.nan))], r"Dense: alpha=\(1, nan\) cannot be written"),
        ([EstimatorLayer(Ridge())], r"EstimatorLayer: estimator=Ridge\(\) cannot be written"),
        ([type("Dense", (Layer,), {})()], "pass the class to"),
        ([OwnLayer()], r"OwnLayer cannot be written as text, as text does not know it"),
        ([Skip([])], r"Skip: layers: An empty list"),
        ([Stack([])], r"Stack: blocks=\[\] has no text"),
        ([], r"An empty list"),
    ],
)
def test_what_cannot_be_written(layers, message):
    with pytest.raises(ValueError, match=message):
        format_layers(layers)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (Dense(8), "takes a list of layers; got Dense"),
        ("Dense[8]", "takes a list of layers; got 'Dense"),
        ([Dense], "layers or .* pairs; got <class"),
        ([Dense(), Ridge()], "layers or .* pairs; got Ridge"),
        ([("a", Dense(), 3)], "layers or .* pairs; got .'a'"),
        ([Skip(Dense())], "Skip: layers: .* takes a list of layers"),
        ([Parallel([Dense()])], "Parallel: branches: .* takes a list of layers"),
        ([Parallel(3)], "Parallel: branches: .* takes a list"),
    ],
)
def test_format_refuses_what_is_no_list_of_layers(layers, message):
    with pytest.raises(TypeError, match=message):
        format_layers(layers)


# -- registering -------------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch):
    """Forgets what a test registers."""
    for key in ("ownlayer", "lattice"):
        monkeypatch.setitem(KNOWN_LAYERS, key, None)
        del KNOWN_LAYERS[key]


def test_a_registered_layer_is_read_and_written(registry):
    assert register_layer(OwnLayer) is OwnLayer
    layers = parse_layers("Dense[64] ownlayer")
    assert described(layers) == described([Dense(64), OwnLayer()])
    assert format_layers(layers) == "Dense[64] OwnLayer"


def test_a_class_that_is_defined_again_takes_the_place_of_the_former_one(registry):
    register_layer(OwnLayer)
    again = type("OwnLayer", (Layer,), {"__module__": __name__})
    register_layer(again)
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = ZORBRegressor("OwnLayer", random_state=0)
    assert type(model.fit(X, X[:, 0]).layers_[1][1]) is again


@pytest.mark.parametrize("text", ["Dense[8]", "Convolution[8, 3]"])
def test_names_of_other_layers_are_refused(text):
    before, name = parse_layers(text), text.partition("[")[0]
    with pytest.raises(ValueError, match=rf"{name} is the name of sklearn_zorb.*: give"):
        register_layer(type(name, (Layer,), {}))
    assert described(parse_layers(text)) == described(before)


@pytest.mark.parametrize("wrong", [OwnLayer(), dict, "Dense"])
def test_only_classes_of_layers_are_registered(wrong):
    with pytest.raises(TypeError, match="takes a class of layers"):
        register_layer(wrong)


def test_unknown_names_tell_how_to_register():
    with pytest.raises(LayerSyntaxError, match="register_layer makes a class of your own known"):
        parse_layers("Softsign")
