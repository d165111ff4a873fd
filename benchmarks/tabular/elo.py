"""Elo ratings: how often each model is ahead of each other, as one number.

The formula of bencheval, which rates the models of TabArena (N. Erickson et al., "TabArena: A
Living Benchmark for Machine Learning on Tabular Data", 2025): a Bradley-Terry model, fitted to
one battle of each two models on each table by a logistic regression without a penalty.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

ANCHOR, ITS_RATING = "RandomForest", 1000
SCALE = 400  # a model this far ahead wins ten times as often as it loses


def ratings(wins):
    """Most likely Elo ratings, up to a constant.

    .. math:: P(i \\text{ ahead of } j) = 1 / (1 + 10^{(R_j - R_i) / 400})

    Parameters
    ----------
    wins : array-like of shape (n_models, n_models)
        How often the model of the row was ahead of that of the column; a tie is half a win of
        both.

    Returns
    -------
    ndarray of shape (n_models,)
        A model that is ahead everywhere, or nowhere, has no finite rating: it gets the one at
        which the solver stops.
    """
    wins = np.asarray(wins, dtype=float)
    winner, loser = np.nonzero(wins)
    battles = np.zeros((len(winner), len(wins)))
    np.add.at(battles, (np.arange(len(winner)), winner), 1)
    np.add.at(battles, (np.arange(len(winner)), loser), -1)
    # each battle is told by its winner and by its loser, since a fit needs both outcomes
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000)
    outcomes = np.repeat([1, 0], len(winner))
    model.fit(np.vstack([battles, -battles]), outcomes, np.tile(wins[winner, loser], 2))
    return SCALE / np.log(10) * model.coef_[0]


def elo(wins, anchor, rounds=200, seed=0):
    """Ratings, that of the model `anchor` being 1000, and where they lie for other tables.

    Parameters
    ----------
    wins : array-like of shape (n_tables, n_models, n_models)
        As for `ratings`, table by table; 0 where two models did not meet.
    anchor : int
        Position of the model whose rating is given.
    rounds : int, default=200
        Number of bootstrap samples of the tables.
    seed : int, default=0
        Draws the samples.

    Returns
    -------
    ndarray of shape (3, n_models)
        Ratings, and the 2.5th and the 97.5th percentile of those of the samples.
    """
    wins, rng = np.asarray(wins, dtype=float), np.random.default_rng(seed)

    def calibrated(tables):
        found = ratings(wins[tables].sum(axis=0))
        return found - found[anchor] + ITS_RATING

    n_tables = len(wins)
    drawn = [calibrated(rng.integers(n_tables, size=n_tables)) for _ in range(rounds)]
    return np.vstack([calibrated(np.arange(n_tables)), np.percentile(drawn, [2.5, 97.5], axis=0)])
