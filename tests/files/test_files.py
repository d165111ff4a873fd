"""What is loaded is what was saved, to the last bit, and learns on as it would have."""

import ast
import io
import json
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from golden import CLASSES, DATA, MODELS, REFITTED, TYPED, X, Y, outputs
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_zorb import (
    NetworkClassifier,
    NetworkRegressor,
    ZORBClassifier,
    ZORBRegressor,
    load,
    save,
    trainers,
)
from sklearn_zorb.layers import Dense, EstimatorLayer, ReceptiveFields, Tanh

LISTS = (
    "fast", "auto", "Identity", "Dense[6] Tanh Dense[4] Sigmoid", "Dense[4] LeakyReLU",
    "Dense[4] Cos", "Dense[4] Sign", "Dense[4] Step", "Dense[4] BatchNorm Tanh",
    "Dense[4] Dropout", "GaussianNoise Dense[4]", "PiecewiseLinear", "NormalScores Dense[4] Tanh",
    "Standardize[clip=3] Dense[4] ReLU", "Kernel[20]", "Trees[3]", "Trees[3, kind=extra]",
    "Trees[2, kind=boosting]", "Dense[4] Tanh Trees[3]", "Skip(Dense[3] Tanh)",
    "Parallel(Dense[3] Tanh | Identity)", "Stack(Identity | Kernel[10] | Trees[2])",
    "Dense[4] Tanh Dense Softmax", "Trees[2, n_keep=2]",
)  # fmt: skip
RULES = [
    getattr(trainers, name)
    for name in trainers.__all__
    if name not in ("Evolution", "Trainer", "TrainingResult")  # the first needs a package
]


@pytest.fixture
def again(tmp_path):
    def saved_and_loaded(model, **options):
        save(model, tmp_path / "model")
        return load(tmp_path / "model", **options)

    return saved_and_loaded


def answers(model, rows):
    """All that a model says of rows."""
    names = ("predict", "predict_proba", "decision_function", "predict_interval")
    return [getattr(model, name)(rows) for name in names if hasattr(model, name)]


def same(model, other, rows=X):
    for one, two in zip(answers(model, rows), answers(other, rows), strict=True):
        np.testing.assert_array_equal(one, two)
    assert vars(model).keys() == vars(other).keys()


@pytest.mark.parametrize("layers", LISTS)
@pytest.mark.parametrize("Kind", [ZORBClassifier, ZORBRegressor])
def test_lists_of_layers(again, Kind, layers):
    if Kind is ZORBRegressor and "Softmax" in layers:
        pytest.skip("of classes only")
    model = Kind(layers, random_state=0).fit(X, CLASSES if Kind is ZORBClassifier else Y)
    other = again(model)
    same(model, other)
    assert repr(model) == repr(other) and model.history_ == other.history_
    assert model.summary(None) == other.summary(None)
    # what can be set in the one place is set in the other
    assert other.params_ is other.model_.params
    same(clone(other).fit(X, model.predict(X)), clone(model).fit(X, model.predict(X)))


def test_targets_of_all_kinds(again):
    labels = np.column_stack([Y > -2, X[:, 0] > 0]).astype(int)
    for y in (Y > -2, labels, CLASSES.astype(object), np.where(Y > -2, 7, 3)):
        same(*both(again, ZORBClassifier("Dense[4] Tanh", random_state=0).fit(X, y)))
    same(*both(again, ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, np.c_[Y, -Y])))


def both(again, model):
    return model, again(model)


def test_intervals_whose_width_varies(again):
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, size=(800, 2))
    y = rows[:, 0] + rng.normal(size=800) * np.exp(2 * rows[:, 1])
    model = ZORBRegressor("fast", random_state=0).fit(rows, y)
    assert model.model_.sizes is not None
    np.testing.assert_array_equal(
        model.predict_quantiles(rows), again(model).predict_quantiles(rows)
    )


def test_tables_with_types(again):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": TYPED[:, 1], "city": pandas.Series(list("xyz") * 20)})
    frame["when"] = pandas.date_range("2020-01-01", periods=60)
    for layers in ("auto", "Encode Dense[4] Tanh", "Trees[3]"):
        model = ZORBRegressor(layers, random_state=0).fit(frame, Y)
        other = again(model)
        same(model, other, frame)
        new = frame.assign(city="elsewhere", a=np.nan)
        np.testing.assert_array_equal(model.predict(new), other.predict(new))
        assert list(other.feature_names_in_) == ["a", "city", "when"]


def test_rows_of_other_kinds(again):
    sparse = sp.csr_matrix(np.where(X > 0.5, X, 0))
    for rows in (sparse, TYPED, X.astype(np.float32)):
        model = ZORBRegressor("auto", dtype="float32", random_state=0).fit(rows, Y)
        same(model, again(model), rows)


