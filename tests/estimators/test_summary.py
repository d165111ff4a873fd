"""The summary of a fitted model: its layers, and the blocks of a stack."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_zorb import ZORBClassifier, ZORBRegressor
from sklearn_zorb.layers import EstimatorLayer, Identity, Stack, Trees


def blocks(model):
    """Rows of the table of blocks, cell by cell."""
    text = model.summary(print_fn=None)
    assert text.count("block ") == 1
    table = text.partition("block ")[2].splitlines()
    return [
        re.split(r"\s{2,}", line.strip(), maxsplit=5) for line in table if re.match(r" +\d", line)
    ]


def test_each_block_is_told_by_weight_score_size_and_time():
    X, y = load_iris(return_X_y=True)
    stack = Stack([[Trees(30)], [Identity()]])
    model = ZORBClassifier([stack], random_state=0).fit(X, y)
    rows = blocks(model)
    assert [row[5] for row in rows] == ["Trees[30, units=3]", "Identity"]
    weights = np.array([float(row[1]) for row in rows])
    assert np.allclose(weights, model.params_[-1]["block_weights"], atol=0.005)
    # out of bag, a forest knows about 95 of 100 irises and a linear model about 85
    assert 0.9 < float(rows[0][2]) < 0.99 and 0.75 < float(rows[1][2]) < 0.9
    assert float(rows[0][3]) > 10 * float(rows[1][3])
    assert all(float(row[4]) >= 0 for row in rows)


def test_the_score_of_a_ridge_is_that_of_leaving_rows_out():
    X, y = load_diabetes(return_X_y=True)
    model = ZORBRegressor([Stack([[Identity()]])], alpha=1.0, random_state=0).fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    ridge = RidgeCV([1.0], store_cv_results=True).fit(scaled, y)
    expected = 1 - ridge.cv_results_.mean() / y.var()
    assert float(blocks(model)[0][2]) == pytest.approx(expected, abs=0.001)


def test_notebooks_show_the_blocks_below_the_diagram():
    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier("Stack(Identity | Dense[8] Tanh)", random_state=0)
    assert "<th>weight</th>" not in model._repr_html_()
    model.fit(X, y)
    for html in (model._repr_html_(), model._repr_mimebundle_()["text/html"]):
        assert "sk-estimator" in html or "sk-top-container" in html
        assert "<th>weight</th>" in html and "<td>Dense[8] Tanh</td>" in html


def test_names_that_users_chose_cannot_bring_markup():
    X, y = load_iris(return_X_y=True)
    model = ZORBClassifier([("<script>", Identity()), ("b", Identity())]).fit(X, y)
    html = model._repr_html_()
    assert "<td>&lt;script&gt;</td>" in html and "<td><script>" not in html


def test_lists_without_a_stack_have_no_blocks_and_foreign_parameters_are_no_trouble():
    X, y = load_iris(return_X_y=True)
    assert "block" not in ZORBClassifier("Dense[8] Tanh", random_state=0).fit(X, y).summary(None)
    foreign = EstimatorLayer(make_pipeline(FunctionTransformer(np.abs), RidgeCV()))
    model = ZORBClassifier([Stack([[foreign], [Identity()]])], random_state=0).fit(X, y)
    assert [row[5] for row in blocks(model)] == ["EstimatorLayer", "Identity"]
