"""The examples in the docstrings of the package that is imported.

Not collected by path: a checkout may lie beside an installed package, and what is tested is
what `import sklearn_zorb` finds.
"""

import doctest
import importlib
import pkgutil

import pytest

import sklearn_zorb

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [
    "sklearn_zorb",
    *(
        module.name
        for module in pkgutil.walk_packages(sklearn_zorb.__path__, "sklearn_zorb.")
        if not module.name.endswith("__main__")
    ),
]


# examples of optional dependencies too heavy for the test extra
NEEDS = {"sklearn_zorb.trainers.gradient.evolution": "evosax"}


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert failed == 0, "the output above says what came in place of what"
