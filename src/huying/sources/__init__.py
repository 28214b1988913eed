"""Answers and ledgers as exports hold them: bytes to text with its place; loses nothing, interprets nothing, guesses nothing."""
