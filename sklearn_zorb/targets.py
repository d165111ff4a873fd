"""Tables of targets: distinct rows stored once."""

import numpy as np
from scipy.linalg import lapack


class Targets:
    """Target rows, with repeated ones stored once.

    Parameters
    ----------
    values : array of shape (n_distinct, ...)
    codes : ndarray of int of shape (n_samples,) or None
        Row i of the table is ``values[codes[i]]``; None where every row is its own.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.targets import Targets
    >>> table = Targets(np.eye(2), codes=np.array([0, 1, 1]))
    >>> table.shape, table[1:].tolist()
    ((3, 2), [[0.0, 1.0], [0.0, 1.0]])
    """

    def __init__(self, values, codes=None):
        self.values = values
        self.codes = codes

    @property
    def shape(self):
        return (len(self), *self.values.shape[1:])

    def __len__(self):
        return len(self.values if self.codes is None else self.codes)

    def __getitem__(self, rows):
        return self.values[rows] if self.codes is None else self.values[self.codes[rows]]

    def __array__(self, dtype=None, copy=None):
        return np.array(self[:], dtype=dtype) if copy else np.asarray(self[:], dtype=dtype)

    def with_values(self, values):
        """The same repetition of other rows."""
        return Targets(values, self.codes)

    def take(self, places):
        """Some of the rows."""
        if self.codes is None:
            return Targets(self.values[places])
        return Targets(self.values, self.codes[places])

    def compress(self):
        """Thin targets and an orthonormal basis: table = thin @ basis.

        Least squares is linear in the targets and an orthonormal basis keeps their norms,
        so solving for the thin ones loses nothing. Returns (table, None) where it would
        not pay.
        """
        if self.codes is None or self.values.ndim != 2 or len(self.values) >= self.shape[1]:
            return self, None
        # by LAPACK directly: what surrounds it takes as long again
        factors, scales, _, _ = lapack.dgeqrf(np.asarray(self.values, dtype=np.float64).T)
        basis = lapack.dorgqr(factors, scales)[0]
        triangle = factors[: len(self.values)]
        for place, row in enumerate(triangle):
            row[:place] = 0.0  # by hand: of a few rows, a mask would take longer to make
        return self.with_values(triangle.T), basis.T
