"""Search spaces, and what AutoML tools need to search them.

Optuna, FLAML and TPOT come with ``pip install "sklearn-zorb[automl]"``, AutoGluon with
``pip install "sklearn-zorb[autogluon]"``. Each is imported when its name is first used.
"""

from importlib import import_module
from typing import Any

from .draws import param_distributions
from .optuna import default_trial, optuna_distributions, suggest_layers
from .space import layers_from, parameters

__all__ = [
    "default_trial",
    "layers_from",
    "optuna_distributions",
    "param_distributions",
    "parameters",
    "suggest_layers",
]

# names that import their tool when they are read; ``import *`` leaves them out
_HOMES = {"AutoGluonModel": "autogluon", "FlamlLearner": "flaml", "tpot_node": "tpot"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
