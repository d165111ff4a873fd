"""Population search over the weights of a network, by the strategies of evosax."""

from __future__ import annotations

import functools
import inspect
from dataclasses import KW_ONLY, dataclass
from difflib import get_close_matches
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from ..._compat import Interval
from .objective import merge
from .structure import without_derivatives
from .trainer import BatchTrainer
from .update import Update, cosine

if TYPE_CHECKING:
    from ...layers.base import Context
    from ...typing import Float, Int
    from .objective import Aux, Batch, Objective, Tree

# what the history tells of the losses of a population
POPULATION = ("best_loss", "mean_loss", "loss_spread")
# the loss of a member whose own is not finite
OVERFLOW = 1e30


@dataclass(frozen=True, kw_only=True)
class EvolutionUpdate(Update):
    """One generation for each batch."""

    strategy: str
    pop_size: int
    spread: float
    learning_rate: float
    settings: tuple[tuple[str, Any], ...]
    size: int
    chunk_size: int
    derivatives: bool

    @property
    def figures(self) -> tuple[str, ...]:
        if not self.diagnostics:
            return ()
        return (*POPULATION, "error_reduction", *(("cosine",) if self.derivatives else ()))

    def memory(self, objective: Objective, params: Tree, moved: Tree, context: Context) -> Tree:
        import jax
        from jax.flatten_util import ravel_pytree

        strategy, settings = built(self)
        flat = ravel_pytree(moved)[0]
        key, noise_key = jax.random.split(jax.random.key(int(context.rng.integers(2**31))))
        if hasattr(strategy, "get_mean"):
            return {"state": strategy.init(key, flat, settings)}
        shape = (self.pop_size, self.size)
        population = flat + self.spread * jax.random.normal(noise_key, shape, flat.dtype)
        fitness = jax.numpy.full(self.pop_size, OVERFLOW, flat.dtype)
        return {"state": strategy.init(key, population, fitness, settings)}

    def direction(
        self, objective: Objective, moved: Tree, params: Tree, memory: Tree, batch: Batch, key: Any
    ) -> tuple[Tree, Aux, Tree]:
        import jax
        from jax.flatten_util import ravel_pytree

        flat, unravel = ravel_pytree(moved)
        noise_key, ask_key, tell_key = jax.random.split(key, 3)

        def loss(flat: Any) -> Any:
            return objective.loss(merge(params, unravel(flat)), batch, noise_key)

        strategy, settings = built(self)
        state = memory["state"]
        population, asked = strategy.ask(ask_key, state, settings)
        fitness = jax.lax.map(
            lambda one: loss(one.astype(flat.dtype))[0],
            population,
            batch_size=min(self.chunk_size, self.pop_size),
        )
        # a candidate that overflows is no candidate
        fitness = jax.numpy.where(jax.numpy.isfinite(fitness), fitness, OVERFLOW)
        told, _ = strategy.tell(tell_key, population, fitness, asked, settings)
        state = jax.tree.map(lambda new, old: new.astype(old.dtype), told, state)
        found = strategy.get_mean(state) if hasattr(strategy, "get_mean") else state.best_solution
        step = flat - found.astype(flat.dtype)
        _, aux = loss(flat)
        if self.diagnostics:
            figures = population_figures(fitness)
            if self.derivatives:
                figures["cosine"] = cosine(step, jax.grad(loss, has_aux=True)(flat)[0])
            aux = {**aux, "figures": figures}
        return unravel(step), aux, {"state": state}


def population_figures(losses: Any) -> dict[str, Any]:
    """The least loss of a population, and mean and standard deviation of the finite ones."""
    from jax import numpy as jnp

    finite = losses < OVERFLOW
    count = jnp.maximum(finite.sum(), 1)
    mean = jnp.where(finite, losses, 0).sum() / count
    variance = (jnp.where(finite, losses - mean, 0) ** 2).sum() / count
    return dict(zip(POPULATION, (losses.min(), mean, jnp.sqrt(variance)), strict=True))


