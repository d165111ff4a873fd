"""Initial weights: random ones by name, data-driven pairs, or a callable."""

import numpy as np
import scipy.linalg


def initial_weights(initializer, rng, width, units, data=None):
    """An array of shape (width + 1, units), the bias in the last row.

    Parameters
    ----------
    initializer : str or callable
        A key of `INITIALIZERS`, or ``f(rng, shape) -> array of shape (width + 1, units)``.
    rng : numpy.random.Generator
    width, units : int
    data : callable or None
        Returns (rows, y, sample_weight), for ``"data_pairs"``.
    """
    shape = (width + 1, units)
    if callable(initializer):
        weights = np.array(initializer(rng, shape), dtype=np.float64)
    elif initializer == "data_pairs":
        if data is None:
            raise ValueError("initializer='data_pairs' draws from training rows; none came.")
        weights = data_pairs(rng, shape, *data())
    else:
        weights = INITIALIZERS[initializer](rng, shape)
    if weights.shape != shape:
        raise ValueError(
            f"initializer returned an array of shape {weights.shape}; it must return "
            f"(inputs + 1, units) = {shape}, the bias in the last row."
        )
    if not np.isfinite(weights).all():
        raise ValueError("initializer returned NaN or infinity; it must return finite numbers.")
    return weights


def _uniform(rng, shape, limit):
    return rng.uniform(-limit, limit, size=shape)


def glorot_uniform(rng, shape):
    """Uniform within sqrt(6 / (inputs + units)), the bias too (Glorot & Bengio, 2010)."""
    return _uniform(rng, shape, np.sqrt(6.0 / (shape[0] - 1 + shape[1])))


def glorot_normal(rng, shape):
    """Normal of variance 2 / (inputs + units), the bias too."""
    return rng.normal(scale=np.sqrt(2.0 / (shape[0] - 1 + shape[1])), size=shape)


def he_uniform(rng, shape):
    """Uniform within sqrt(6 / inputs), the bias too (He et al., 2015)."""
    return _uniform(rng, shape, np.sqrt(6.0 / (shape[0] - 1)))


def he_normal(rng, shape):
    """Normal of variance 2 / inputs, the bias too."""
    return rng.normal(scale=np.sqrt(2.0 / (shape[0] - 1)), size=shape)


def orthogonal(rng, shape):
    """Orthonormal columns (rows where units outnumber inputs), zero bias (Saxe et al., 2014)."""
    width, units = shape[0] - 1, shape[1]
    square = rng.normal(size=(max(width, units), min(width, units)))
    basis, triangle = scipy.linalg.qr(square, mode="economic")
    basis = basis * np.sign(np.diag(triangle))
    weights = basis if width >= units else basis.T
    return np.vstack([weights, np.zeros(units)])


def data_pairs(rng, shape, rows, y, sample_weight=None, n_candidates=4):
    """Each unit crosses the middle between two training rows (SWIM; Bolager et al., 2023).

    For a pair (a, b) the weights are ``2 ln(3) (b - a) / |b - a|^2`` and the bias puts zero
    at the midpoint, so that a tanh goes from -0.8 to 0.8 between them. Pairs are drawn with
    probability proportional to the slope ``|y_b - y_a| / |b - a|``, among distinct rows of
    positive weight: repeating a row changes nothing.
    """
    y = np.asarray(y, dtype=np.float64).reshape(len(rows), -1)
    if sample_weight is not None:
        rows, y = rows[sample_weight > 0], y[sample_weight > 0]
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
    _, first = np.unique(np.hstack([rows, y]), axis=0, return_index=True)
    rows, y = rows[first], y[first]
    units = shape[1]
    pairs = rng.integers(len(rows), size=(2, n_candidates * units))
    step = rows[pairs[1]] - rows[pairs[0]]
    distance = np.linalg.norm(step, axis=1)
    rise = np.linalg.norm(y[pairs[1]] - y[pairs[0]], axis=1)
    floor = np.finfo(np.float64).eps * max(1.0, distance.max(initial=0.0))
    usable = distance > floor
    if not usable.any():
        return glorot_uniform(rng, shape)
    slope = np.where(usable, rise / np.maximum(distance, floor), 0.0)
    if slope.sum() == 0:
        slope = usable.astype(float)
    chosen = rng.choice(len(slope), size=units, p=slope / slope.sum())
    weights = 2 * np.log(3.0) * step[chosen] / distance[chosen, None] ** 2
    middle = (rows[pairs[0]] + rows[pairs[1]])[chosen] / 2
    return np.vstack([weights.T, -(weights * middle).sum(axis=1)])


INITIALIZERS = {
    "glorot": glorot_uniform,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he": he_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "orthogonal": orthogonal,
    "data_pairs": data_pairs,
}
