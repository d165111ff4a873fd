"""A learner of FLAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..datasets.optional import import_optional
from ..estimators import ZORBClassifier, ZORBRegressor
from .space import Choice, parameters, search_space

Base: Any = import_optional("flaml.automl.model", "FlamlLearner").BaseEstimator
tune = import_optional("flaml.tune", "FlamlLearner")

if TYPE_CHECKING:
    from .space import Domain

# cheap values, from which FLAML starts again when it has found nothing better for a while
CHEAP = {"effort": "fast", "landmarks": 0.25, "trees": 25, "rounds": 20}


class FlamlLearner(Base):
    """Fit `ZORBClassifier` or `ZORBRegressor` as a learner of FLAML.

    Parameters
    ----------
    task : str or flaml Task, default="binary"
        FLAML passes it.
    **config
        Scalars of the search space, and parameters of the estimator.

    Notes
    -----
    The first configuration that FLAML tries is the default.

    Examples
    --------
    >>> from flaml import AutoML
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_zorb.automl import FlamlLearner
    >>> X, y = load_wine(return_X_y=True)
    >>> automl = AutoML()
    >>> automl.add_learner("zorb", FlamlLearner)
    >>> automl.fit(X, y, task="classification", estimator_list=["zorb"], max_iter=2, verbose=0)
    >>> automl.best_config_per_estimator["zorb"]["effort"]
    'auto'
    """

    def __init__(self, task: Any = "binary", **config: Any) -> None:
        super().__init__(task, **config)
        self.estimator_class = ZORBClassifier if self._task.is_classification() else ZORBRegressor

    @classmethod
    def search_space(
        cls, data_size: tuple[int, int], task: Any, **params: Any
    ) -> dict[str, dict[str, Any]]:
        """Give the domain, the start and the least cost of each scalar.

        Parameters
        ----------
        data_size : tuple of int
            Rows and columns.
        task : str or flaml Task
        **params : ignored

        Returns
        -------
        space : dict
        """
        kind = "regression" if str(task) == "regression" else "classification"
        space: dict[str, dict[str, Any]] = {}
        for name, domain in search_space(kind, *data_size).items():
            start = str(domain.start) if _is_mixed(domain) else domain.start
            space[name] = {"domain": _domain(domain), "init_value": start}
            if name in CHEAP:
                space[name]["low_cost_init_value"] = CHEAP[name]
        return space

    @classmethod
    def cost_relative2lgbm(cls) -> float:
        """Tell how many times the first fit of FLAML's LightGBM a default fit takes.

        Returns
        -------
        cost : float
        """
        return 100.0  # measured on few rows

    def config2params(self, config: dict[str, Any]) -> dict[str, Any]:
        """Turn a configuration into parameters of the estimator.

        Parameters
        ----------
        config : dict

        Returns
        -------
        params : dict
        """
        return parameters(**super().config2params(config))


def _is_mixed(domain: Domain) -> bool:
    """Whether values are of several types: FLAML draws them as text, and forgets their types."""
    return isinstance(domain, Choice) and len(set(map(type, domain.values))) > 1


def _domain(domain: Domain) -> Any:
    if isinstance(domain, Choice):
        return tune.choice(list(map(str, domain.values) if _is_mixed(domain) else domain.values))
    if domain.whole:
        return tune.lograndint(domain.low, domain.high + 1)
    return tune.loguniform(domain.low, domain.high)
