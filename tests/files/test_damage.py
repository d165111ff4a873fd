"""Files that are damaged, foreign or made to do harm are refused, and nothing of them runs."""

import hashlib
import json
import os
import tracemalloc
from random import Random

import numpy as np
import pytest
from damage import Runs, damaged, edited, foreign
from golden import CLASSES, DATA, MODELS, ROWS, X

from sklearn_zorb import ZORBClassifier, load, save
from sklearn_zorb.files.container import write_container


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A file of a default model."""
    path = tmp_path_factory.mktemp("models") / "model"
    save(ZORBClassifier(random_state=0).fit(X, CLASSES), path)
    return path.read_bytes()


@pytest.fixture
def refused(tmp_path):
    def check(content, message=""):
        path = tmp_path / "model"
        path.write_bytes(content)
        with pytest.raises(ValueError) as caught:
            load(path)
        told = str(caught.value)
        assert "model'" in told and message in told and "\n" not in told

    return check


def test_damaged_files(refused, content):
    tried = list(damaged(content))
    assert len(tried) == 310
    for damaged_content in tried:
        refused(damaged_content)


def test_foreign_files(refused, content):
    files = foreign(content)
    assert len(files) == 19
    for name, foreign_content in files.items():
        refused(foreign_content, "looks like a pickle" if name == "pickle of protocol 4" else "")
    assert Runs.ran == []


def test_what_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is no file"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is no file"):
        load(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")


@pytest.mark.parametrize("trusted", ["sklearn.tree", True, None, [3]])
def test_trusted_are_names(tmp_path, trusted):
    with pytest.raises(TypeError, match="pass a list"):
        load(tmp_path / "model", trusted)


def sealed(first, rest):
    digest = hashlib.sha256(first + rest).hexdigest().encode()
    return first + digest + b"\n" + rest


def test_a_later_format_names_its_version(refused):
    first = b"sklearn-zorb model, format 2, written by sklearn-zorb 9.1\n"
    refused(sealed(first, b"who knows"), "format 2, written by sklearn-zorb 9.1; this version")


FIRST = b"sklearn-zorb model, format 1, written by sklearn-zorb 0.2\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"", b"\n", b"[]\n", b"null\n", b"[" * 100_000 + b"\n", b'{"nodes": NaN}\n', b"\xff\xfe\n",
        b'{"nodes":[],"model":[0],"arrays":[]}\n', b'{"nodes":[],"model":[-1],"arrays":[]}\n',
        b'{"nodes":[],"model":1,"arrays":[]}\nmore', b'{"a":' + b"9" * 5000 + b"}\n",
    ],
)  # fmt: skip
def test_json_that_is_no_model(refused, rest):
    refused(sealed(FIRST, rest))


def of_nodes(*nodes, arrays=()):
    return b"".join(write_container({"nodes": nodes, "model": [len(nodes) - 1]}, arrays, "0"))


@pytest.mark.parametrize(
    "nodes",
    [
        [{"object": "os.system", "state": {}}], [{"class": "system"}], [{"class": "object"}],
        [{"object": "Layer.__class__", "state": {}}], [{"list": [[0]]}], [{"list": [[1]]}, {}],
        [{"optax": "adam", "values": []}], [{"optax": "GradientTransformation", "values": [1, 2]}],
        [{"optax": "__loader__", "values": []}], [{"dtype": "O"}], [{"dtype": "f8,O"}],
        [{"float": "1"}], [{"slice": [1, 2, 3, 4]}], [{"objects": [[10**12, 0], []]}, {"array": 0}],
        [{"list": []}, {"dict": [[[0], 1]]}], [{"array": -1}], [{"_array": 0}], [{"item": {}}],
        [{"tuple": ["MT19937", 0, 625, 0, 0.0]}, {"random_state": [0]}],
        [{"object": "Nodes", "state": {}}], [{"object": "Dense", "state": {"a": [7]}}],
    ],
)  # fmt: skip
def test_nodes_that_are_none(refused, nodes):
    refused(of_nodes(*nodes))


def test_classes_that_are_none_are_named(refused):
    for node in ({"object": "os.system", "state": {"a": 1}}, {"class": "os.system"}):
        refused(of_nodes(node), "it asks for 'os.system', which is no class of models")


def test_states_of_random_generators_are_checked(refused):
    generator = np.random.RandomState(0).get_state()
    for position in (625, -1, 2**31):
        nodes = [{"array": 0}, {"tuple": ["MT19937", [0], position, 0, 0.0]}, {"random_state": [1]}]
        refused(of_nodes(*nodes, arrays=[generator[1]]), "no state of a random generator")


@pytest.mark.parametrize(
    "array",
    [
        ["|O", [1], "C"], ["<f8", [10**15], "C"], ["<f8", [10**18, 0], "C"], ["<f8", [-1], "C"],
        ["<f8", [1.0], "C"], ["<f8", [True], "C"], ["<f8", [2], "C"],
        ["<U0", [0], "C"], ["V8", [1], "C"], ["<f8", [1], "K"], ["<U2", [1], "C"],
        ["|b1", [8], "C"], ["<f8", [1] * 70, "C"], ["<f8", [0] * 10_000, "C"],
        [["f8"], [1], "C"], 3,
    ],
)  # fmt: skip
def test_arrays_that_are_none(refused, array):
    """Eight bytes stand behind the JSON; nothing is allocated for what they do not fill."""
    text = json.dumps({"nodes": [{"array": 0}], "model": [0], "arrays": [array]}).encode()
    tracemalloc.start()
    try:
        refused(sealed(FIRST, text + b"\n" + b"\xff" * 8))
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", MODELS)
def test_edited_files_with_a_right_digest(tmp_path, make):
    """Each is refused, or is a model that predicts or raises; no process dies, none waits."""
    path, rng = tmp_path / "model", Random(make.__name__)
    n_refused, rows = 0, ROWS.get(make, X)
    for _ in range(150):
        path.write_bytes(edited(DATA / "models_1" / f"{make.__name__}.zorb", rng))
        try:
            model = load(path)
        except ValueError:
            n_refused += 1
            continue
        with np.errstate(all="ignore"):
            try:
                model.predict(rows)
                model.predict(rows[:1])
            except Exception as error:
                assert not isinstance(error, MemoryError)
    assert n_refused > 20
