"""How a target for the output of a block becomes one for its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import candidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from .local import Pass


def half_square(rows: Any) -> Any:
    """Half the squared length of each row."""
    return 0.5 * (rows.reshape(rows.shape[0], -1) ** 2).sum(axis=1)


def descend(loss: Callable[[Any], Any], rows: Any, rate: float, n_steps: int) -> Any:
    """Rows after some gradient steps on a sum of losses, one for each row."""
    import jax

    slope = jax.grad(loss)

    def move(_: object, rows: Any) -> Any:
        return rows - rate * slope(rows)

    return jax.lax.fori_loop(0, n_steps, move, rows)


def by_gradient(run: Pass, j: int, target: Any) -> Any:
    """The input moved against the gradient of the local loss."""

    def loss(rows: Any) -> Any:
        return half_square(run.block(j, run.params, rows) - target).sum()

    return descend(loss, run.states[j], run.update.target_rate, run.update.n_target_steps)


def by_least_squares(run: Pass, j: int, target: Any) -> Any:
    """The input moved by the damped least-squares solution for the pre-activation."""
    from jax import numpy as jnp

    if not run.dense(j):
        return by_gradient(run, j, target)
    weights = run.params[run.update.starts[j]]["weights"]
    wanted = run.change_before(j, target)
    if not run.update.delta:
        wanted = wanted + run.states[j] @ weights
    small = weights if weights.shape[0] <= weights.shape[1] else weights.T
    gram = small @ small.T + run.update.alpha * jnp.eye(len(small), dtype=weights.dtype)
    if small is weights:
        found = jnp.linalg.solve(gram, weights @ wanted.T).T
    else:
        found = jnp.linalg.solve(gram, wanted.T).T @ weights.T
    return run.states[j] + found if run.update.delta else found


def by_reconstruction(run: Pass, j: int, target: Any) -> Any:
    """What the learned inverse makes of the target."""
    return run.guess(run.reverse, j, target)


def by_difference(run: Pass, j: int, target: Any) -> Any:
    """The input moved by the difference that the target makes to the learned inverse."""
    moved = run.guess(run.reverse, j, target) - run.guess(run.reverse, j, run.states[j + 1])
    return run.states[j] + moved


def by_candidates(run: Pass, j: int, target: Any) -> Any:
    """For each row, the candidate whose output is closest to the target."""
    import jax

    key = jax.random.fold_in(run.key, 2000 + j)
    if run.update.candidates == "normal":
        found = candidates.around(
            run.states[j], key, run.update.n_candidates, run.update.candidate_spread
        )
    else:
        found = candidates.passes(
            lambda key: run.block(j - 1, run.params, run.states[j - 1], key=key),
            run.states[j], key, run.update.n_candidates,
        )  # fmt: skip
    return candidates.best(found, lambda rows: half_square(run.block(j, run.params, rows) - target))


TARGET_RULES = {
    "gradient": by_gradient,
    "least_squares": by_least_squares,
    "reconstruction": by_reconstruction,
    "difference": by_difference,
    "candidates": by_candidates,
}
