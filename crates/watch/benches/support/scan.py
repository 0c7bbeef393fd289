"""Whom does a wave put out of band? A vectorised scan in numpy: what the watch is compared with, where there is one.

64-bit floats without a margin: near the edge of a band it may be wrong, and nothing tells. Relative bands only, and no cash. It keeps nothing
between waves but prices and books: of each holding the units, and the units by target. With V the value of a portfolio, the holding of the
largest quotient of value and target is the first that is above its band, quotient > (1 + band) V, and that of the smallest the first below.

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
# As many at once as the caches hold.
BLOCK = 4096

portfolios, holdings, count = map(int, sys.argv[1:])
source = sys.stdin.buffer
record = np.dtype([("units", "<u8"), ("symbol", "<u4"), ("target", "<u4")])
read = np.frombuffer(source.read(portfolios * holdings * record.itemsize), record).reshape(portfolios, holdings)
targets = read["target"] * 1e-6
# For some portfolios, row by row: units, then units by target. For all of them, holding by holding, so that each step is one stream.
symbols = read["symbol"].astype(np.int64)
rows = np.concatenate([read["units"] * 1e-9, read["units"] * 1e-9 / targets], axis=1)
symbols_of, columns = np.ascontiguousarray(symbols.T), np.ascontiguousarray(rows.T)
del read
prices = np.frombuffer(source.read(count * 8), "<u8") * 1e-9
# The portfolios that hold each symbol, symbol after symbol.
by_symbol = np.argsort(symbols, axis=None, kind="stable") // holdings
ends = np.concatenate([[0], np.cumsum(np.bincount(symbols.ravel(), minlength=count))])
is_affected = np.zeros(portfolios, bool)
buffers = np.empty((5, BLOCK))


def some_out(affected):
    """Of these portfolios, whoever is out."""
    price = prices.take(symbols.take(affected, axis=0))
    mine = rows.take(affected, axis=0)
    value = np.einsum("ij,ij->i", mine[:, :holdings], price)
    quotient = mine[:, holdings:]
    quotient *= price
    return affected[(quotient.max(axis=1) > value * (1 + BAND)) | (quotient.min(axis=1) < value * (1 - BAND))]


def block(first, last):
    """The value of each of these portfolios, and its largest and smallest quotient."""
    price, product, value, most, least = buffers[:, : last - first]
    for place in range(holdings):
        np.take(prices, symbols_of[place, first:last], out=price, mode="clip")
        np.multiply(columns[place, first:last], price, out=product if place else value)
        if place:
            value += product
        np.multiply(columns[holdings + place, first:last], price, out=product if place else most)
        if place:
            np.maximum(most, product, out=most)
            np.minimum(least, product, out=least)
        else:
            least[:] = most
    return value, most, least


def blocks():
    return ((first, min(first + BLOCK, portfolios)) for first in range(0, portfolios, BLOCK))


def all_out():
    out = np.empty(portfolios, bool)
    for first, last in blocks():
        value, most, least = block(first, last)
        np.greater(most, value * (1 + BAND), out=out[first:last])
        out[first:last] |= least < value * (1 - BAND)
    return np.flatnonzero(out)


def wave(changed):
    # To gather takes longer than to stream: so it pays for few alone.
    if (ends[changed + 1] - ends[changed]).sum() * 3 > portfolios:
        return all_out()
    followers = [by_symbol[ends[n] : ends[n + 1]] for n in changed]
    if len(followers) == 1:
        return some_out(followers[0])
    is_affected[np.concatenate(followers)] = True
    affected = np.flatnonzero(is_affected)
    is_affected[affected] = False
    return np.concatenate([some_out(affected[n : n + BLOCK]) for n in range(0, len(affected), BLOCK)] or [affected])


def need(_):
    drift = np.empty(portfolios)
    for first, last in blocks():
        value, most, least = block(first, last)
        most /= value
        least /= value
        np.maximum(most - 1.0, 1.0 - least, out=drift[first:last])
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
        portfolio, units = int(numbers[0]), numbers[1:] * 1e-9
        rows[portfolio] = columns[:, portfolio] = np.concatenate([units, units / targets[portfolio]])
        continue
    changed, new = numbers[0::2].astype(np.int64), numbers[1::2] * 1e-9
    start = time.perf_counter()
    prices[changed] = new
    if word == "prices":
        continue
    found = {"wave": wave, "need": need}[word](changed)
    seconds = time.perf_counter() - start
    print(seconds, *found.tolist(), flush=True)
