"""Sessions of exported models give what the models give."""

import numpy as np
import pytest
from golden import CLASSES, TYPED, X, Y
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    ZORBTransformer,
)
from sklearn_zorb.layers import (
    AvgPool2D,
    Conv2D,
    Dense,
    EstimatorLayer,
    Flatten,
    Identity,
    Layer,
    MaxPool2D,
    ReLU,
    Reshape,
    Stack,
)
from sklearn_zorb.layers.base import Traits
from sklearn_zorb.trainers import MLELM, Backprop

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pd = pytest.importorskip("pandas")

from sklearn_zorb.onnx import converts, onnx_inputs, to_onnx  # noqa: E402

BINARY, LABELS = Y > -2, np.column_stack([Y > -2, Y > -1.5]).astype(int)
NUMBERS = np.column_stack([Y, 100 * Y**2])
FEW_EPOCHS = Backprop(max_epochs=2)
LISTS = (
    "fast", "Identity", "Dense[6] Tanh Dense[4] Sigmoid", "Dense[4] LeakyReLU Dense[4] ReLU",
    "Dense[4] Cos Dropout Dense[4] Sign", "GaussianNoise Dense[4] Step", "Dense[4] BatchNorm Tanh",
    "PiecewiseLinear[3]", "NormalScores[ratio=0] Dense[4] Tanh", "Standardize[clip=3] Dense[4]",
    "Kernel[20]", "Kernel[90, kind=laplace]", "Kernel[20, kind=laplace_l1]", "Trees[3]",
    "Kernel[90, kind=gaussian] Tanh", "Trees[3, kind=extra, n_keep=2]", "Trees[2, kind=boosting]",
    "Dense[4] Tanh Trees[3]", "Skip(Dense[3] Tanh) Parallel(Dense[3] Tanh | Identity)",
    "Dense[4] Tanh Dense Softmax", "Dense[4] Tanh Dense Sigmoid",
    "Stack(Identity | Kernel[10] | Trees[2] | Trees[2, kind=boosting])",
)  # fmt: skip


def run(model, rows, **options):
    """What a session of the exported model gives for rows."""
    exported = to_onnx(model, rows[:1], **options)
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    return session.run(None, onnx_inputs(session, rows))


def assert_same(model, rows, tolerance=1e-5, **options):
    found = run(model, rows, **options)
    if not hasattr(model, "classes_"):
        expected = model.predict(rows)
        size = np.abs(expected).max() * tolerance
        np.testing.assert_allclose(found[0], expected.reshape(len(rows), -1), rtol=0, atol=size)
        return
    labels, probabilities = found
    np.testing.assert_array_equal(labels, model.predict(rows))
    np.testing.assert_allclose(probabilities, model.predict_proba(rows), rtol=0, atol=tolerance)


def cut(rows):
    """The same in single precision, which a session and the model then get alike."""
    return np.asarray(rows, dtype=np.float32)


@pytest.mark.parametrize("layers", LISTS)
def test_every_list(layers):
    y = Y if layers.startswith("Kernel") else CLASSES
    estimator = (ZORBRegressor if y is Y else ZORBClassifier)(layers, n_sweeps=1, random_state=0)
    model = estimator.fit(X, y)
    # some rows far from those of training, too
    rows = np.vstack([X, 3 * X[::7]])
    assert_same(model, cut(rows))
    assert_same(model, rows, tolerance=1e-6)


@pytest.mark.parametrize(
    "estimator, y",
    [
        (ZORBClassifier("Dense[6] Tanh"), BINARY),
        (ZORBClassifier("Dense[6] Tanh Dense Softmax"), BINARY.astype(int)),
        (ZORBClassifier("Stack(Identity | Trees[4])"), BINARY.astype(float) + 1),
        (ZORBClassifier("Dense[6] Tanh"), LABELS),
        (ZORBClassifier("Dense[6] Tanh Trees[2, kind=boosting]"), LABELS),
        (ZORBRegressor("Dense[6] Tanh", clip=False), Y),
        (ZORBRegressor("Dense[6] Tanh Trees[4]"), NUMBERS),
        (ZORBRegressor("Dense[6] Tanh", dtype="float32"), NUMBERS),
        (NetworkClassifier("Dense[6] Tanh", trainer=MLELM()), CLASSES),
        (NetworkClassifier("Dense[6] Tanh", trainer=FEW_EPOCHS), BINARY),
        (NetworkClassifier("Dense[6] Tanh", trainer=FEW_EPOCHS), CLASSES),
        (NetworkClassifier("Dense[6] Tanh", trainer=FEW_EPOCHS), LABELS),
        (NetworkRegressor("Dense[6] Tanh", trainer=FEW_EPOCHS), NUMBERS),
    ],
)
def test_every_task_within_a_pipeline(estimator, y):
    model = make_pipeline(StandardScaler(), estimator.set_params(random_state=0)).fit(X, y)
    assert_same(model, cut(X))


