"""Population search by the strategies of evosax."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from small_network import Problem, flat

from sklearn_zorb import NetworkClassifier, NetworkRegressor
from sklearn_zorb.layers import Context, Dense, Tanh
from sklearn_zorb.trainers import Backprop, Evolution
from sklearn_zorb.trainers.gradient.evolution import built
from sklearn_zorb.trainers.gradient.objective import merge

pytest.importorskip("evosax")
X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize("strategy", ["SNES", "OpenES", "PSO", "SimpleGA", "hill-climbing"])
def test_strategies(strategy):
    rule = Evolution(strategy, max_epochs=100)
    model = NetworkClassifier("Dense[4] Sign", trainer=rule, random_state=0).fit(X, y)
    assert model.history_[-1]["loss"] < 0.5 * model.history_[0]["loss"]
    assert model.score(X, y) > 0.7


def test_divergence_names_what_can_be_lowered():
    X, y = load_diabetes(return_X_y=True)
    rule = Evolution("OpenES", learning_rate=1e200, max_epochs=5)
    model = NetworkRegressor("Dense[3] ReLU", trainer=rule, random_state=0)
    match = r"lower spread \(now 0.1\) or learning_rate \(now 1e\+200\)"
    with pytest.warns(ConvergenceWarning, match=match):
        model.fit(X, y)
    assert model.status_ == "diverged"


def test_the_params_are_those_of_the_strategy():
    X, y = load_diabetes(return_X_y=True)
    rule = Evolution(max_epochs=5)

    def train():
        context = Context(rng=np.random.default_rng(0))
        return rule.fit("Dense[3] Tanh Dense", None, X / X.std(axis=0), y[:, None], context)

    result = train()
    mean = result.state["memory"]["state"].mean
    np.testing.assert_allclose(flat(result.params), mean, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(flat(train().params), flat(result.params))


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="strategy='CMAES2'.*Did you mean"):
        NetworkClassifier("Dense[4] Tanh", trainer=Evolution("CMAES2")).fit(X, y)
    rule = Evolution("SNES", strategy_params={"nothing": 1.0})
    with pytest.raises(ValueError, match="strategy_params has"):
        NetworkClassifier("Dense[4] Tanh", trainer=rule).fit(X, y)
    for strategy, match in (
        ("RandomSearch", r"cannot do without sampling_fn: pass strategy_params=\{'sampling_fn'"),
        ("SV_CMA_ES", "keeps several populations"),
        ("MutationFeatureEncoding", "is not in evosax"),
    ):
        with pytest.raises(ValueError, match=match):
            NetworkClassifier("Dense[4] Tanh", trainer=Evolution(strategy)).fit(X, y)


def test_a_strategy_that_sizes_its_arrays_by_its_settings_and_one_made_with_its_own():
    losses = {}
    for strategy, settings in (
        ("LM_MA_ES", None),
        ("OpenES", None),
        ("OpenES", {"use_antithetic_sampling": False}),
    ):
        rule = Evolution(strategy, max_epochs=5, strategy_params=settings)
        model = NetworkClassifier("Dense[4] Tanh", trainer=rule, random_state=0).fit(X, y)
        losses[strategy, settings is None] = model.history_[-1]["loss"]
    assert losses["OpenES", True] != losses["OpenES", False]
    assert np.isfinite(list(losses.values())).all()


def test_diagnostics_tell_of_the_population_and_the_step(x64):
    import jax

    problem = Problem([Dense(4), Tanh()], width=3, n=20)
    update, memory = problem.start(Evolution(pop_size=10, diagnostics=True, chunk_size=4))
    step, aux, _ = problem.follow(update, memory)
    strategy, settings = built(update)
    ask_key = jax.random.split(problem.key, 3)[1]
    population, _ = strategy.ask(ask_key, memory["state"], settings)
    unravel = jax.flatten_util.ravel_pytree(problem.moved)[1]
    losses = [
        problem.objective.loss(merge(problem.params, unravel(one)), problem.batch)[0]
        for one in population
    ]
    step, true = flat(step), flat(problem.direction(Backprop()))
    cosine = step @ true / np.linalg.norm(step) / np.linalg.norm(true)
    expected = [np.min(losses), np.mean(losses), np.std(losses), cosine]
    names = ["best_loss", "mean_loss", "loss_spread", "cosine"]
    np.testing.assert_allclose([aux["figures"][name] for name in names], expected)


def test_diagnostics_without_derivatives_have_no_cosine():
    rule = Evolution(max_epochs=5, diagnostics=True)
    model = NetworkClassifier("Dense[4] Sign", trainer=rule, random_state=0).fit(X, y)
    figures = {"best_loss", "mean_loss", "loss_spread", "error_reduction"}
    assert figures <= set(model.history_[0])
    assert "cosine" not in model.history_[0]
    rule.set_params(diagnostics=False)
    plain = NetworkClassifier("Dense[4] Sign", trainer=rule, random_state=0).fit(X, y)
    assert not figures & set(plain.history_[0])
    np.testing.assert_array_equal(plain.predict(X), model.predict(X))