@pytest.mark.parametrize("n_first", [1, 2])
@pytest.mark.parametrize("Kind", [ZORBClassifier, ZORBRegressor])
def test_batches_go_on(again, Kind, n_first):
    batches = [(X[i : i + 20], (CLASSES if Kind is ZORBClassifier else Y)[i : i + 20])
               for i in (0, 20, 40)]  # fmt: skip
    first = {"classes": np.unique(CLASSES)} if Kind is ZORBClassifier else {}
    model = Kind("Dense[5] Tanh", random_state=0).partial_fit(*batches[0], **first)
    for batch in batches[1:n_first]:
        model.partial_fit(*batch)
    other = again(model)
    for batch in batches[n_first:]:
        same(model.partial_fit(*batch), other.partial_fit(*batch))


@pytest.mark.quick(3)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("Kind", [NetworkClassifier, NetworkRegressor])
def test_rules_go_on(again, Kind, rule):
    y = CLASSES if Kind is NetworkClassifier else Y
    trainer = rule(max_epochs=3) if "max_epochs" in rule().get_params() else rule()
    model = Kind("Dense[4] Tanh", trainer=trainer, random_state=0, warm_start=True).fit(X, y)
    other = again(model)
    same(model, other)
    same(model.fit(X, y), other.fit(X, y))
    if hasattr(model, "partial_fit"):
        same(model.partial_fit(X, y), other.partial_fit(X, y))


@pytest.mark.quick(2)
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adamw", "lion", "adagrad"])
def test_optimizers_go_on(again, optimizer):
    rule = trainers.Backprop(optimizer=optimizer, max_epochs=3)
    model = NetworkClassifier("Dense[4] Tanh", trainer=rule, random_state=0).fit(X, CLASSES)
    other = again(model)
    same(model.partial_fit(X, CLASSES), other.partial_fit(X, CLASSES))


def test_what_is_not_fitted_and_what_was_set(again):
    layers = [("first", Dense(4, initializer=ReceptiveFields((1, 3)))), Tanh()]
    model = ZORBClassifier(layers, class_weight={"low": 2.0}, random_state=np.random.RandomState(3))
    other = again(model)
    drawn = model.random_state.random_sample(700)
    np.testing.assert_array_equal(drawn, other.random_state.random_sample(700))
    assert repr(model.set_params(random_state=0)) == repr(other.set_params(random_state=0))


def test_a_dict_holds_models_and_what_goes_with_them(again):
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, Y)
    content = {"model": model, "same": model, "note": ["é\udc80", 1, 0.1, -0.0, np.inf, None]}
    found = again(content)
    assert found["model"] is found["same"] and found["note"] == content["note"]
    assert str(found["note"][3]) == "-0.0"


def test_arrays_keep_their_kind_and_their_order(again):
    arrays = {
        "F": np.asfortranarray(X), "times": np.array(["2020-01-01", "NaT"], "M8[s]"),
        "big": np.arange(3, dtype=">i4"), "text": np.array(["é", ""]), "none": np.zeros((0, 3)),
        "point": np.array(1.5), "mixed": np.array([["a", None], [1, 2.5]], dtype=object),
        "complex": np.array([1j]), "steps": X[::2, 1], "bytes": np.array([b"a"]),
    }  # fmt: skip
    found = again({**arrays, "scalar": np.float32(0.1), "dtype": np.dtype("f4")})
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, found[name])
        assert array.dtype == found[name].dtype and found[name].flags.writeable
    assert found["F"].flags.f_contiguous and not found["F"].flags.c_contiguous
    assert type(found["scalar"]) is np.float32 and found["dtype"] == np.float32


@pytest.mark.parametrize("make", MODELS)
def test_golden_models(make):
    folder = DATA / "models_1"
    with np.load(folder / "expected.npz") as file:
        expected = file[make.__name__]
    found = outputs(make, load(folder / f"{make.__name__}.zorb"))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("make", REFITTED)
def test_golden_fits(make):
    with np.load(DATA / "models_1" / "expected.npz") as file:
        expected = file[make.__name__]
    np.testing.assert_allclose(outputs(make, make()), expected, rtol=1e-7, atol=1e-7)


def an_initializer(rng, shape, dtype=float):
    return rng.normal(size=shape)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (ZORBClassifier([Dense(3, initializer=an_initializer)]), "initializer is <function an_i"),
        (ZORBRegressor([("a", Dense(3, initializer=lambda r, s: s))]), "layers[0][1].initializer"),
        (NetworkClassifier(trainer=trainers.Backprop(optimizer=print)), "trainer.optimizer is <b"),
        ({"a": np.zeros(2, dtype=[("x", int)])}, "dict['a'] is an array of"),
        ({"a": Path}, "dict['a'] is <class"),
    ],
)
def test_code_is_refused_by_name(tmp_path, model, named):
    (tmp_path / "model").write_text("old")
    with pytest.raises(ValueError) as caught:
        save(model, tmp_path / "model")
    assert named in str(caught.value)
    assert (tmp_path / "model").read_text() == "old"


