"""Docstrings of public names follow the numpydoc rules that scikit-learn keeps."""

import doctest
import importlib.util
import inspect
from pathlib import Path

import pytest
from numpydoc.validate import validate

import sklearn_zorb

PACKAGE = Path(sklearn_zorb.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

MODULES = ["", ".automl", ".datasets", ".inspection", ".layers", ".linalg", ".testing", ".trainers"]
if importlib.util.find_spec("distributed"):
    MODULES.append(".dask")
if importlib.util.find_spec("skl2onnx") and importlib.util.find_spec("onnxruntime"):
    MODULES.append(".onnx")

IGNORED = {
    "ES01",  # extended summary
    "EX01",  # examples: asked for below where they matter
    "GL01", "GL02",  # on which line the text starts and ends
    "PR07", "PR08",  # a parameter whose name and type say it all has no description
    "RT02", "RT03",  # results have names, which say as much
    "SA01", "SA04",  # see also
}  # fmt: skip
VERBS = """
    Add Apply Average Backpropagate Build Check Choose Classify Combine Compute Connect Convert
    Convolve Copy Count Define Describe Draw Estimate Find Fit Give Hand Hold Learn Let List Load
    Make Move Name Predict Put Raise Read Replace Report Sample Save Scale Search Set Solve Stand
    Sum Take Tell Train Turn Use Write
"""
SECTIONS = {"PR01", "RT01", "YD01"}  # what a docstring of one line or a record need not have


def public_objects():
    """(dotted name, object) of all public names and of the methods that they define."""
    found = {}
    for suffix in MODULES:
        module = importlib.import_module(f"sklearn_zorb{suffix}")
        for name in module.__all__:
            value = getattr(module, name)
            if id(value) in found or not callable(value):
                continue
            found[id(value)] = (f"{module.__name__}.{name}", value)
            if inspect.isclass(value):
                for key, member in vars(value).items():
                    if not key.startswith("_") and inspect.isfunction(member):
                        found[id(member)] = (f"{module.__name__}.{name}.{key}", member)
    return dict(found.values())


OBJECTS = public_objects()


def documented_above(name):
    """Whether a base class documents the method."""
    owner, _, method = name.rpartition(".")
    bases = getattr(OBJECTS.get(owner), "__mro__", ())[1:]
    return any(getattr(vars(base).get(method), "__doc__", None) for base in bases)


def breaches(name):
    errors = {code: text for code, text in validate(name)["errors"] if code not in IGNORED}
    if "GL08" in errors and documented_above(name):
        return []
    doc = inspect.getdoc(OBJECTS[name]) or ""
    if "\n" not in doc or "Attributes\n---" in doc or not any(
        f"{section}\n---" in doc for section in ("Parameters", "Returns", "Examples")
    ):  # fmt: skip
        errors = {code: text for code, text in errors.items() if code not in SECTIONS}
    return [f"{name}: {code} {text}" for code, text in errors.items()]


def test_public_docstrings():
    assert [line for name in sorted(OBJECTS) for line in breaches(name)] == []


def test_first_lines_begin_with_a_verb():
    """As "Classify rows by ...": what it does; a new verb goes into the list."""
    first = {name: inspect.getdoc(value).split()[0] for name, value in OBJECTS.items()}
    assert {name: word for name, word in first.items() if word not in VERBS.split()} == {}


def test_public_classes_and_functions_have_examples():
    records = {"Context", "Layer", "Solved", "Traits"}
    without = []
    for suffix in ("", ".layers", ".testing"):
        module = importlib.import_module(f"sklearn_zorb{suffix}")
        names = [name for name in module.__all__ if callable(getattr(module, name))]
        without += [name for name in names if ">>>" not in (getattr(module, name).__doc__ or "")]
    assert set(without) <= records


MODULES_WITH_EXAMPLES = [
    f"sklearn_zorb.{'.'.join(path.relative_to(PACKAGE).with_suffix('').parts)}".removesuffix(
        ".__init__"
    )
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]
# examples of optional dependencies, most of them too heavy for the test extra
NEEDS = {
    "sklearn_zorb.dask.estimators": "distributed",
    "sklearn_zorb.automl.autogluon": "autogluon",
    "sklearn_zorb.automl.flaml": "flaml",
    "sklearn_zorb.automl.optuna": "optuna",
    "sklearn_zorb.automl.tpot": "tpot",
    "sklearn_zorb.trainers.gradient.evolution": "evosax",
    "sklearn_zorb.onnx.export": "onnxruntime",
    "sklearn_zorb.onnx.registry": "skl2onnx",
}


@pytest.mark.parametrize("name", MODULES_WITH_EXAMPLES)
def test_examples(name):
    """Of the package that is imported: a checkout may lie beside an installed one."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert failed == 0, "the output above says what came in place of what"
