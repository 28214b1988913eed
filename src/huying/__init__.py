"""huying 呼应 puts a county's claims about its township reform to the test; refuses a number without its uncertainty."""

__version__ = "0.1.0"
__all__ = ["county", "open_place"]


def __getattr__(name: str) -> object:
    if name == "open_place":
        from huying.reading import open_place

        return open_place
    if name == "county":
        from huying.view import open_county

        return open_county
    raise AttributeError(name)
