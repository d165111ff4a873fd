"""Spaces for Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..datasets.optional import import_optional
from .space import SIZES, Choice, choose_layers, search_space

if TYPE_CHECKING:
    from .space import Domain

# names of the parameters of an `Auto` that stands alone in a list
NESTED = "auto_1__"


def suggest_layers(
    trial: Any, task: str, n_samples: int, n_features: int, *, prefix: str = ""
) -> str:
    """Let a trial of Optuna suggest layers.

    Sizes are asked for only where their block stands in the list.

    Parameters
    ----------
    trial : optuna.trial.BaseTrial
    task : {"classification", "regression"}
    n_samples, n_features : int
        Rows that are fitted to, and columns.
    prefix : str, default=""
        What stands before the names of the parameters in the study.

    Returns
    -------
    layers : str
        For the parameter `layers`, as `layers_from` writes it.

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.

    See Also
    --------
    default_trial : What a study is to try first.

    Examples
    --------
    >>> import optuna
    >>> from sklearn_zorb.automl import default_trial, suggest_layers
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    >>> study.enqueue_trial(default_trial("regression", 500, 10))
    >>> for _ in range(3):
    ...     print(suggest_layers(study.ask(), "regression", 500, 10))
    Auto
    Auto[best, blocks="linear+kernel", landmarks=0.919735, kernel=laplace, shrinkage=299.061]
    Auto[fast, blocks="forest+boosting", trees=89, max_features=1.0, min_samples_leaf=3,
    rounds=51, learning_rate=0.0631493, shrinkage=34.2971]
    """

    def suggest(name: str, domain: Domain) -> Any:
        if isinstance(domain, Choice):
            return trial.suggest_categorical(prefix + name, domain.values)
        number = trial.suggest_int if domain.whole else trial.suggest_float
        return number(prefix + name, domain.low, domain.high, log=True)

    return choose_layers(suggest, task, n_samples, n_features)


def optuna_distributions(
    task: str, n_samples: int, n_features: int, *, prefix: str = ""
) -> dict[str, Any]:
    """Give the distributions for ``OptunaSearchCV`` over an estimator with ``layers=[Auto()]``.

    Parameters
    ----------
    task : {"classification", "regression"}
    n_samples, n_features : int
        Rows and columns of the data.
    prefix : str, default=""
        What stands before the names of parameters, such as ``"zorbclassifier__"`` in a pipeline.

    Returns
    -------
    distributions : dict of str to optuna.distributions.BaseDistribution

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> from sklearn_zorb.automl import optuna_distributions
    >>> optuna_distributions("regression", 500, 10)["auto_1__trees"]
    IntDistribution(high=400, log=True, low=25, step=1)
    """
    of = import_optional("optuna.distributions", "A space for OptunaSearchCV")
    found = {}
    for name, domain in search_space(task, n_samples, n_features).items():
        key = _nested(name, prefix)
        if isinstance(domain, Choice):
            found[key] = of.CategoricalDistribution(domain.values)
        else:
            kind = of.IntDistribution if domain.whole else of.FloatDistribution
            found[key] = kind(domain.low, domain.high, log=True)
    return found


def default_trial(
    task: str, n_samples: int, n_features: int, *, prefix: str = "", nested: bool = False
) -> dict[str, Any]:
    """Give the parameters of the default, for ``study.enqueue_trial``.

    A study that tries them first cannot end below the default.

    Parameters
    ----------
    task : {"classification", "regression"}
    n_samples, n_features : int
        As in the space that the study searches.
    prefix : str, default=""
        As in the space that the study searches.
    nested : bool, default=False
        Whether that is one of `optuna_distributions`, and not of `suggest_layers`.

    Returns
    -------
    params : dict

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.

    Examples
    --------
    >>> from sklearn_zorb.automl import default_trial
    >>> default_trial("regression", 50, 10, prefix="zorb_")["zorb_trees"]
    100
    """
    starts = {
        name: domain.start for name, domain in search_space(task, n_samples, n_features).items()
    }
    if nested:
        return {_nested(name, prefix): start for name, start in starts.items()}
    return {prefix + name: start for name, start in starts.items() if name in SIZES}


def _nested(name: str, prefix: str) -> str:
    """The name that a parameter of the space has in an estimator."""
    return f"{prefix}{NESTED if name in SIZES else ''}{name}"
