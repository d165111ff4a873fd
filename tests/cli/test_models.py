"""Saved models and weights: ``zorb predict, evaluate, summary``."""

import json

import joblib
import numpy as np
import pytest
from command_line import SMALL, read_csv, saved
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sklearn_zorb import ZORBClassifier, ZORBRegressor, load, save
from sklearn_zorb.layers import EstimatorLayer

pytest.importorskip("pandas")


def test_a_saved_model_predicts_what_it_predicted(zorb, write_npz):
    X, y = write_npz()
    zorb("fit", *SMALL, "data.npz", "--save", "m", "--test-size", 0)
    model = saved()
    header, rows = read_csv(zorb("predict", "data.npz", "--load", "m"))
    np.testing.assert_array_equal([float(row[0]) for row in rows], model.predict(X))
    text = zorb("evaluate", "data.npz", "--load", "m")
    assert f"r2 {model.score(X, y):.4f}" in text and "80 rows" in text


def test_the_model_file_says_what_it_is(zorb, pets):
    zorb("fit", *SMALL, "iris", "--save", "m")
    content = load("m")
    assert content["model"].layers == "Dense[8] Tanh" and content["target"] is None
    zorb("fit", *SMALL, pets, "--save", "m")
    assert load("m")["target"] == "owner"


def test_a_model_saved_in_python(zorb, write_npz, pets, elsewhere):
    X, y = write_npz()
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, y)
    save(model, "m")
    assert f"r2 {model.score(X, y):.4f}" in zorb("evaluate", "data.npz", "--load", "m")
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c"])
    save(ZORBRegressor("Dense[4] Tanh", random_state=0).fit(table, y), "m")
    table.assign(target=y).to_csv("new.csv", index=False)
    assert f"r2 {model.score(X, y):.4f}" in zorb("evaluate", "new.csv", "--load", "m")


def test_pickles_are_read_where_they_are_trusted(zorb, refuses, write_npz):
    X, y = write_npz()
    model = ZORBRegressor("Dense[4] Tanh", random_state=0).fit(X, y)
    joblib.dump(model, "m")
    for argv in (["predict", "data.npz"], ["evaluate", "data.npz"], ["summary"]):
        refuses("A pickle can run any code when it is read: --trust", *argv, "--load", "m")
        assert zorb(*argv, "--load", "m", "--trust")
    save(model, "m")
    assert f"r2 {model.score(X, y):.4f}" in zorb("evaluate", "data.npz", "--load", "m", "--trust")


def test_predictions_go_to_a_file_with_probabilities(zorb, pets, elsewhere):
    zorb("fit", *SMALL, pets, "--save", "m")
    out = zorb("predict", pets, "--load", "m", "--proba", "--output", "out.csv")
    assert out == "60 predictions written to out.csv\n"
    header, rows = read_csv((elsewhere / "out.csv").read_text(encoding="utf-8"))
    assert header == ["prediction", "probability_a", "probability_b"]
    for predicted, *probabilities in rows:
        a, b = map(float, probabilities)
        assert a + b == pytest.approx(1) and predicted == ("a" if a > b else "b")


def test_evaluate_repeats_the_split_of_fit(zorb):
    common = ("--test-size", 0.3, "--seed", 3, "--samples", 100, "--json")
    fitted = json.loads(zorb("fit", *SMALL, "iris", "--save", "m", *common))
    scored = json.loads(zorb("evaluate", "iris", "--load", "m", *common))
    assert scored["scores"] == fitted["test"] and scored["n_rows"] == fitted["n_test"]


def test_evaluate_without_a_model_cross_validates(zorb, pets):
    result = json.loads(zorb("evaluate", "wine", *SMALL, "--folds", 3, "--json"))
    assert len(result["scores"]["accuracy"]) == result["folds"] == 3
    assert result["mean"]["accuracy"] == pytest.approx(np.mean(result["scores"]["accuracy"]))
    assert result["mean"]["accuracy"] > 0.9
    assert "accuracy 1.0000 +- 0.0000" in zorb("evaluate", pets, *SMALL, "--folds", 3)
    assert "r2 0." in zorb("evaluate", "diabetes", *SMALL, "--folds", 3)


def test_unknown_classes_leave_out_the_log_loss(zorb, write_npz):
    write_npz(y=np.repeat([0, 1], 40))
    zorb("fit", *SMALL, "data.npz", "--save", "m")
    write_npz(y=np.repeat([0, 2], 40))
    result = json.loads(zorb("evaluate", "data.npz", "--load", "m", "--json"))
    assert list(result["scores"]) == ["accuracy"]