@pytest.mark.parametrize("thing", [None, 3, "model", ZORBClassifier, X])
def test_what_is_no_model_is_refused(tmp_path, thing):
    with pytest.raises(TypeError, match="save takes an estimator"):
        save(thing, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def wrapped():
    layers = [EstimatorLayer(Ridge(), cv=2)]
    return make_pipeline(StandardScaler(), ZORBRegressor(layers, random_state=0)).fit(X, Y)


def test_models_of_others_need_skops(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"StandardScaler.* need skops.*\[files\]"):
        save(wrapped(), tmp_path / "model")


def test_pipelines_and_models_of_others(again):
    pytest.importorskip("skops")
    model = wrapped()
    np.testing.assert_array_equal(model.predict(X), again(model).predict(X))


@pytest.mark.parametrize("kind", [DecisionTreeRegressor, HistGradientBoostingRegressor])
def test_trees_of_others_are_not_trusted(again, kind):
    pytest.importorskip("skops")
    model = ZORBRegressor([EstimatorLayer(kind(), cv=2)], random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="Tree.*trusted=") as caught:
        again(model)
    names = ast.literal_eval(str(caught.value).partition("trusted=")[2].rstrip(")."))
    same(model, again(model, trusted=names))


class StandIn:
    """What is asked of skops: a zip with the names of types, and, here, a pickle."""

    loader, compression = "ObjectNode", zipfile.ZIP_STORED

    def dumps(self, objects):
        content, kinds = io.BytesIO(), {type(one) for one in objects}
        nodes = [{"__module__": kind.__module__, "__class__": kind.__name__,
                  "__loader__": self.loader} for kind in kinds]  # fmt: skip
        with zipfile.ZipFile(content, "w", self.compression) as archive:
            archive.writestr("schema.json", json.dumps({"content": nodes}))
            archive.writestr("objects", pickle.dumps(objects))
        return content.getvalue()

    def get_untrusted_types(self, data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            nodes = json.loads(archive.read("schema.json"))["content"]
        names = [f"{node['__module__']}.{node['__class__']}" for node in nodes]
        return [name for name in names if "Ridge" in name]

    def loads(self, data, trusted):
        assert set(self.get_untrusted_types(data)) <= set(trusted)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return pickle.loads(archive.read("objects"))


RIDGE = "sklearn.linear_model._ridge.Ridge"


def test_types_of_others_have_to_be_named(again, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", StandIn())
    model = wrapped()
    with pytest.raises(ValueError, match=rf"types of other packages.*: {RIDGE}. .*trusted=\['"):
        again(model)
    other = again(model, trusted=[RIDGE])
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    layer = other[-1].layers_[1][1]
    assert other[-1].layers[0].estimator.alpha == layer.estimator.alpha == 1


def test_a_loader_makes_a_tree_whatever_it_says(again, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", StandIn())
    monkeypatch.setattr(StandIn, "loader", "TreeNode")
    with pytest.raises(ValueError, match="sklearn.tree._tree.Tree"):
        again(wrapped(), trusted=[RIDGE])


def test_what_is_compressed_is_refused(again, monkeypatch):
    """A few bytes of it could be as many gigabytes."""
    monkeypatch.setitem(sys.modules, "skops.io", StandIn())
    monkeypatch.setattr(StandIn, "compression", zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="a compressed part"):
        again(wrapped(), trusted=[RIDGE])


def test_the_pipeline_itself_needs_nothing(again):
    model = make_pipeline(ZORBRegressor("Dense[4] Tanh", random_state=0)).fit(X, Y)
    other = again(model)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


def test_a_model_is_loaded_in_another_process(tmp_path):
    model = ZORBClassifier(random_state=0).fit(X, CLASSES)
    save(model, tmp_path / "model")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import numpy, sklearn_zorb; X = numpy.load('X.npy'); "
        "numpy.save('p.npy', sklearn_zorb.load('model').predict_proba(X))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(X))


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model"
    code = (
        "import numpy, sklearn_zorb\n"
        "sklearn_zorb.save({'a': 0}, 'model'); print('begun', flush=True)\n"
        "for i in range(10**9): sklearn_zorb.save({'a': numpy.full(300_000, i)}, 'model')"
    )
    for pause in (0.03, 0.11):
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            time.sleep(pause)
            process.kill()
        assert len(np.unique(load(path)["a"])) == 1
