"""Old names work, with a warning that says when they end, and end then."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import sklearn_zorb
from sklearn_zorb.deprecation import renamed
from sklearn_zorb.linalg import LeastSquares, System

PACKAGE = Path(sklearn_zorb.__file__).parent


@renamed("9.0", width="units", seed="random_state")
def function(units, *, random_state=None):
    """What it does."""
    return units, random_state


def test_an_old_name_is_the_new_one():
    with pytest.warns(FutureWarning, match="width is called units now.* removed in version 9.0"):
        assert function(width=3) == (3, None)
    with pytest.warns(FutureWarning, match="seed is called random_state"):
        assert function(3, seed=4) == (3, 4)


def test_new_names_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(3, random_state=4) == (3, 4)


def test_both_names_are_too_many():
    with pytest.raises(TypeError, match="width is the old name of units"):
        function(units=1, width=2)


def test_the_signature_is_that_of_today():
    assert list(inspect.signature(function).parameters) == ["units", "random_state"]
    assert function.__doc__ == "What it does."


def test_the_warning_points_at_the_caller():
    with pytest.warns(FutureWarning) as caught:
        function(width=3)
    assert caught[0].filename == __file__


def test_left_out_outputs_by_their_old_name():
    rng = np.random.default_rng(0)
    system = System.from_arrays(rng.normal(size=(9, 2)), rng.normal(size=(9, 1)))
    with pytest.warns(FutureWarning, match="left_out"):
        solution = LeastSquares(1.0).solve(system, loo_outputs=True)
    with pytest.warns(FutureWarning, match="left_out"):
        np.testing.assert_array_equal(solution.loo_outputs, solution.left_out)
    assert solution.left_out.shape == (9, 1)


def numbers(version):
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def test_what_is_due_is_gone():
    present = numbers(sklearn_zorb.__version__)
    ends = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found = re.findall(r'@renamed\(\s*"([\d.]+)"|removed in version ([\d.]+\d)', text)
        ends[path.name] = [numbers(one or other) for one, other in found]
    assert sum(map(len, ends.values())) >= 2
    assert [
        name for name, versions in ends.items() if any(end <= present for end in versions)
    ] == []