def test_a_pipeline_by_skl2onnx_itself():
    model = make_pipeline(StandardScaler(), ZORBClassifier("Dense[6] Tanh", random_state=0))
    model.fit(X, CLASSES)
    rows = cut(X)
    exported = skl2onnx.to_onnx(model, rows[:1])
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    labels, found = session.run(None, {"X": rows})
    assert labels.tolist() == model.predict(rows).tolist()
    # it makes dictionaries of probabilities, as for classifiers of scikit-learn
    table = np.array([[row[name] for name in model.classes_] for row in found])
    np.testing.assert_allclose(table, model.predict_proba(rows), atol=1e-5)


@pytest.mark.parametrize("y", [BINARY, CLASSES, LABELS], ids=["binary", "multiclass", "multilabel"])
def test_raw_scores(y):
    model = ZORBClassifier("Dense[6] Tanh", random_state=0).fit(X, y)
    _, scores = run(model, X, options={"zipmap": False, "raw_scores": True})
    np.testing.assert_allclose(scores, model.decision_function(X).reshape(len(X), -1), atol=1e-6)


def test_classes_that_the_largest_output_hides(rng):
    # the middle one of three on a line
    rows = np.sort(rng.uniform(-1, 1, size=(200, 1)), axis=0)
    y = np.digitize(rows[:, 0], [-0.3, 0.3])
    model = ZORBClassifier("Identity", random_state=0).fit(rows, y)
    assert model.model_.decoder.discriminant is not None
    assert_same(model, rows)


@pytest.mark.parametrize("readout", ["all", "last"])
def test_features_for_another_estimator(readout):
    model = ZORBTransformer("Dense[4] Tanh Kernel[9]", readout=readout, random_state=0)
    model = make_pipeline(model, Ridge()).fit(X, Y)
    assert_same(model, cut(X))


def test_images():
    pixels = np.sin(np.arange(60 * 50) ** 1.5).reshape(60, 50)
    layers = [
        Conv2D(3, 2, stride=2, padding="same"), ReLU(), MaxPool2D(2, stride=1), AvgPool2D((2, 1)),
        Conv2D(2, 1, padding=1), Flatten(), Dense(4), Reshape((2, -1, 1)), Flatten(),
    ]  # fmt: skip
    model = ZORBRegressor(layers, input_shape=(5, 5, 2), random_state=0).fit(pixels, Y)
    assert_same(model, cut(pixels))


def test_learned_filters_on_both_sides_of_an_image():
    pixels = np.sin(np.arange(60 * 72) ** 1.5).reshape(60, 72)
    pool = "AvgPool2D[regions=2] Power"
    layers = f"Conv2D[5, 3, initializer=patches, contrast=.1] CReLU[.2] {pool}"
    layers = f"FlipAverage(ShiftAverage[pixels=2]({layers}))"
    model = ZORBRegressor(layers, input_shape=(6, 6, 2), standardize=False, random_state=0)
    assert_same(model.fit(pixels, Y), cut(pixels))


@pytest.mark.parametrize(
    "layers",
    [
        [EstimatorLayer(Ridge())],
        [EstimatorLayer(LogisticRegression())],
        [EstimatorLayer(PCA(2), units=2)],
        [Stack([[EstimatorLayer(DecisionTreeRegressor(max_depth=3), cv=2)], [Identity()]])],
    ],
    ids=["regressor", "classifier", "transformer", "block"],
)
@pytest.mark.parametrize("y", [BINARY, CLASSES, LABELS], ids=["binary", "multiclass", "multilabel"])
def test_estimators_as_layers(layers, y):
    assert_same(ZORBClassifier(layers, random_state=0).fit(X, y), X)


def test_a_label_that_some_folds_lack():
    labels = np.column_stack([Y > -2, np.arange(60) != 7]).astype(int)
    assert_same(ZORBClassifier([EstimatorLayer(LogisticRegression())]).fit(X, labels), X)


