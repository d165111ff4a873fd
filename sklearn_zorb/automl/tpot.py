"""A node of TPOT's search spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..datasets.optional import import_optional
from ..estimators import ZORBClassifier, ZORBRegressor
from .draws import FirstTheStart
from .space import Choice, parameters, search_space

EstimatorNode: Any = import_optional("tpot.search_spaces.nodes", "tpot_node").EstimatorNode
config_space = import_optional("ConfigSpace", "tpot_node")
if TYPE_CHECKING:
    from .space import Domain

# what stands for None, which ConfigSpace does not have
NONE = "<NONE>"


class Node(FirstTheStart, EstimatorNode):
    """A node whose first individual in a search is the default."""

    def generate(self, rng: Any = None) -> Any:
        individual = super().generate(rng)
        if self.is_new(rng):
            individual.hyperparameters = dict(self.space.get_default_configuration())
        return individual


def tpot_node(task: str, n_samples: int, n_features: int, **params: Any) -> Node:
    """Give a node for the search spaces of TPOT 1.

    Parameters
    ----------
    task : {"classification", "regression"}
    n_samples, n_features : int
        Rows and columns of the data.
    **params
        Parameters of `ZORBClassifier` or `ZORBRegressor` that are not searched, such as
        `random_state`.

    Returns
    -------
    node : tpot.search_spaces.nodes.EstimatorNode
        A space by itself, or among others in a ``ChoicePipeline``. The first individual that it
        gives in a search is the default.

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.
    ImportError
        If TPOT is not installed.

    Examples
    --------
    >>> import tpot
    >>> from sklearn_zorb.automl import tpot_node
    >>> node = tpot_node("classification", 500, 10, random_state=0)
    >>> node.generate().export_pipeline()
    ZORBClassifier(layers='Auto', random_state=0)
    """
    space = search_space(task, n_samples, n_features)
    space = config_space.ConfigurationSpace(
        space=[_hyperparameter(name, domain) for name, domain in space.items()]
    )
    method = ZORBClassifier if task == "classification" else ZORBRegressor
    return Node(method, space, Parser(params))


def _hyperparameter(name: str, domain: Domain) -> Any:
    if isinstance(domain, Choice):
        values = [NONE if value is None else str(value) for value in domain.values]
        return config_space.CategoricalHyperparameter(name, values, default_value=values[0])
    kind = config_space.Integer if domain.whole else config_space.Float
    return kind(name, (domain.low, domain.high), log=True, default=domain.start)


class Parser:
    """Turns a configuration into parameters of the estimator, beside those that are fixed."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def __call__(self, configuration: dict[str, Any]) -> dict[str, Any]:
        scalars = {name: None if str(value) == NONE else value
                   for name, value in configuration.items()}  # fmt: skip
        return {**self.params, **parameters(**scalars)}
