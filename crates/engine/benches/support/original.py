"""The way of the system that Evenkeel replaces, in its own language: what 100 x 50 is compared with, where there is a Python.

Objects and Decimal; each holding's weight by division, rounded to four places, its deviation from the target above 5 %; a lock with an
expiry; the orders of a batch at once, at a broker in memory that yields once per order; each operation in a list, pending and then done.
Nothing is durable, nothing can be recovered.

Usage: original.py PORTFOLIOS HOLDINGS SYMBOLS. Each line of standard input is a wave: "FIRST LAST BY FLIPPED", the symbols from FIRST up
to and without LAST at 100 and BY more or less in turns. Answers each with "REBALANCES SECONDS".
"""

import asyncio
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import Enum

CENT, BASIS_POINT, BILLIONTH = Decimal("0.01"), Decimal("0.0001"), Decimal("0.000000001")
HUNDRED, BAND = Decimal(100), Decimal("0.05")
LOCK = 6 * 60 * 60


class Status(Enum):
    PENDING = 1
    SUCCESS = 2


@dataclass
class Holding:
    symbol: str
    units: Decimal
    target: Decimal


@dataclass
class Portfolio:
    name: str
    holdings: list
    cash: Decimal = Decimal(0)
    locked_until: float = 0.0


@dataclass
class Operation:
    holding: Holding
    units: Decimal
    amount: Decimal
    status: Status = Status.PENDING


class Broker:
    async def execute(self, operation):
        await asyncio.sleep(0)
        operation.status = Status.SUCCESS


class Balancer:
    def __init__(self, portfolios, holdings, symbols):
        self.prices = {f"S{n:03}": HUNDRED for n in range(symbols)}
        self.registry = defaultdict(set)
        self.portfolios = {}
        self.log = []
        self.broker = Broker()
        names = list(self.prices)
        for n in range(portfolios):
            held = [names[(n * 7 + place) % symbols] for place in range(holdings)]
            units, target = Decimal("100.123456789"), HUNDRED / holdings
            portfolio = Portfolio(f"p{n:04}", [Holding(symbol, units, target) for symbol in held])
            self.portfolios[portfolio.name] = portfolio
            for symbol in held:
                self.registry[symbol].add(portfolio.name)

    async def wave(self, changes):
        self.log.clear()
        affected = set()
        for symbol, price in changes:
            self.prices[symbol] = price
            affected |= self.registry[symbol]
        return sum([await self.rebalance(self.portfolios[name]) for name in sorted(affected)])

    async def rebalance(self, portfolio):
        total = portfolio.cash + sum(h.units * self.prices[h.symbol] for h in portfolio.holdings)
        if not any(self.is_out(holding, total) for holding in portfolio.holdings):
            return False
        now = time.monotonic()
        if now < portfolio.locked_until:
            return False
        portfolio.locked_until = now + LOCK
        operations = []
        for holding in portfolio.holdings:
            price = self.prices[holding.symbol]
            goal = (total * holding.target / HUNDRED).quantize(CENT)
            units = ((goal - holding.units * price) / price).quantize(BILLIONTH, ROUND_DOWN)
            if units:
                operations.append(Operation(holding, units, (units * price).quantize(CENT)))
        self.log.extend(operations)
        await asyncio.gather(*(self.broker.execute(operation) for operation in operations))
        assert all(operation.status is Status.SUCCESS for operation in operations), "or what was done is undone"
        for operation in operations:
            operation.holding.units += operation.units
            portfolio.cash -= operation.amount
        portfolio.locked_until = 0.0
        return True

    def is_out(self, holding, total):
        weight = (holding.units * self.prices[holding.symbol] / total * HUNDRED).quantize(BASIS_POINT)
        return abs(weight - holding.target) / holding.target > BAND


async def main():
    balancer = Balancer(*map(int, sys.argv[1:]))
    for line in sys.stdin:
        first, last, by, flipped = map(int, line.split())
        price = lambda n: Decimal(100 - by if (n % 2 == 0) == bool(flipped) else 100 + by)
        changes = [(f"S{n:03}", price(n)) for n in range(first, last)]
        start = time.perf_counter()
        rebalances = await balancer.wave(changes)
        print(rebalances, time.perf_counter() - start, flush=True)


asyncio.run(main())