def typed_table(rng, n_rows=120):
    """Columns of all types; some gaps, and a level that comes but once."""

    def gaps(values, share=0.1):
        return pd.Series(values).mask(rng.random(n_rows) < share)

    day = pd.to_datetime("1969-06-01T13:00") + pd.to_timedelta(rng.integers(0, 9000, n_rows), "h")
    city = rng.choice(["Bonn", "Rome", "Oslo", "Paris"], n_rows)
    city[7] = "Lima"
    return pd.DataFrame({
        "size (m)": gaps(rng.normal(size=n_rows)), "city": gaps(city), "day": gaps(day),
        "rooms": rng.integers(0, 5, n_rows), "new": rng.random(n_rows) < 0.5,
        "grade": pd.Categorical(rng.choice(list("abc"), n_rows), list("abc"), ordered=True),
        "wait": gaps(pd.to_timedelta(rng.integers(0, 99, n_rows), "s")), "none": [None] * n_rows,
        "same": 3.0, "zone": pd.Categorical(rng.choice([1, 2, 3], n_rows)),
    })  # fmt: skip


@pytest.mark.parametrize(
    "layers",
    [
        "fast", "Dense[6] Tanh", "Trees[3] Dense[3]", "Trees[3, kind=boosting]",
        "Encode[max_levels=2] Dense[4] Tanh",
        "Parallel(Encode[kinds=numbers] PiecewiseLinear | Encode[kinds=categories])",
    ],
)  # fmt: skip
def test_columns_of_all_types(layers, rng):
    frame = typed_table(rng)
    y = frame["rooms"] + 3.0 * (frame["city"] == "Rome") + (frame["day"].dt.day_of_week > 4)
    model = ZORBRegressor(layers, random_state=0).fit(frame, y)
    assert_same(model, frame)
    strange = frame.assign(city="Lagos", same=7.0, none=1.0, zone=4)
    strange["rooms"] = np.nan
    exported = to_onnx(model, frame)
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    found = session.run(None, onnx_inputs(session, strange.astype({"zone": "category"})))[0]
    np.testing.assert_allclose(found[:, 0], model.predict(strange), rtol=1e-6)


def test_categories_of_an_array_and_columns_in_another_order():
    model = ZORBRegressor(
        "Stack(Identity | Trees[3] | Trees[3, kind=boosting])", categorical_features=[0],
        random_state=0,
    ).fit(TYPED, Y)  # fmt: skip
    rows = np.vstack([TYPED, [[9.0, 0.0, 0.0], [np.nan, np.nan, 0.5]]])
    assert_same(model, rows)
    frame = pd.DataFrame(TYPED, columns=["a", "b", "c"])
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(frame, Y)
    assert_same(model, frame[["c", "a", "b"]])


def test_one_hot_columns_that_trees_join(rng):
    codes = rng.integers(0, 5, 80)
    rows = np.column_stack([np.eye(5)[codes], rng.normal(size=80)])
    strange = np.vstack([rows, np.zeros(6), np.ones(6)])
    for kind in ("forest", "boosting"):
        model = ZORBRegressor(f"Trees[4, kind={kind}]", random_state=0).fit(rows, codes**2.0)
        assert_same(model, strange)


def test_gaps_and_columns_that_never_varied():
    rows = np.column_stack([X, np.full(len(X), 5.0)])
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(rows, Y)
    strange = np.where(np.arange(4) == np.arange(len(X))[:, None] % 8, np.nan, rows) + [0, 0, 0, 1]
    assert_same(model, strange)


def test_layers_of_ones_own():
    class Cube(Layer):
        def forward(self, params, inputs, *, rng=None):
            return inputs**3

    class Count(Layer):
        traits = Traits(differentiable=False)

        def forward(self, params, inputs, *, rng=None):
            return np.cumsum(inputs, axis=1)

    assert_same(ZORBRegressor([Cube()]).fit(X, Y), X)
    model = ZORBRegressor([("running", Count())]).fit(X, Y)
    with pytest.raises(NotImplementedError, match="layer 'running': Count has no ONNX converter"):
        to_onnx(model, X)

    @converts(Count)
    def count(graph, layer, params, inputs):
        return inputs @ np.triu(np.ones((3, 3)))

    assert_same(model, X)


def test_inputs_that_do_not_fit_are_named():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = ZORBRegressor("Identity").fit(frame, Y)
    session = onnxruntime.InferenceSession(to_onnx(model, frame).SerializeToString())
    with pytest.raises(ValueError, match="no columns 'b'"):
        onnx_inputs(session, frame[["a", "c"]])
    with pytest.raises(ValueError, match="column 'b' of X holds text"):
        onnx_inputs(session, frame.assign(b="much"))


def test_what_cannot_be_exported_is_named():
    model = ZORBRegressor("Identity").fit(X, Y)
    with pytest.raises(ValueError, match="target_opset=12"):
        to_onnx(model, X, target_opset=12)
    text = pd.DataFrame(X).astype(str).rename(columns=str)
    with pytest.raises(TypeError, match="held numbers in fit"):
        to_onnx(model, text)
