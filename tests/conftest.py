import gc
import signal

import pytest
from hypothesis import settings

from huying import words

settings.register_profile("house", deadline=None)  # machines are noisy: a slow example is no failure
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup: tests press Ctrl-C, also on what they start
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """What is loaded by now stays: a collection of garbage (statsmodels' `multipletests` asks for one a call) need not look at it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    """Messages are tested in English unless a test asks for Chinese."""
    monkeypatch.setitem(words._session, "lang", "en")
