"""Whom does a wave put out of band? A vectorised scan in numpy: what the watch is compared with, where there is one.

64-bit floats without a margin: near the edge of a band it may be wrong, and nothing tells. Relative bands only, and no cash.

Usage: scan.py PORTFOLIOS HOLDINGS SYMBOLS. Standard input begins with the holdings, portfolio after portfolio: units in billionths (8 bytes), the
number of the symbol and its target in parts per million (4 bytes each); then come the prices in billionths (8 bytes each), all little-endian.
Answers "ready". Each line after that is one of

    ready                                 "ready": all before it is done
    books PORTFOLIO UNITS UNITS ...       no answer
    prices SYMBOL PRICE SYMBOL PRICE ...  no answer
    wave SYMBOL PRICE ...                 "SECONDS PORTFOLIO PORTFOLIO ...": who of those that hold one of them is out of band
    need SYMBOL PRICE ...                 the same of everybody, with drifts, the largest first
"""

import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit()

BAND = 0.05
# As many at once as the caches hold: one pass over everything would wait for the memory at every step.
ROWS = 4096

portfolios, holdings, count = map(int, sys.argv[1:])
source = sys.stdin.buffer
shape = (portfolios, holdings)
record = np.dtype([("units", "<u8"), ("symbol", "<u4"), ("target", "<u4")])
read = np.frombuffer(source.read(portfolios * holdings * record.itemsize), record).reshape(shape)
units, symbols, targets = read["units"] * 1e-9, read["symbol"].astype(np.int64), read["target"] * 1e-6
del read
prices = np.frombuffer(source.read(count * 8), "<u8") * 1e-9
# The portfolios that hold each symbol, symbol after symbol.
by_symbol = np.argsort(symbols, axis=None, kind="stable") // holdings
ends = np.cumsum(np.bincount(symbols.ravel(), minlength=count))


def is_out(rows):
    values = units[rows] * prices[symbols[rows]]
    goals = targets[rows] * values.sum(axis=1, keepdims=True)
    return (np.abs(values - goals) > BAND * goals).any(axis=1)


def drifts(rows):
    values = units[rows] * prices[symbols[rows]]
    weights = values / values.sum(axis=1, keepdims=True)
    return np.abs(weights / targets[rows] - 1.0).max(axis=1)


def of_all(figure):
    return np.concatenate([figure(slice(first, first + ROWS)) for first in range(0, portfolios, ROWS)])


def wave(changed):
    followers = [by_symbol[ends[n - 1] if n else 0 : ends[n]] for n in changed]
    affected = np.unique(np.concatenate(followers)) if len(followers) < count else range(portfolios)
    if len(affected) * 4 > portfolios:
        return np.flatnonzero(of_all(is_out))
    chunks = [affected[first : first + ROWS] for first in range(0, len(affected), ROWS)]
    return np.concatenate([rows[is_out(rows)] for rows in chunks] or [affected])


def need(_):
    drift = of_all(drifts)
    out = np.flatnonzero(drift > BAND)
    return out[np.argsort(-drift[out])]


print("ready", flush=True)
for line in source:
    word, *numbers = line.decode().split()
    if word == "ready":
        print(word, flush=True)
        continue
    numbers = np.array(numbers, dtype=np.uint64)
    if word == "books":
        units[int(numbers[0])] = numbers[1:] * 1e-9
        continue
    changed, new = numbers[0::2].astype(np.int64), numbers[1::2] * 1e-9
    start = time.perf_counter()
    prices[changed] = new
    if word == "prices":
        continue
    found = {"wave": wave, "need": need}[word](changed)
    seconds = time.perf_counter() - start
    print(seconds, *found.tolist(), flush=True)
