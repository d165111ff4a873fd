"""A model of AutoGluon."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..auto import auto_layers
from ..datasets.optional import import_optional
from ..estimators import ZORBClassifier, ZORBRegressor
from ..layers import Kernel
from .space import Choice, layers_from, parameters, search_space

Base: Any = import_optional("autogluon.core.models", "AutoGluonModel").AbstractModel
types = import_optional("autogluon.common.features.types", "AutoGluonModel")
spaces = import_optional("autogluon.common.space", "AutoGluonModel")
registry = import_optional("autogluon.tabular.registry", "AutoGluonModel").ag_model_registry

if TYPE_CHECKING:
    from .space import Domain

logger = logging.getLogger(__name__)

# a default fit takes at most so many times a fast one (benchmarks/scale.py)
AUTO_TO_FAST = 10
FAST = layers_from("fast")


class AutoGluonModel(Base):
    """Fit `ZORBClassifier` or `ZORBRegressor` as a model of AutoGluon.

    Its key is "ZORB". Hyperparameters are those of `layers_from` and of the estimator. Without any
    it is the default, which a search tries first.

    Notes
    -----
    Under a time limit a fit of the effort "fast" comes first, and stays where the time that is left
    is less than ten times as much.

    Examples
    --------
    >>> from autogluon.tabular import TabularPredictor
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_zorb.automl import AutoGluonModel
    >>> frame = load_wine(as_frame=True).frame
    >>> predictor = TabularPredictor("target", verbosity=0)
    >>> predictor = predictor.fit(frame, hyperparameters={"ZORB": [{}, {"trees": 200}]})
    >>> sorted(predictor.model_names())
    ['WeightedEnsemble_L2', 'ZORB', 'ZORB_2']
    """

    ag_key = "ZORB"
    ag_name = "ZORB"
    ag_priority = 85  # before forests, so that it is there when time runs out
    seed_name = "random_state"
    _supported_problem_types = ["binary", "multiclass", "regression"]
    _default_auxiliary_params_extra = {
        "valid_raw_types": [types.R_BOOL, types.R_INT, types.R_FLOAT, types.R_CATEGORY]
    }

    def _fit(
        self,
        X: Any,
        y: Any,
        num_cpus: int = 1,
        time_limit: float | None = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> None:
        started = perf_counter()
        rows = self.preprocess(X, y=y, is_train=True)
        estimator = ZORBRegressor if self.problem_type == "regression" else ZORBClassifier
        params = {"n_jobs": num_cpus, **parameters(**self._get_model_params())}

        def fitted(**changes: Any) -> Any:
            model = estimator(**{**params, **changes})
            return model.fit(rows, y, sample_weight=sample_weight)

        if time_limit is not None and params.get("layers") != FAST:
            fast = perf_counter()
            self.model = fitted(layers=FAST)
            seconds = perf_counter() - fast
            left = time_limit - (perf_counter() - started)
            if left < AUTO_TO_FAST * seconds:
                logger.warning("\t%s stays with effort='fast': %.1f s are left", self.name, left)
                return
        self.model = fitted()

    def _hyperparameter_tune(self, X: Any, y: Any, **kwargs: Any) -> Any:
        self._shape = X.shape
        return super()._hyperparameter_tune(X=X, y=y, **kwargs)

    def _get_default_searchspace(self) -> dict[str, Any]:
        task = "regression" if self.problem_type == "regression" else "classification"
        found = search_space(task, *self._shape)
        return {name: _space(domain) for name, domain in found.items()}

    def _estimate_memory_usage(self, X: Any, **kwargs: Any) -> int:
        # kernel features and the products of them are what takes most
        (stack,) = auto_layers(X.shape)
        widths = [block[-1].units for block in stack.blocks if isinstance(block[-1], Kernel)]
        return 3 * 8 * sum((len(X) + width) * width for width in widths)


def _space(domain: Domain) -> Any:
    if isinstance(domain, Choice):
        return spaces.Categorical(*domain.values)
    if domain.whole:
        return spaces.Int(domain.low, domain.high, default=domain.start)
    return spaces.Real(domain.low, domain.high, default=domain.start, log=True)


if not registry.exists(AutoGluonModel):
    registry.add(AutoGluonModel)
