"""Windows of images, from the definition of sizes, strides and zeros around."""


def windows(shape, size, stride, pads=((0, 0), (0, 0))):
    """Place of each window among the others, and the row and column where it begins."""
    tops, lefts = (
        range(-before, n + after - k + 1, s)
        for n, k, s, (before, after) in zip(shape, size, stride, pads, strict=True)
    )
    return [((p, q), (i, j)) for p, i in enumerate(tops) for q, j in enumerate(lefts)]
