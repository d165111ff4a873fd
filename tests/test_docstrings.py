"""Docstrings of public names follow the numpydoc rules that scikit-learn keeps."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

MODULES = ["", ".datasets", ".inspection", ".layers", ".linalg", ".testing", ".trainers"]

IGNORED = {
    "ES01",  # extended summary
    "EX01",  # examples: asked for below where they matter
    "GL01", "GL02",  # on which line the text starts and ends
    "PR07", "PR08",  # a parameter whose name and type say it all has no description
    "RT02", "RT03",  # results have names, which say as much
    "SA01", "SA04",  # see also
    "SS05",  # "Outputs of ..." is no third person
}  # fmt: skip
SECTIONS = {"PR01", "RT01", "YD01"}  # what a docstring of one line or a record need not have


def public_objects():
    """(dotted name, object) of all public names and of the methods that they define."""
    found = {}
    for suffix in MODULES:
        module = importlib.import_module(f"sklearn_zorb{suffix}")
        for name in module.__all__:
            value = getattr(module, name)
            if id(value) in found:
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


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_docstring(name):
    result = validate(name)
    errors = {code: text for code, text in result["errors"] if code not in IGNORED}
    if "GL08" in errors and documented_above(name):
        return
    doc = inspect.getdoc(OBJECTS[name]) or ""
    if "\n" not in doc or "Attributes\n---" in doc or not any(
        f"{section}\n---" in doc for section in ("Parameters", "Returns", "Examples")
    ):  # fmt: skip
        errors = {code: text for code, text in errors.items() if code not in SECTIONS}
    assert errors == {}


@pytest.mark.parametrize("module", ["", ".layers", ".testing"])
def test_public_classes_and_functions_have_examples(module):
    module = importlib.import_module(f"sklearn_zorb{module}")
    records = {"Context", "Layer", "Solved"}
    names = [name for name in module.__all__ if name not in records]
    without = [name for name in names if ">>>" not in (getattr(module, name).__doc__ or "")]
    assert without == []
