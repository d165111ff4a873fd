"""What layers="auto" builds, and how good it is."""

import numpy as np
import pytest
from scipy import sparse as sp
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from sklearn_zorb import ZORBClassifier, ZORBRegressor, auto_layers, format_layers, parse_layers
from sklearn_zorb.layers import Auto, FlipAverage, ShiftAverage, Trees
from sklearn_zorb.rows import output_shapes


def kinds(layers):
    """The learning layer of each block."""
    return [block[-1].get_params().get("kind", "ridge") for block in layers[0].blocks]


@pytest.mark.parametrize(
    "rows, expected",
    [
        (9, ["ridge", "auto"]), (10, ["ridge", "auto", "forest"]),
        (1999, ["ridge", "auto", "forest"]),
        (2000, ["ridge", "auto", "gaussian", "forest", "boosting"]),
    ],
)  # fmt: skip
def test_blocks_come_with_rows(rows, expected):
    assert kinds(auto_layers((rows, 5))) == expected


@pytest.mark.parametrize("shape", [(0, 3), (10, -1), (2.5, 3), (3,), (3, 4, 5)])
def test_shapes_that_no_data_have(shape):
    with pytest.raises(ValueError, match="the numbers of rows and of columns, both at least 1"):
        auto_layers(shape)


def test_landmarks_grow_with_distinct_rows_up_to_a_budget():
    def landmarks(X):
        return [block[-1].units for block in auto_layers(X)[0].blocks[1:2]]

    X = np.random.default_rng(0).normal(size=(120, 3))
    assert landmarks(X) == [120]
    assert landmarks(np.repeat(X, 30, axis=0)) == [120]
    assert landmarks((3000, 3)) == [3000]
    assert landmarks((3001, 3)) == [2000]
    assert landmarks((10**6, 3)) == [500]
    # as many as 2e10 flops allow for their products
    assert landmarks((20_000, 3)) == [1000]


def trees(layers):
    """Settings of the forests and boostings among the blocks."""
    return [block[-1].get_params() for block in layers[0].blocks if isinstance(block[-1], Trees)]


@pytest.mark.parametrize("effort", ["fast", "auto", "best"])
def test_efforts_are_lists_like_any_other(effort):
    X, y = datasets.make_friedman1(250, random_state=0)
    layers = auto_layers(X, effort=effort)
    fits = [
        ZORBRegressor(of, random_state=0).fit(X[:150], y[:150])
        for of in (f" {effort.upper()}", auto_layers(X[:150], effort=effort))
    ]
    assert format_layers(parse_layers(format_layers(layers))) == format_layers(layers)
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))
    assert fits[0].score(X[150:], y[150:]) > 0.75


def test_work_rises_with_effort_and_no_faster_than_rows():
    def work(n_rows, effort):
        layers = auto_layers((n_rows, 30), effort=effort)
        ensembles = trees(layers)
        grown = [each["n_estimators"] for each in ensembles if each["kind"] != "boosting"]
        boosted = [
            each["n_estimators"] * each["cv"] for each in ensembles if each["kind"] == "boosting"
        ]
        return layers[0].blocks[1][-1].units, sum(grown), sum(boosted)

    for n_rows in (300, 3000, 30_000, 10**6):
        fast, auto, best = (work(n_rows, effort) for effort in ("fast", "auto", "best"))
        assert all(a <= b <= c for a, b, c in zip(fast, auto, best, strict=True))
    few, many = np.array(work(20_000, "auto")), np.array(work(10**6, "auto"))
    assert (many <= few).all()


@pytest.mark.parametrize("effort", ["quick", None, 3])
def test_efforts_that_are_none(effort):
    with pytest.raises(ValueError, match=r"effort=.*; pass one of 'fast', 'auto', 'best'"):
        auto_layers((100, 3), effort=effort)


def test_wide_inputs_do_without_ramps_and_boosting():
    texts = [format_layers(auto_layers((3000, columns))) for columns in (100, 101, 500, 501)]
    assert ["PiecewiseLinear" in text for text in texts] == [True, False, False, False]
    assert ["boosting" in text for text in texts] == [True, True, True, False]


def test_many_outputs_do_without_boosting():
    texts = [format_layers(auto_layers((3000, 5), n_outputs=count)) for count in (10, 11)]
    assert ["boosting" in text for text in texts] == [True, False]
    X, eleven = np.random.default_rng(0).normal(size=(3000, 5)), np.arange(3000) % 11
    for y, classes, boosted in (
        (eleven, True, False), (eleven % 3, True, True), (eleven, False, True),
        (np.ones((3000, 11)) * X[:, :1], False, False),
        ((X[:, :1] + np.arange(11) > 5).astype(int), True, False),
    ):  # fmt: skip
        count = len(np.unique(y)) if classes and y.ndim == 1 else y.reshape(3000, -1).shape[1]
        text = format_layers(auto_layers(X, y, n_outputs=count))
        assert ("boosting" in text) == boosted


def test_sparse_inputs_stay_sparse():
    wide = sp.random(60, 1001, 0.01, format="csr", random_state=0)
    assert kinds(auto_layers(wide)) == ["ridge", "forest"]
    assert ZORBRegressor().fit(wide, wide[:, [0]].toarray().ravel()).n_features_in_ == 1001
    X, y = datasets.load_iris(return_X_y=True)
    model = ZORBClassifier(random_state=0).fit(sp.csr_matrix(X), y)
    assert model.score(sp.csr_matrix(X), y) > 0.9


