"""Formulas that several notebooks share, or that take more than a few lines: frames in, frames out; nothing is judged here."""