def test_a_target_of_another_name_is_read_like_the_one_of_the_fit(zorb, elsewhere):
    """Classes such as "01" stay what they are."""
    rows = [f"{i % 2},0{i % 2}" for i in range(20)]
    (elsewhere / "old.csv").write_text("\n".join(["a,code", *rows, *["9,x3"] * 10]))
    (elsewhere / "new.csv").write_text("\n".join(["a,label", *rows]))
    zorb("fit", *SMALL, "old.csv", "--save", "m")
    assert "accuracy 1.0000" in zorb("evaluate", "new.csv", "--load", "m", "--target", "label")


def test_summary(zorb):
    zorb("fit", "iris", *SMALL, "--save", "m")
    for argv in (["--load", "m"], ["iris", *SMALL]):
        out = zorb("summary", *argv)
        assert "dense_1" in out and "tanh_1" in out
    layers = json.loads(zorb("summary", "--load", "m", "--json"))["layers"]
    by_name = {layer["name"]: layer for layer in layers}
    assert by_name["dense_1"]["n_params"] == 8 * 5 and "Dense(" in by_name["dense_1"]["layer"]


def test_another_version_of_scikit_learn_is_told_once(notes, monkeypatch):
    model = ZORBClassifier([EstimatorLayer(GaussianNB())], random_state=0)
    model.fit(*load_iris(return_X_y=True))
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.base.__version__", "1.5.0")
        joblib.dump(model, "m")
    error = notes("predict", "iris", "--load", "m", "--trust", "--output", "out.csv")
    assert error.count("\n") == 1 and "'m' was saved with scikit-learn 1.5.0, this is" in error


@pytest.fixture
def two_models(zorb, write_npz):
    """Models "a" and "b" of two seeds, with their weights in a.npz and b.npz."""
    X, _ = write_npz()
    network = ("--network", "Skip(Dense[6] Tanh) Dense[4] Tanh", "--test-size", 0)
    for seed, name in enumerate("ab"):
        saved = ("--save", name, "--save-weights", f"{name}.npz")
        zorb("fit", "data.npz", "--seed", seed, *network, *saved)
    return X


def edit_weights(path, **changes):
    """Rewrite an NPZ file; None removes a key."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays.update({key.replace("__", "/"): value for key, value in changes.items()})
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})


def test_weights_make_one_model_the_other(zorb, two_models):
    a, b = (saved(name).predict(two_models) for name in "ab")
    assert not np.allclose(a, b)
    argv = ("predict", "data.npz", "--load", "a", "--json")
    assert json.loads(zorb(*argv))["prediction"] == a.tolist()
    result = json.loads(zorb(*argv, "--load-weights", "b.npz"))
    np.testing.assert_allclose(result["prediction"], b, rtol=1e-12)
    scores = [
        json.loads(zorb("evaluate", "data.npz", "--load", *model, "--json"))["scores"]["r2"]
        for model in (["b"], ["a", "--load-weights", "b.npz"])
    ]
    assert scores[0] == pytest.approx(scores[1])


def test_weights_are_named_by_layer(two_models):
    with np.load("a.npz", allow_pickle=False) as file:
        assert file["dense_1/weights"].shape == (9, 4)
        assert file["dense_1/intercept"].shape == (4,)
        assert any(name.startswith("skip_1/") for name in file.files)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dense_1__weights": None}, "'a.npz' lacks the weights dense_1/weights"),
        ({"dense_9__weights": np.ones(2)}, "holds unexpected weights: dense_9/weights"),
        ({"dense_1__weights": np.ones((2, 2))}, "shape (2, 2), the network needs (9, 4)"),
        ({"dense_1__weights": np.full((9, 4), np.nan)}, "values that are not finite"),
        ({"dense_1__weights": np.full((9, 4), np.longdouble("1e400"))}, "not finite in float64"),
        ({"dense_1__weights": np.full((9, 4), "w")}, "dense_1/weights holds <U1"),
        ({"dense_1__weights": np.full((9, 4), {})}, "not a readable NPZ file of plain arrays"),
    ],
)
def test_weights_that_do_not_fit(refuses, two_models, changes, message):
    edit_weights("a.npz", **changes)
    refuses(message, "predict", "data.npz", "--load", "b", "--load-weights", "a.npz")


def test_weights_of_another_network(refuses, zorb, two_models):
    zorb("fit", "data.npz", "--network", "Dense[3] Tanh", "--save-weights", "c.npz")
    refuses(
        "lacks the weights skip_1", "evaluate", "data.npz", "--load", "a", "--load-weights", "c.npz"
    )
