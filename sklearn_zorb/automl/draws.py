"""Distributions for the random searches of scikit-learn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scipy.stats import loguniform
from sklearn.utils import check_random_state

from .space import Choice, choose_layers, layers_from, search_space

if TYPE_CHECKING:
    from collections.abc import Callable

    from .space import Domain

NOBODY = object()


class FirstTheStart:
    """Base of distributions whose first draw with each new generator is the start."""

    last: Any = NOBODY  # the generator seen last; kept, so that no other gets its identity

    def is_new(self, generator: Any) -> bool:
        new = generator is not self.last
        self.last = generator
        return new


class Draws(FirstTheStart):
    """A distribution of the values of one parameter of an estimator.

    Parameters
    ----------
    start : object
        The default.
    draw : callable
        Gives a value, by a generator.
    """

    def __init__(self, start: Any, draw: Callable[[Any], Any]) -> None:
        self.start = start
        self.draw = draw

    def rvs(self, size: None = None, random_state: Any = None) -> Any:
        """Draw one value; `size` is there as SciPy's distributions have it."""
        generator = check_random_state(random_state)
        return self.start if self.is_new(generator) else self.draw(generator)


def draw_scalar(generator: Any, name: str, domain: Domain) -> Any:
    """A value of a `Choice` or a `Number`."""
    if isinstance(domain, Choice):
        return domain.values[generator.randint(len(domain.values))]
    number = loguniform(domain.low, domain.high).rvs(random_state=generator)
    return round(number) if domain.whole else float(f"{number:.3g}")


def draw_layers(generator: Any, task: str, n_samples: int, n_features: int) -> str:
    return choose_layers(partial(draw_scalar, generator), task, n_samples, n_features)


def param_distributions(
    task: str, n_samples: int, n_features: int, *, prefix: str = ""
) -> dict[str, Draws]:
    """Give the distributions for ``RandomizedSearchCV`` and ``HalvingRandomSearchCV``.

    Parameters
    ----------
    task : {"classification", "regression"}
    n_samples, n_features : int
        Rows and columns of the data.
    prefix : str, default=""
        What stands before the names of parameters, such as ``"zorbclassifier__"`` in a pipeline.

    Returns
    -------
    distributions : dict
        For ``layers``, whose values are texts of `layers_from`, and ``alpha``.

    Raises
    ------
    ValueError
        If `task` is another word, or a size is not a positive integer.

    Notes
    -----
    The first candidate that a search draws is the default, ``layers="Auto"``, so that the best one
    scores no less. That is so for each search with an int as `random_state`; searches that share
    one generator, as those do with None, need distributions of their own.

    Examples
    --------
    >>> from sklearn.model_selection import ParameterSampler
    >>> from sklearn_zorb.automl import param_distributions
    >>> space = param_distributions("classification", 500, 10)
    >>> for candidate in ParameterSampler(space, 3, random_state=0):
    ...     print(candidate["alpha"], candidate["layers"])
    loo Auto
    loo Auto[fast, landmarks=0.42, kernel=laplace_l1, trees=84, min_samples_leaf=18, shrinkage=7.07]
    10.0 Auto[fast, landmarks=0.843, kernel=laplace, trees=64, max_features=1.0,
    min_samples_leaf=1, shrinkage=157.0]
    """
    space = search_space(task, n_samples, n_features)
    draws = {
        "alpha": Draws("loo", partial(draw_scalar, name="alpha", domain=space["alpha"])),
        "layers": Draws(
            layers_from(),
            partial(draw_layers, task=task, n_samples=n_samples, n_features=n_features),
        ),
    }
    return {prefix + name: distribution for name, distribution in draws.items()}
