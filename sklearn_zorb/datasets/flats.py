"""A table as tables come: text, ordered categories, dates, booleans and gaps."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from .optional import import_optional

if TYPE_CHECKING:
    from ..typing import Int, RandomState

# rent of a square metre, and how many of a hundred flats lie there
CITIES = {
    "Aachen": (9.5, 8), "Berlin": (13.0, 24), "Bremen": (9.0, 10), "Dresden": (8.0, 12),
    "Hamburg": (14.0, 16), "Leipzig": (7.5, 12), "Munich": (19.0, 14), "Trier": (9.0, 4),
}  # fmt: skip
HEATING = {"district": 1.0, "gas": 1.0, "heat pump": 1.08, "oil": 0.93}
CONDITIONS = {"poor": 0.82, "fair": 0.94, "good": 1.0, "new": 1.16}


def make_flats(n_samples: Int = 1000, *, random_state: RandomState = None) -> tuple[Any, Any]:
    r"""Draw a table of flats and their rents.

    The columns are of every kind, as in tables that were not made for learning: numbers, text, an
    ordered category, a date, a boolean, and gaps. A gap in `built` says something: three of ten
    are missing of houses from before 1950, one of twenty of others. The logarithm of the rent is

    .. math:: \log(a^{0.9}) + \log(r_{city}) + f(built) + \log(c\, h) + 0.1\, t
              - 0.05\, d + 0.03\, b + 0.08\, \varepsilon

    with the area a, the rent of a square metre r, a U-shaped f of the year, factors c and h of
    the condition and the heating, the years t since 2022, the logarithm d of the distance, the
    balcony b and standard normal noise :math:`\varepsilon`.

    Parameters
    ----------
    n_samples : int, default=1000
        The number of rows.

    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    X : DataFrame of shape (n_samples, 9)
        With the columns city, area, rooms, built, condition, heating, balcony, distance and listed.

    y : ndarray of shape (n_samples,)
        Rents in euros.

    Raises
    ------
    ImportError
        If pandas is not installed: ``pip install "sklearn-zorb[table]"``.

    Examples
    --------
    >>> from sklearn_zorb.datasets import make_flats
    >>> X, y = make_flats(200, random_state=0)
    >>> print(X.iloc[:3, :6])
          city   area  rooms   built condition heating
    0  Hamburg  105.0      4  1954.0      poor     oil
    1  Leipzig   43.0      2  1978.0      good     gas
    2  Hamburg   42.0      2  2015.0      fair     oil
    >>> print(y[:3], X.isna().sum().sum(), "gaps")
    [1087.  421.  593.] 56 gaps
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    pandas = import_optional("pandas", "A table of flats")
    rng, n = check_random_state(random_state), int(n_samples)

    def drawn(names: dict[str, Any], shares: Any = None) -> np.ndarray:
        return rng.choice(list(names), size=n, p=shares)

    city = drawn(CITIES, [share / 100 for _, share in CITIES.values()])
    area = np.exp(rng.normal(4.2, 0.4, size=n)).clip(18, 250).round()
    built = np.where(rng.rand(n) < 0.3, rng.randint(1880, 1940, n), rng.randint(1950, 2024, n))
    condition, heating = drawn(CONDITIONS, [0.1, 0.35, 0.4, 0.15]), drawn(HEATING)
    balcony, distance = rng.rand(n) < 0.6, rng.exponential(4, size=n).round(1)
    days = rng.randint(0, 3 * 365, size=n)

    logs = 0.9 * np.log(area) + np.log([CITIES[name][0] for name in city]) + 0.35
    logs += 0.12 * ((built - 1955) / 45) ** 2 - 0.05 * np.log1p(distance) + 0.1 * days / 365
    logs += np.log([CONDITIONS[name] for name in condition])
    logs += np.log([HEATING[name] for name in heating]) + 0.03 * balcony
    rents = np.exp(logs + 0.08 * rng.normal(size=n)).round()

    lost = rng.rand(3, n)
    table = pandas.DataFrame({
        "city": city,
        "area": np.where(lost[0] < 0.05, np.nan, area),
        "rooms": (area / 26 + rng.normal(0, 0.4, size=n)).round().clip(1).astype(int),
        "built": np.where(lost[1] < np.where(built < 1950, 0.3, 0.05), np.nan, built),
        "condition": pandas.Categorical(condition, categories=list(CONDITIONS), ordered=True),
        "heating": pandas.Series(heating, dtype=object).mask(lost[2] < 0.15),
        "balcony": balcony,
        "distance": distance,
        "listed": pandas.Timestamp("2022-01-01") + pandas.to_timedelta(days, unit="D"),
    })  # fmt: skip
    return table, rents
