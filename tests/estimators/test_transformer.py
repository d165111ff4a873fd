"""`ZORBTransformer`: hidden features with names, in any container."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_friedman1
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_zorb import ZORBClassifier, ZORBRegressor, ZORBTransformer, load, save
from sklearn_zorb.layers import Dense

X, Y = load_iris(return_X_y=True, as_frame=True)


def by_hand(model, X, *names):
    """The outputs of layers of a fitted estimator, computed one after the other."""
    outputs, found = np.asarray(X, dtype=np.float64), []
    for (name, layer), params in zip(model.layers_, model.params_, strict=True):
        if name == "readout":
            break
        outputs = layer.forward(params, outputs)
        if name in names:
            found.append(outputs)
    return np.hstack(found)


def test_features_are_those_of_the_classifier():
    layers = "Dense[8] Tanh Dense[5] ReLU"
    classifier = ZORBClassifier(layers, random_state=0).fit(X, Y)
    for readout, names in {"last": ["relu_1"], "all": ["tanh_1", "relu_1"]}.items():
        transformer = ZORBTransformer(layers, readout=readout, random_state=0)
        features = transformer.fit_transform(X, Y)
        np.testing.assert_allclose(features, by_hand(classifier, X, *names), atol=1e-12)
        names_out = transformer.get_feature_names_out().tolist()
        assert names_out[-5:] == [f"relu_1_{i}" for i in range(5)]
        assert len(names_out) == features.shape[1]


def test_features_are_those_of_the_regressor():
    frame, y = load_diabetes(return_X_y=True, as_frame=True)
    regressor = ZORBRegressor("Dense[8] Tanh", random_state=0).fit(frame, y)
    # whole numbers, which "auto" would take for classes
    transformer = ZORBTransformer("Dense[8] Tanh", task="regression", random_state=0)
    features = transformer.fit_transform(frame, y.astype(int))
    np.testing.assert_allclose(features, by_hand(regressor, frame, "tanh_1"), atol=1e-12)


def test_the_task_follows_from_y():
    words, numbers = np.array(["a", "b", "c"])[Y], Y + 0.5
    features = [
        ZORBTransformer("Dense[8] Tanh", task=task, random_state=0).fit_transform(X, y)
        for task, y in [
            ("auto", words),
            ("classification", Y),
            ("auto", numbers),
            ("regression", Y),
        ]
    ]
    np.testing.assert_array_equal(features[0], features[1])
    np.testing.assert_allclose(features[2], features[3], atol=1e-9)
    assert not np.allclose(features[0], features[2])
    with pytest.raises(ValueError, match="text"):
        ZORBTransformer("Dense[8] Tanh", task="regression").fit(X, words)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_come_back(container):
    module = pytest.importorskip(container)
    frame = module.DataFrame(
        {**{str(name): X[name].to_numpy() for name in X}, "t": list("abc") * 50}
    )
    transformer = ZORBTransformer("Dense[3] Tanh", random_state=0).set_output(transform=container)
    features = transformer.fit_transform(frame, Y.to_numpy())
    assert isinstance(features, module.DataFrame)
    assert list(features.columns) == ["tanh_1_0", "tanh_1_1", "tanh_1_2"]
    plain = transformer.set_output(transform="default").transform(frame)
    assert isinstance(plain, np.ndarray)
    np.testing.assert_array_equal(np.asarray(features), plain)


def test_index_of_pandas_is_kept():
    rows = X.set_index(X.index * 2)
    features = ZORBTransformer("Dense[3] Tanh").set_output(transform="pandas").fit(X, Y)
    assert features.transform(rows).index.equals(rows.index)


def test_in_composites():
    features = ZORBTransformer([("hidden", Dense(2))], random_state=0)
    union = FeatureUnion([("features", features), ("scaled", StandardScaler())])
    union.set_output(transform="pandas")
    assert list(union.fit_transform(X, Y).columns[:2]) == [
        "features__hidden_0",
        "features__hidden_1",
    ]
    split = ColumnTransformer(
        [("features", features, list(X.columns[:2]))], remainder="passthrough"
    )
    split.set_output(transform="pandas")
    others = [f"remainder__{name}" for name in X.columns[2:]]
    assert list(split.fit_transform(X, Y).columns) == [
        "features__hidden_0",
        "features__hidden_1",
        *others,
    ]
    model = make_pipeline(ZORBTransformer("Dense[8] Tanh", random_state=0), LogisticRegression())
    assert model.fit(X, Y).score(X, Y) > 0.9
    assert model[:-1].get_feature_names_out().tolist() == [f"tanh_1_{i}" for i in range(8)]


def test_a_linear_model_of_kernel_features_is_a_kernel_machine():
    rows, y = make_friedman1(400, random_state=0)
    ridge = RidgeCV(np.logspace(-6, 2, 9))
    plain = ridge.fit(rows[:300], y[:300]).score(rows[300:], y[300:])
    model = make_pipeline(ZORBTransformer("Kernel[80]", random_state=0), ridge)
    assert model.fit(rows[:300], y[:300]).score(rows[300:], y[300:]) > plain + 0.15


def test_images_and_precision():
    rows, y = load_digits(n_class=3, return_X_y=True)
    layers = "Conv2D[2, 3] ReLU AvgPool2D[2]"
    transformer = ZORBTransformer(layers, input_shape=(8, 8, 1), dtype="float32", random_state=0)
    features = transformer.fit_transform(rows, y)
    # 3 x 3 windows of two channels, flat
    assert features.shape == (len(rows), 18) and features.dtype == np.float32
    assert transformer.get_feature_names_out()[-1] == "avgpool2d_1_17"


@pytest.mark.slow
def test_jax_agrees():
    features = [
        ZORBTransformer("Dense[8] Tanh", backend=backend, random_state=0).fit_transform(X, Y)
        for backend in ("numpy", "jax")
    ]
    np.testing.assert_allclose(*features, atol=1e-8)


def test_weights_are_copies():
    weights = np.arange(len(X)) % 3
    copies = np.repeat(np.arange(len(X)), weights)
    transformer = ZORBTransformer("Kernel[10] Dense[4] Tanh", random_state=0)
    weighted = transformer.fit(X, Y, sample_weight=weights).transform(X)
    repeated = transformer.fit(X.iloc[copies], Y.iloc[copies]).transform(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-8)


@pytest.mark.parametrize("layers", ["Stack(Identity | Kernel[5])", "Dense[4] Tanh Trees[3]"])
def test_left_out_predictions_are_no_features(layers):
    with pytest.raises(ValueError, match="Stack|Trees"):
        ZORBTransformer(layers).fit(X, Y)


def test_the_default_is_one_hidden_block():
    transformer = ZORBTransformer(random_state=0).fit(X, Y)
    assert [name for name, _ in transformer.layers_] == ["standardize", "dense_1", "relu_1"]
    assert not hasattr(transformer, "predict") and not hasattr(transformer, "classes_")
    assert "dense_1" in transformer.summary(print_fn=None)
    assert "ZORBTransformer" in transformer._repr_html_()


def test_it_is_saved(tmp_path):
    frame = X.assign(day=pd.Timestamp("2020-01-01"), kind=pd.Categorical(list("ab") * 75))
    transformer = ZORBTransformer("Kernel[10]", random_state=0).fit(frame, Y)
    save(transformer, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(frame), transformer.transform(frame))
    assert again.get_feature_names_out().tolist() == transformer.get_feature_names_out().tolist()
