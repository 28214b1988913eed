"""The synthetic county: a population with known truths, samples of it, ledgers, dirt and raw exports; refuses nothing, reads no survey."""

from huying.demo.population import Population, make_population, true_values
from huying.demo.residents import draw_residents, draw_villages
from huying.demo.truths import Truths, house_truths
from huying.demo.write import write_demo

__all__ = [
    "Population",
    "Truths",
    "draw_residents",
    "draw_villages",
    "house_truths",
    "make_population",
    "true_values",
    "write_demo",
]
