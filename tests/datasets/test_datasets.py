"""Data sets: the published settings, the files, and what is said when there are none."""

import importlib
import json
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

import sklearn_zorb
from sklearn_zorb import datasets
from sklearn_zorb.datasets import (
    list_datasets,
    load_boston,
    load_dataset,
    load_kmnist,
    load_mnist,
    load_table,
    make_flats,
    make_sinc,
    make_two_spirals,
    make_xor,
)

IMAGES = ("mnist", "fashion_mnist", "kmnist", "cifar10", "cifar100")
REAL_DATA = os.environ.get("SKLEARN_ZORB_DATA")
needs_real_data = pytest.mark.skipif(not REAL_DATA, reason="SKLEARN_ZORB_DATA is not set")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data directory, and no other in sight."""
    monkeypatch.delenv("SKLEARN_ZORB_DATA", raising=False)
    return tmp_path


@pytest.fixture
def openml(home, monkeypatch):
    """The data sets as they are imported where OpenML answers like the function that is given."""

    def answering(fetch):
        monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
        monkeypatch.setattr(sklearn_zorb, "datasets", datasets)
        for name in [name for name in sys.modules if name.startswith("sklearn_zorb.datasets")]:
            monkeypatch.delitem(sys.modules, name)
        return importlib.import_module("sklearn_zorb.datasets")

    return answering


def write_images(path, shape=(28, 28), n_train=6, n_test=4, split=True):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n_train + n_test, *shape), dtype=np.uint8)
    labels = (np.arange(len(images)) % 10).astype(np.uint8)
    if split:
        parts = {
            "x_train": images[:n_train],
            "y_train": labels[:n_train],
            "x_test": images[n_train:],
            "y_test": labels[n_train:],
        }
    else:
        parts = {"x": images, "y": labels}
    np.savez(path, **parts)
    return images, labels


# drawn from a formula


def test_xor_is_the_product_of_signs():
    X, y = make_xor(2000, scale=False, random_state=0)
    assert X.shape == (2000, 2) and y.dtype.kind == "i"
    assert np.array_equal(X, np.round(X)) and X.min() == -100 and X.max() == 100
    assert np.array_equal(y, np.sign(X).prod(axis=1) < 0)
    assert 0.45 < y.mean() < 0.55


def test_xor_scales_by_its_range_and_not_by_its_sample():
    X, y = make_xor(3, random_state=0)
    raw, same_y = make_xor(3, scale=False, random_state=0)
    np.testing.assert_allclose(X, (raw + 100) / 200)
    assert np.array_equal(y, same_y)
    assert make_xor()[0].shape == (1000, 2)


def test_two_spirals_follow_their_formula():
    X, y = make_two_spirals(shuffle=False, random_state=0)
    assert X.shape == (400, 2)
    assert np.array_equal(y, np.repeat([0, 1], 200))
    angle = np.linalg.norm(X[:200], axis=1)
    expected = np.column_stack([-angle * np.cos(angle), angle * np.sin(angle)])
    np.testing.assert_allclose(X[:200], expected, atol=1e-12)
    np.testing.assert_allclose(X[200:], -X[:200])
    assert angle.max() <= np.radians(780)
    # the root makes the arms evenly dense by area: half of the angles are beyond .71 of it
    assert abs(np.median(angle) / np.radians(780) - np.sqrt(0.5)) < 0.05


def test_two_spirals_are_shuffled_in_pairs_and_noisy_and_take_odd_numbers():
    ordered = make_two_spirals(shuffle=False, random_state=0)
    X, y = make_two_spirals(random_state=0)
    assert not np.array_equal(y, ordered[1])
    key = np.lexsort(X.T), np.lexsort(ordered[0].T)
    np.testing.assert_array_equal(X[key[0]], ordered[0][key[1]])
    np.testing.assert_array_equal(y[key[0]], ordered[1][key[1]])
    noisy = make_two_spirals(4000, noise=0.5, shuffle=False, random_state=0)[0]
    clean = make_two_spirals(4000, shuffle=False, random_state=0)[0]
    assert np.std(noisy - clean) == pytest.approx(0.5, rel=0.05)
    # of an odd number, the first arm has one more
    odd = make_two_spirals(5, random_state=0)[1]
    assert np.bincount(odd).tolist() == [3, 2]


def test_sinc_has_the_published_points():
    X, y = make_sinc()
    assert X.shape == (2001, 1)
    np.testing.assert_allclose(np.diff(X[:, 0]), 0.01)
    assert y[1000] == 1 and X[1000, 0] == 0
    away = X[:, 0] != 0
    np.testing.assert_allclose(y[away], np.sin(X[away, 0]) / X[away, 0], atol=1e-12)
    X_test, _ = make_sinc(6001, low=-30, high=30)
    np.testing.assert_allclose(np.diff(X_test[:, 0]), 0.01)
    noisy = make_sinc(noise=0.1, random_state=0)[1]
    assert np.std(noisy - y) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("make", [make_xor, make_two_spirals, partial(make_sinc, noise=0.1)])
def test_random_state_seeds_the_draw(make):
    first, again, other = (make(50, random_state=seed) for seed in (0, 0, 1))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(np.column_stack(first), np.column_stack(other))


def test_wrong_arguments_are_named():
    for make, arguments in (
        (make_xor, {"n_samples": 0}), (make_xor, {"bound": 0}),
        (make_two_spirals, {"n_samples": 1}), (make_two_spirals, {"noise": -1.0}),
        (make_two_spirals, {"degrees": 0}), (make_sinc, {"n_samples": 0}),
        (make_sinc, {"noise": -1.0}), (make_sinc, {"low": 1.0, "high": 1.0}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(arguments))):
            make(**arguments)


# image sets


@pytest.mark.parametrize("name", IMAGES)
def test_images_from_a_file(home, name):
    shape = (32, 32, 3) if name.startswith("cifar") else (28, 28)
    images, labels = write_images(home / f"{name}.npz", shape)
    load = getattr(datasets, f"load_{name}")
    bunch = load(data_home=home)
    assert bunch.image_shape == (*shape, 1)[:3]
    assert bunch.data.dtype == np.float32 and bunch.target.dtype == np.int64
    np.testing.assert_allclose(bunch.data, images[:6].reshape(6, -1) / 255, rtol=1e-6)
    np.testing.assert_allclose(bunch.data_test, images[6:].reshape(4, -1) / 255, rtol=1e-6)
    assert np.array_equal(bunch.target, labels[:6])
    assert np.array_equal(bunch.target_test, labels[6:])
    assert bunch.task == "classification"
    X, y = load(data_home=home, return_X_y=True)
    assert np.array_equal(X, bunch.data) and np.array_equal(y, bunch.target)


def test_the_environment_names_the_directory(home, monkeypatch):
    write_images(home / "mnist.npz")
    monkeypatch.setenv("SKLEARN_ZORB_DATA", str(home))
    assert load_mnist().data.shape == (6, 784)


def test_part_of_a_set_has_no_test_part(home):
    write_images(home / "kmnist_10k.npz", split=False)
    bunch = load_kmnist(data_home=home)
    assert bunch.data.shape == (10, 784)
    assert bunch.data_test is None and bunch.target_test is None


def test_the_whole_set_comes_before_a_part(home):
    write_images(home / "mnist_small.npz", n_train=2)
    write_images(home / "mnist.npz", n_train=6)
    assert len(load_mnist(data_home=home).data) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "mnist.npz.*not a readable NPZ"),
        ({"x": np.array([{}], dtype=object), "y": np.zeros(1)}, "not a readable NPZ"),
        ({"pictures": np.zeros((1, 28, 28))}, "x_train, y_train, x_test, y_test.*holds pictures"),
        ({"x": np.zeros((2, 32, 32, 3)), "y": np.zeros(2)}, "'mnist' must have 784 pixels"),
    ],
    ids=["damaged", "pickled", "other arrays", "other size"],
)
def test_files_that_are_refused(home, content, message):
    if content is None:
        (home / "mnist.npz").write_bytes(b"PK\x03\x04 nonsense")
    else:
        np.savez(home / "mnist.npz", **content)
    with pytest.raises(ValueError, match=message):
        load_mnist(data_home=home)


# OpenML


@pytest.mark.parametrize("name", [*IMAGES, "boston"])
def test_a_set_that_is_nowhere_says_what_to_set(home, openml, name):
    def fetch(*args, **kwargs):
        raise OSError("no network")

    load = getattr(openml(fetch), f"load_{name}")
    with pytest.raises(FileNotFoundError, match=rf"(?s){name}.*SKLEARN_ZORB_DATA.*{name}\.\w+"):
        load(data_home=home)
    with pytest.raises(FileNotFoundError, match="OpenML.*no network"):
        load(data_home=home)
    with pytest.raises(FileNotFoundError, match="is not on this machine. Set"):
        load(data_home=home, download_if_missing=False)


def test_without_pandas_the_extra_is_named(openml):
    def fetch(*args, **kwargs):
        raise ImportError("Returning pandas objects requires pandas")

    with pytest.raises(ImportError, match=r"sklearn-zorb\[table\]"):
        openml(fetch).load_mnist()


OPENML = {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST", "kmnist": "Kuzushiji-MNIST",
          "cifar10": "CIFAR_10", "cifar100": "CIFAR-100"}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_images_from_openml(openml, name):
    n_channels = 3 if name.startswith("cifar") else 1
    pandas = pytest.importorskip("pandas")
    side = 28 if n_channels == 1 else 32
    n_pixels = side * side * n_channels
    # all pixels of a channel hold the channel's number; the class is the last digit
    row = np.repeat(np.arange(n_channels), side * side)
    n_rows = 10_003
    table = pandas.DataFrame(np.broadcast_to(row, (n_rows, n_pixels)).astype(np.uint8))
    labels = pandas.Series([str(i % 10) for i in range(n_rows)], dtype="category")
    asked = {}

    def fetch(name, **kwargs):
        asked.update(name=name, **kwargs)
        return Bunch(data=table, target=labels)

    bunch = getattr(openml(fetch), f"load_{name}")()
    assert asked["name"] == OPENML[name] and asked["version"] == 1
    assert bunch.data.shape == (3, n_pixels) and bunch.data_test.shape == (10_000, n_pixels)
    assert bunch.target.tolist() == [0, 1, 2] and bunch.target_test[0] == 3
    pixels = bunch.data.reshape(-1, side, side, n_channels) * 255
    np.testing.assert_allclose(pixels[0, 0, 0], np.arange(n_channels), atol=1e-5)


def test_class_names_are_numbered_in_order(openml):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(np.zeros((10_002, 3072), dtype=np.uint8))
    names = pandas.Series(["wolf", "apple", *["bee"] * 10_000])
    answer = Bunch(data=table, target=names)
    bunch = openml(lambda *args, **kwargs: answer).load_cifar100()
    assert set(bunch.target) | set(bunch.target_test) <= {0, 1, 2}


def test_boston_from_openml_reads_categories_as_numbers(openml):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"CRIM": [0.1, 0.2], "RAD": pandas.Categorical(["24", "1"], ["1", "24"])}
    )
    answer = Bunch(data=frame, target=pandas.Series([21.0, 22.0]))
    bunch = openml(lambda *args, **kwargs: answer).load_boston()
    np.testing.assert_array_equal(bunch.data, [[0.1, 24], [0.2, 1]])
    assert bunch.data.dtype == np.float64 and bunch.feature_names == ["CRIM", "RAD"]


# tables


@pytest.fixture
def table_home(home):
    (home / "tabular").mkdir()
    (home / "tabular" / "pets.csv").write_text("kind,weight,target\ncat,4,1\ndog,,2\ncat,5,1\n")
    return home


def test_a_table_keeps_categories_and_missing_values(table_home):
    pandas = pytest.importorskip("pandas")
    bunch = load_table("pets", data_home=table_home)
    assert bunch.feature_names == ["kind", "weight"]
    assert isinstance(bunch.data["kind"].dtype, pandas.CategoricalDtype)
    assert bunch.data["weight"].isna().tolist() == [False, True, False]
    assert bunch.target.tolist() == [1, 2, 1]
    X, y = load_table("pets", data_home=table_home, return_X_y=True)
    assert X.equals(bunch.data) and np.array_equal(y, bunch.target)


def test_the_index_names_the_task(table_home):
    pytest.importorskip("pandas")
    assert load_table("pets", data_home=table_home).task == "regression"  # 2 values, 3 rows
    index = {"pets": {"task": "classification"}}
    (table_home / "tabular" / "index.json").write_text(json.dumps(index))
    assert load_table("pets", data_home=table_home).task == "classification"


def test_a_table_that_is_not_there(table_home):
    with pytest.raises(FileNotFoundError, match="SKLEARN_ZORB_DATA.*tabular/cars.csv.*pets"):
        load_table("cars", data_home=table_home)
    with pytest.raises(FileNotFoundError, match="SKLEARN_ZORB_DATA"):
        load_table("../pets")


def test_boston_from_a_file(home):
    (home / "boston.csv").write_text("CRIM,RM,target\n0.5,6,24\n0.25,7,21.5\n")
    bunch = load_boston(data_home=home)
    np.testing.assert_array_equal(bunch.data, [[0.5, 6], [0.25, 7]])
    assert bunch.target.tolist() == [24, 21.5] and bunch.feature_names == ["CRIM", "RM"]
    X, y = load_boston(data_home=home, return_X_y=True)
    assert np.array_equal(X, bunch.data) and np.array_equal(y, bunch.target)


# by name


def test_sets_that_need_no_file(home):
    for name, task, shape, test_shape in (
        ("xor", "classification", (1000, 2), (1000, 2)),
        ("two_spirals", "classification", (400, 2), None),
        ("sinc", "regression", (2001, 1), (6001, 1)),
        ("iris", "classification", (150, 4), None),
        ("digits", "classification", (1797, 64), None),
        ("diabetes", "regression", (442, 10), None),
        ("breast_cancer", "classification", (569, 30), None),
        ("wine", "classification", (178, 13), None),
    ):
        bunch = load_dataset(name, random_state=0)
        assert bunch.task == task and bunch.data.shape == shape
        assert (bunch.data_test.shape if "data_test" in bunch else None) == test_shape
        assert len(bunch.target) == shape[0]


def test_the_two_parts_of_xor_differ(home):
    bunch = load_dataset("xor", random_state=0)
    assert not np.array_equal(bunch.data, bunch.data_test)
    assert np.array_equal(bunch.data, load_dataset("xor", random_state=0).data)


def test_files_by_name(table_home):
    pytest.importorskip("pandas")
    write_images(table_home / "mnist.npz")
    (table_home / "boston.csv").write_text("CRIM,target\n0.5,24\n")
    assert load_dataset("mnist", data_home=table_home).data.shape == (6, 784)
    assert load_dataset("boston", data_home=table_home).data.shape == (1, 1)
    assert load_dataset("pets", data_home=table_home).data.shape == (3, 2)


def test_an_unknown_name_gets_a_hint(home):
    with pytest.raises(ValueError, match="'iriss': did you mean 'iris'.*The names are flats"):
        load_dataset("iriss")
    with pytest.raises(ValueError, match="Unknown data set 'zzz'"):
        load_dataset("zzz")
    for name in (None, Path("iris.csv")):
        with pytest.raises(TypeError, match="name=.*list_datasets"):
            load_dataset(name)


def test_a_directory_that_is_not_there_is_named(home, monkeypatch):
    with pytest.raises(FileNotFoundError, match="data_home names '.*nowhere'"):
        load_mnist(data_home=home / "nowhere")
    monkeypatch.setenv("SKLEARN_ZORB_DATA", str(home / "nowhere"))
    with pytest.raises(FileNotFoundError, match="SKLEARN_ZORB_DATA names '.*nowhere'"):
        load_mnist()


def test_the_list_says_what_is_here(table_home):
    write_images(table_home / "mnist.npz")
    infos = {info.name: info for info in list_datasets(data_home=table_home)}
    assert infos["iris"].source == "scikit-learn" and infos["iris"].available
    assert infos["xor"].source == "formula" and infos["sinc"].task == "regression"
    assert infos["mnist"].available and infos["mnist"].source.endswith("mnist.npz")
    assert not infos["cifar100"].available and infos["cifar100"].source == "OpenML"
    assert infos["pets"].available
    assert "pets" not in {info.name for info in list_datasets()}


# the real files, where they are


@needs_real_data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "cifar10"])
def test_real_images(name):
    bunch = load_dataset(name, download_if_missing=False)
    shape = (32, 32, 3) if name == "cifar10" else (28, 28, 1)
    assert bunch.image_shape == shape and bunch.data.shape[1] == np.prod(shape)
    assert bunch.data.min() == 0 and bunch.data.max() == 1
    assert len(np.unique(bunch.target)) == 10
    if name != "kmnist":  # only the published test images are in that file
        assert len(bunch.target_test) == len(bunch.data_test) > 0


@needs_real_data
def test_real_tables():
    pytest.importorskip("pandas")
    names = [info.name for info in list_datasets() if info.source.startswith("tabular")]
    assert names
    for name in names:
        bunch = load_table(name)
        assert len(bunch.data) == len(bunch.target) > 0
        assert bunch.task in ("classification", "regression")
    boston = load_boston()
    assert boston.data.shape == (506, 13) and boston.target.mean() == pytest.approx(22.53, abs=0.01)


def test_flats_have_columns_of_every_kind_and_rents_that_follow_them():
    X, y = make_flats(3000, random_state=0)
    assert X.shape == (3000, 9) and y.shape == (3000,)
    assert {"f", "i", "b", "O", "M"} == {dtype.kind for dtype in X.dtypes}
    assert X["condition"].cat.ordered
    again, rents = make_flats(3000, random_state=0)
    assert X.equals(again) and np.array_equal(y, rents)
    # by the formula, all else alike, a square metre in Munich costs 19 / 7.5 times that in Leipzig
    price = (y / X["area"] ** 0.9).groupby(X["city"]).median()
    assert 2.2 < price["Munich"] / price["Leipzig"] < 2.9
    share = X["built"].isna().mean()
    assert 0.10 < share < 0.15, "three of ten gaps in old houses, one of twenty in others"
