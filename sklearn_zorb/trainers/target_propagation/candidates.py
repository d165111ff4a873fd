"""Targets by search: of several inputs for each row, the one whose output comes closest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def around(inputs: Any, key: Any, n_candidates: int, spread: float) -> Any:
    """The inputs themselves and normal perturbations: (n_candidates, n, ...)."""
    import jax
    from jax import numpy as jnp

    shape = (n_candidates - 1, *inputs.shape)
    noise = spread * jax.random.normal(key, shape, inputs.dtype)
    return jnp.concatenate([inputs[None], inputs + noise])


def passes(forward: Callable[[Any], Any], inputs: Any, key: Any, n_candidates: int) -> Any:
    """The inputs and further passes of the stochastic layers below: (n_candidates, n, ...).

    Parameters
    ----------
    forward : callable
        ``forward(key)`` gives one pass.
    """
    import jax
    from jax import numpy as jnp

    keys = jax.random.split(key, n_candidates - 1)
    return jnp.concatenate([inputs[None], jax.vmap(forward)(keys)])


def best(candidates: Any, error: Callable[[Any], Any]) -> Any:
    """For each row, the candidate of least error; the first one among equals.

    As the first candidate is what the row has now, no row gets worse.

    Parameters
    ----------
    candidates : array of shape (n_candidates, n, ...)
    error : callable
        ``error(rows)`` of shape (n,).
    """
    import jax
    from jax import numpy as jnp

    errors = jax.lax.map(error, candidates)
    chosen = jnp.argmin(errors, axis=0)
    return candidates[chosen, jnp.arange(candidates.shape[1])]