@dataclass(eq=False, repr=False)
class Evolution(BatchTrainer):
    r"""Search weights with a population, by any strategy of evosax.

    In every generation, one for each batch, the strategy proposes a population of weight
    vectors around what it has learned, and is told the loss of each. No derivative is taken:
    any layer that JAX can compile may be in the network. The weights are the mean of the
    strategy's distribution, or its best member where it has none.

    Parameters
    ----------
    strategy : str, default="SNES"
        Name of a class in `evosax.algorithms`: "Open_ES", "CMA_ES", "SNES", "PGPE", "PSO",
        "SimpleGA", "HillClimbing", "DifferentialEvolution", ... "CMA_ES" keeps a matrix of
        the square of the number of weights.
    pop_size : int, default=64
    spread : float, default=0.1
        Standard deviation of the first population.
    learning_rate : float, default=0.05
        Of Adam, in strategies that step by an optimiser, such as "Open_ES".
    strategy_params : dict or None, default=None
        Settings of the strategy, such as ``{"c_mean": 0.5}``, in place of its own, and
        arguments of its constructor, such as ``{"use_antithetic_sampling": False}``.
    chunk_size : int, default=16
        Members whose losses are computed at the same time.
    batch_size, max_epochs, tol, patience, tol_loss : as in `Backprop`
    early_stopping, validation_fraction : as in `Backprop`
    diagnostics : bool, default=False
        Whether the history tells of each epoch, in the mean over its generations, the least
        loss of the population, the mean and the standard deviation (``best_loss``,
        ``mean_loss``, ``loss_spread``), what each step took from the loss of its own batch
        (``error_reduction``), and, where all layers have derivatives, the cosine between step
        and true gradient (``cosine``).

    Notes
    -----
    Needs evosax: ``pip install sklearn-zorb[evolution]``.

    References
    ----------
    .. [1] R. T. Lange, "evosax: JAX-based Evolution Strategies", arXiv:2212.04180.

    Examples
    --------
    >>> import pytest; _ = pytest.importorskip("evosax")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import Evolution
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = Evolution("CMA_ES", max_epochs=100)
    >>> model = NetworkClassifier("Dense[4] Sign", trainer=rule, random_state=0).fit(X, y)
    >>> print(model.score(X, y))
    0.9...
    """

    needs_derivatives = False
    # the outer loop takes the step from the old weights to those of the strategy as it is
    optimizer, optimizer_params, schedule = "sgd", None, None
    _parameter_constraints = {
        **BatchTrainer._parameter_constraints,
        "strategy": [str],
        "pop_size": [Interval(Integral, 2, None, closed="left")],
        "spread": [Interval(Real, 0, None, closed="neither")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "strategy_params": [None, dict],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
    }

    strategy: str = "SNES"
    pop_size: Int = 64
    spread: Float = 0.1
    learning_rate: Float = 0.05
    strategy_params: dict[str, Any] | None = None
    chunk_size: Int = 16
    _: KW_ONLY
    tol: Float | None = None
    patience: Int = 50

    def base_rate(self, full: bool) -> float:
        return 1.0

    def brakes(self, base: float) -> str:
        return f"spread (now {self.spread:g}) or learning_rate (now {self.learning_rate:g})"

    def make_update(self, objective: Objective, moved: Tree) -> Update:
        import jax

        settings = {"std_init": self.spread, **(self.strategy_params or {})}
        return EvolutionUpdate.of(
            self,
            strategy=_strategy_name(self.strategy),
            settings=tuple(sorted(settings.items())),
            size=sum(leaf.size for leaf in jax.tree.leaves(moved)),
            derivatives=not any(without_derivatives(objective.network)),
        )


@functools.lru_cache(maxsize=16)
def _algorithm(update: EvolutionUpdate, dtype: str) -> Any:
    import jax
    import optax

    build = getattr(_algorithms(), update.strategy)
    arguments = _constructor_arguments(update.strategy)
    if "num_populations" in arguments:
        raise ValueError(
            f"strategy={update.strategy!r} keeps several populations, the means of which are no "
            "one network; pass a strategy of one, such as 'Open_ES' or 'CMA_ES'."
        )
    options = {name: value for name, value in update.settings if name in arguments}
    missing = [name for name, needed in arguments.items() if needed and name not in options]
    if missing:
        wanted = ", ".join(f"{name!r}: ..." for name in missing)
        raise ValueError(
            f"strategy={update.strategy!r} cannot do without {' and '.join(missing)}: pass "
            f"strategy_params={{{wanted}}}."
        )
    if "optimizer" in arguments:
        options.setdefault("optimizer", optax.adam(update.learning_rate))
    solution = jax.numpy.zeros(update.size, dtype)
    return build(population_size=update.pop_size, solution=solution, **options)


def _constructor_arguments(strategy: str) -> dict[str, bool]:
    """Names of what a strategy is made with, and whether it cannot do without."""
    signature = inspect.signature(getattr(_algorithms(), strategy)).parameters.values()
    handled = {"population_size", "solution", "kwargs", "metrics_fn"}
    return {p.name: p.default is p.empty for p in signature if p.name not in handled}


def built(update: EvolutionUpdate) -> tuple[Any, Any]:
    """The strategy of evosax and its settings."""
    import jax

    strategy = _algorithm(update, jax.numpy.result_type(float).name)
    # numbers, also where this is compiled: some strategies make them sizes of arrays
    with jax.ensure_compile_time_eval():
        settings = strategy.default_params
    known = {name: value for name, value in update.settings if hasattr(settings, name)}
    arguments = _constructor_arguments(update.strategy)
    unknown = {name for name, _ in update.settings} - {*known, *arguments, "std_init"}
    if unknown:
        raise ValueError(
            f"strategy_params has {sorted(unknown)}, which {update.strategy} does not; it has "
            f"{sorted({*vars(settings), *arguments})}."
        )
    return strategy, settings.replace(**known)


def _algorithms() -> Any:
    try:
        from evosax import algorithms
    except ImportError as error:
        raise ImportError(
            "Evolution needs evosax, which is not installed: pip install sklearn-zorb[evolution]"
        ) from error
    return algorithms


def _strategy_name(name: str) -> str:
    """The name in evosax for what the user wrote: "OpenES" and "open-es" are "Open_ES"."""
    algorithms = _algorithms()
    names = {_plain(n): n for n in dir(algorithms) if hasattr(getattr(algorithms, n), "ask")}
    if _plain(name) not in names:
        close = get_close_matches(_plain(name), names, n=1)
        guess = f" Did you mean {names[close[0]]!r}?" if close else ""
        raise ValueError(
            f"strategy={name!r} is not in evosax.{guess} It has {sorted(names.values())}."
        )
    return names[_plain(name)]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
