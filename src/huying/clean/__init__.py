"""Answers and ledgers as typed rows, what was set aside with its reason, and flags; refuses to lose a row or to guess."""
