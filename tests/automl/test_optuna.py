"""Spaces for Optuna, and what is said where a tool is not installed."""

import importlib
import sys

import pytest
from sklearn.datasets import load_wine

from sklearn_zorb import ZORBClassifier, automl
from sklearn_zorb.layers import Auto


@pytest.mark.parametrize(
    "tool, extra, name",
    [
        ("flaml", "automl", "FlamlLearner"),
        ("tpot", "automl", "tpot_node"),
        ("autogluon", "autogluon", "AutoGluonModel"),
    ],
)
def test_tools_that_are_not_installed(tool, extra, name, monkeypatch):
    for module in [tool, *(one for one in sys.modules if one.startswith(f"{tool}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"sklearn_zorb.automl.{tool}", raising=False)
    with pytest.raises(ImportError, match=rf'{name} needs {tool}.*"sklearn-zorb\[{extra}\]"'):
        getattr(automl, name)


def test_names_that_are_none():
    assert {"FlamlLearner", "tpot_node", "AutoGluonModel", "layers_from"} <= set(dir(automl))
    with pytest.raises(AttributeError, match="no attribute 'mljar'"):
        automl.mljar  # noqa: B018


optuna = pytest.importorskip("optuna")
optuna.logging.set_verbosity(optuna.logging.WARNING)
X, y = load_wine(return_X_y=True)
SIZES = ("classification", *X.shape)


def study(trial):
    made = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    made.enqueue_trial(trial)
    return made


def test_trials_begin_with_the_default_and_ask_for_what_acts():
    made = study(automl.default_trial(*SIZES, prefix="zorb_"))
    texts = []
    for _ in range(12):
        trial = made.ask()
        texts.append(automl.suggest_layers(trial, *SIZES, prefix="zorb_"))
        boosted = "boosting" in trial.params["zorb_blocks"]
        assert ("zorb_rounds" in trial.params) == boosted
        made.tell(trial, 0.0)
    assert texts[0] == "Auto" and len(set(texts)) == 12


def test_a_study_does_not_end_below_the_default():
    def objective(trial):
        layers = automl.suggest_layers(trial, *SIZES)
        return ZORBClassifier(layers, random_state=0).fit(X[::2], y[::2]).score(X[1::2], y[1::2])

    made = study(automl.default_trial(*SIZES))
    made.optimize(objective, n_trials=3)
    usual = ZORBClassifier(random_state=0).fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    assert made.trials[0].value == usual <= made.best_value


def test_its_search_takes_the_distributions():
    integration = pytest.importorskip("optuna_integration")
    search = integration.OptunaSearchCV(
        ZORBClassifier([Auto()], random_state=0), automl.optuna_distributions(*SIZES),
        study=study(automl.default_trial(*SIZES, nested=True)), n_trials=2, cv=2, random_state=0,
    )  # fmt: skip
    search.fit(X, y)
    first = search.study_.trials[0]
    assert first.params["auto_1__effort"] == "auto" and first.params["alpha"] == "loo"
    assert search.best_score_ >= first.value
    assert (search.predict(X) == y).mean() > 0.9


def test_distributions_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna.distributions", None)
    with pytest.raises(ImportError, match=r"needs optuna.*sklearn-zorb\[automl\]"):
        importlib.reload(sys.modules["sklearn_zorb.automl.optuna"]).optuna_distributions(*SIZES)
