"""The synthetic county: a population with known truths, samples of it, ledgers, dirt and raw exports; refuses nothing, reads no survey."""

from demo_county.population import Population, make_population, true_values
from demo_county.residents import draw_residents, draw_villages
from demo_county.truths import Truths, house_truths
from demo_county.write import write_demo

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
