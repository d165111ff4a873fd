"""Mean ranks over tables, the Friedman test and Nemenyi's critical difference.

J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7 (2006).
"""

import numpy as np
from scipy import stats


def ranks(scores, greater_is_better=True):
    """Rank of each model on each table, 1 for the best; ties share the mean of their ranks.

    Parameters
    ----------
    scores : array-like of shape (n_tables, n_models)
    greater_is_better : bool, default=True

    Returns
    -------
    ndarray of shape (n_tables, n_models)
    """
    scores = np.asarray(scores, dtype=float)
    # sums in another order must not part equal scores
    scores = np.round(-scores if greater_is_better else scores, 10)
    return stats.rankdata(scores, axis=1)


def critical_difference(n_models, n_tables, alpha=0.05):
    """Least difference of mean ranks that Nemenyi's test calls significant.

    .. math:: q_\\alpha \\sqrt{k (k + 1) / (6 N)}

    with the upper quantile of the studentised range of k models, divided by the root of 2.
    """
    q = stats.studentized_range.ppf(1 - alpha, n_models, np.inf) / np.sqrt(2)
    return q * np.sqrt(n_models * (n_models + 1) / (6 * n_tables))


def friedman(scores):
    """P-value of the hypothesis that all models are equally good."""
    return float(stats.friedmanchisquare(*np.asarray(scores, dtype=float).T).pvalue)


def cliques(mean_ranks, difference):
    """Largest runs of sorted mean ranks that are less than `difference` wide.

    Returns
    -------
    list of (float, float)
        Lowest and highest mean rank of each run of two models or more.
    """
    ordered = np.sort(mean_ranks)
    runs = []
    for low in range(len(ordered)):
        high = np.searchsorted(ordered, ordered[low] + difference, side="left") - 1
        if high > low and (not runs or high > runs[-1][1]):
            runs.append((low, high))
    return [(float(ordered[low]), float(ordered[high])) for low, high in runs]


def diagram(names, mean_ranks, difference, title, path):
    """Critical-difference plot: a bar joins models that the test does not tell apart."""
    from matplotlib.figure import Figure

    order = np.argsort(mean_ranks, kind="stable")
    half = (len(order) + 1) // 2
    bars = cliques(mean_ranks, difference)
    bottom = -(0.25 * len(bars) + 0.6 * half + 0.4)
    figure = Figure(figsize=(7.5, 0.9 - 0.45 * bottom), layout="constrained")
    axes = figure.subplots()
    n_models = len(order)
    axes.plot([1, n_models], [0, 0], color="black")
    for tick in range(1, n_models + 1):
        axes.plot([tick, tick], [0, 0.15], color="black")
        axes.text(tick, 0.25, str(tick), ha="center", va="bottom")
    for level, (low, high) in enumerate(bars, start=1):
        axes.plot([low - 0.04, high + 0.04], [-0.25 * level] * 2, color="black", linewidth=4)
    for place, model in enumerate(order):
        left = place < half
        row = place if left else n_models - 1 - place
        height = -(0.25 * len(bars) + 0.6 * row + 0.5)
        edge = 0.6 if left else n_models + 0.4
        rank = mean_ranks[model]
        axes.plot([rank, rank, edge], [0, height, height], color="grey", linewidth=0.8)
        text = f"{names[model]} ({rank:.2f})"
        side = "right" if left else "left"
        axes.text(edge + (-0.1 if left else 0.1), height, text, ha=side, va="center")
    axes.plot([1, 1 + difference], [1.1, 1.1], color="black", linewidth=2)
    axes.text(1 + difference + 0.1, 1.1, f"critical difference {difference:.2f}", va="center")
    axes.set_title(title)
    axes.set(xlim=(-2.2, n_models + 3.2), ylim=(bottom - 0.2, 1.5))
    axes.axis("off")
    figure.savefig(path, dpi=120)