def test_they_are_written_as_text_and_give_the_same_model():
    X, y = datasets.load_diabetes(return_X_y=True)
    X, y = X[:120], y[:120]
    text = format_layers(auto_layers(X, y))
    assert format_layers(parse_layers(text)) == text
    fits = [ZORBRegressor(layers, random_state=0).fit(X, y) for layers in ("auto", text)]
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))


@pytest.mark.quick(1)
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_classes_and_probabilities_against_a_forest(name):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    losses, scores = [], []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(X, y):
        for model in (ZORBClassifier(random_state=0), RandomForestClassifier(random_state=0)):
            model.fit(X[train], y[train])
            shares = np.clip(model.predict_proba(X[test]), 1e-6, 1)
            losses.append(log_loss(y[test], shares / shares.sum(axis=1, keepdims=True)))
            scores.append(model.score(X[test], y[test]))
    assert np.mean(losses[::2]) < np.mean(losses[1::2])
    assert np.mean(scores[::2]) >= np.mean(scores[1::2])


@pytest.mark.slow
def test_numbers_against_a_forest():
    for X, y in (
        datasets.load_diabetes(return_X_y=True),
        datasets.make_friedman1(300, random_state=0),
    ):
        folds = KFold(3, shuffle=True, random_state=0)
        ours = cross_val_score(ZORBRegressor(random_state=0), X, y, cv=folds).mean()
        forest = cross_val_score(RandomForestRegressor(random_state=0), X, y, cv=folds).mean()
        assert ours > forest + 0.02


def test_loo_score_is_not_far_from_the_test_score():
    X, y = datasets.make_friedman1(600, noise=1.0, random_state=0)
    model = ZORBRegressor(random_state=0).fit(X[:300], y[:300])
    assert model.loo_score_ == pytest.approx(model.score(X[300:], y[300:]), abs=0.05)


@pytest.mark.slow
def test_labels_several_numbers_and_many_rows():
    X, Y = datasets.make_multilabel_classification(150, n_classes=3, random_state=0)
    assert ZORBClassifier(random_state=0).fit(X, Y).predict_proba(X).shape == (150, 3)
    X, y = datasets.make_friedman1(2000, random_state=0)
    several = ZORBRegressor(random_state=0).fit(X[:200], np.stack([y, -y], axis=1)[:200])
    assert several.predict(X).shape == (2000, 2) and several.loo_score_ > 0.8
    model = ZORBRegressor(random_state=0).fit(X, y)
    weights = model.params_[-1]["block_weights"]
    assert weights.shape == (5,) and weights.sum() == pytest.approx(1)
    assert model.loo_score_ > 0.9


def test_images_have_filters_of_their_size():
    def text(n_rows, shape, effort="auto"):
        layers = auto_layers((n_rows, np.prod(shape)), effort=effort, input_shape=shape)
        assert format_layers(parse_layers(format_layers(layers))) == format_layers(layers)
        return format_layers(layers)

    assert text(500, (9, 8)).startswith("Reshape[(9, 8, 1)] Conv2D[")
    # colour images beside their mirror images, in regions that overlap; large ones coarser
    colour = parse_layers(text(500, (32, 40, 3)))[0]
    assert isinstance(colour, FlipAverage)
    ((side_by_side,),) = colour.children()
    for block in side_by_side.children():
        inner, outer = output_shapes(block, (32, 40, 3))[-3:-1]
        assert outer[:2] == (4, 4)
        # regions that each pixel is under, where half of each is the next one's too
        pixels = np.eye(inner[0] * inner[1]).reshape(-1, *inner[:2], 1)
        under = (block[-2].forward({}, pixels) > 0).sum(axis=(1, 2, 3))
        assert under.min() == 1 and under.mean() > 2.5
    assert text(500, (96, 90, 1)).startswith("AvgPool2D[3] Conv2D[")
    assert "Conv2D" not in text(500, (7, 30, 3)) + text(500, (5, 8, 8, 1)) + text(500, (64,))
    assert "Conv2D" not in text(500, (9, 8, 1), Auto(blocks="linear+forest"))


@pytest.mark.parametrize("n_rows", [300, 10_000, 10**6])
def test_filters_and_landmarks_rise_with_effort_and_fall_with_rows(n_rows):
    def sizes(n_rows, effort):
        layers = auto_layers((n_rows, 1024), effort=effort, input_shape=(32, 32, 1))
        first = layers[0]
        assert isinstance(first, ShiftAverage) == (effort == "best")
        filters = first.layers[0] if effort == "best" else first
        return filters.filters, layers[-1].blocks[-1][-1].units

    found = np.array([sizes(n_rows, effort) for effort in ("fast", "auto", "best")])
    assert (np.diff(found, axis=0) >= 0).all()
    assert (sizes(2 * n_rows, "auto")[0] <= found[1, 0]).all()
    assert (found[:, 1] <= n_rows).all()


def test_images_are_classified():
    X, y = datasets.load_digits(return_X_y=True)
    X, y = 100 * X[::3], y[::3]
    scores = []
    for shape in (None, (8, 8)):
        model = ZORBClassifier("fast", input_shape=shape, random_state=0).fit(X[:400], y[:400])
        scores.append(model.score(X[400:], y[400:]))
    assert scores[0] < scores[1] > 0.95
    assert model.params_[2]["weights"].dtype == np.float32
    # a first batch leaves no stack that others could go on from
    assert ZORBClassifier(input_shape=(8, 8)).partial_fit(X, y, classes=range(10)).score(X, y) > 0.9


def test_images_of_few_pixels_are_flattened():
    X = np.random.default_rng(0).normal(size=(60, 12))
    model = ZORBRegressor(input_shape=(2, 3, 2), random_state=0).fit(X, X[:, 0])
    assert model.loo_score_ > 0.5
