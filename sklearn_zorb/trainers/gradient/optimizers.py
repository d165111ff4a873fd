"""Optimisers from optax by name, and learning-rate schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULES = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.5 * (1 + np.cos(np.pi * share)),
    "linear": lambda share: 1.0 - share,
    "warmup_cosine": lambda share: min(share / 0.05, 0.5 * (1 + np.cos(np.pi * share))),
}


@dataclass(frozen=True)
class Optimizer:
    """A recipe for an optax transformation whose learning rate is set at every step.

    Attributes
    ----------
    name : str or callable
        A function of `optax`, or ``factory(learning_rate)``.
    options : tuple of (str, value)
    """

    name: str | Callable[..., Any]
    options: tuple[tuple[str, Any], ...] = ()

    def build(self) -> Any:
        """The optax transformation."""
        import optax

        options = dict(self.options)
        factory = getattr(optax, self.name, None) if isinstance(self.name, str) else self.name
        if not callable(factory):
            raise ValueError(
                f"optimizer={self.name!r} is not a function of optax; pass a name such as "
                "'adam', 'sgd', 'lion' or 'adamw', or a factory(learning_rate)."
            )

        def make(learning_rate: Any) -> Any:
            return factory(learning_rate, **options)

        return optax.inject_hyperparams(make)(learning_rate=0.0)


def make_optimizer(name: str | Callable[..., Any], options: dict[str, Any] | None) -> Optimizer:
    """An `Optimizer` from what the user passed."""
    return Optimizer(name, tuple(sorted((options or {}).items())))


def learning_rates(
    schedule: str | Callable[[float], float] | None,
    base: float,
    first_step: int,
    n_steps: int,
    total: int,
) -> np.ndarray:
    """Learning rate of each of `n_steps` steps from `first_step` on, of `total` in all.

    Parameters
    ----------
    schedule : str, callable or None
        A key of `SCHEDULES`, or ``f(share)`` that maps the share of steps done, in [0, 1),
        to a factor.
    """
    if schedule is None or schedule == "constant":
        return np.full(n_steps, base, dtype=np.float64)
    factor = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
    shares = (first_step + np.arange(n_steps)) / max(total, 1)
    return np.array([base * factor(min(share, 1.0)) for share in shares], dtype=np.float64)
