import pytest

from huying import words


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    """Messages are tested in English unless a test asks for Chinese."""
    monkeypatch.setitem(words._session, "lang", "en")
