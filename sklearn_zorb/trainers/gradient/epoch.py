"""Programs that JAX compiles once: a pass over batches, and the loss of one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .batch_moments import moved_towards
from .objective import merge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .objective import Batch, Objective, Tree
    from .optimizers import Optimizer
    from .update import Update


@functools.lru_cache(maxsize=64)
def compiled_epoch(
    objective: Objective, update: Update, optimizer: Optimizer
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """One compiled pass over a block of batches, for a structure, an update and an optimiser.

    What it tells of the batches are sums, each times its share of all rows.
    """
    import jax
    from jax import lax

    transformation = optimizer.build()
    names = ("loss", "hits", *update.figures)

    def walk(direction: Tree, state: Any, moved: Tree) -> tuple[Tree, Any]:
        return stepped(transformation, update, direction, state, moved)

    def step(
        i: Any, carry: Any, params: Tree, block: Batch, rates: Any, shares: Any, key: Any
    ) -> Any:
        moved, moments, state, memory, means = carry
        batch = tuple(array[i] for array in block)
        batch_key = jax.random.fold_in(key, i)
        state.hyperparams["learning_rate"] = rates[i].astype(batch[0].dtype)
        given = {"preview": lambda d: walk(d, state, moved)[0]} if update.previews else {}
        direction, aux, memory = update.direction(
            objective, moved, params, memory, batch, batch_key, **given
        )
        moved, state = walk(direction, state, moved)
        for _ in range(update.n_updates - 1):
            direction = update.again(objective, moved, params, batch, batch_key, aux)
            moved, state = walk(direction, state, moved)
        moments = moved_towards(moments, aux["moments"])
        seen = {"loss": aux["loss"], "hits": aux["hits"], **aux.get("figures", {})}
        if "error_reduction" in names:
            seen.update(update.reductions(objective, moved, params, batch, batch_key, aux))
        means = {name: means[name] + shares[i] * seen[name] for name in means}
        return moved, moments, state, memory, means

    def epoch(
        moved: Tree,
        moments: Tree,
        state: Any,
        memory: Tree,
        params: Tree,
        block: Batch,
        count: Any,
        rates: Any,
        shares: Any,
        key: Any,
        place: Any,
    ) -> Any:
        key = block_key(key, place)
        means = dict.fromkeys(names, block[2].sum() * 0)
        carry = (moved, moments, state, memory, means)
        shares = shares.astype(block[2].dtype)
        return lax.fori_loop(
            0, count, lambda i, carry: step(i, carry, params, block, rates, shares, key), carry
        )

    return jax.jit(epoch), jax.jit(transformation.init)


def block_key(key: Any, place: Any) -> Any:
    """The key of a block: of the step that its epoch began with, and its number."""
    import jax

    return jax.random.fold_in(jax.random.fold_in(key, place[0]), place[1])


def stepped(
    transformation: Any, update: Update, direction: Tree, state: Any, moved: Tree
) -> tuple[Tree, Any]:
    """Weights after a step of the optimiser against a direction, and its state."""
    import optax

    updates, state = transformation.update(direction, state, moved)
    return optax.apply_updates(moved, update.adjusted(updates, direction)), state


@functools.lru_cache(maxsize=64)
def compiled_loss(objective: Objective) -> Callable[..., Any]:
    """Loss and hits of one batch, as in prediction: no noise, running moments."""
    import jax

    def evaluate(moved: Tree, params: Tree, batch: Batch) -> tuple[Any, Any]:
        _, aux = objective.loss(merge(params, moved), batch)
        return aux["loss"], aux["hits"]

    return jax.jit(evaluate)
