import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from huying.counties import County, county
from huying.folder import read_county
from huying.store import Cleaned

ROOT = Path(__file__).parents[2]
# benchmarks/planted.py runs these tests on other seeds of the demo county
DEMO = Path(os.environ.get("HUYING_DEMO", ROOT / "survey_data" / "demo"))
KEY = Path(os.environ.get("HUYING_DEMO_KEY", ROOT / "tests" / "data" / "demo_key"))


@pytest.fixture(scope="session")
def demo():
    return read_county(DEMO)


@pytest.fixture(scope="session")
def folder() -> Path:
    """The demo county's results, its evidence recorded by a run where it is not as it should be (`make test` does that first)."""
    command = [sys.executable, "-m", "huying", "run", str(DEMO), "--towns", "county", "--wait", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return opened_demo().folder


def opened_demo() -> County:
    return county(DEMO, lang="en")


@pytest.fixture(scope="session")
def opened(folder) -> County:
    return opened_demo()


@pytest.fixture(scope="session")
def evidence(folder) -> pd.DataFrame:
    return pd.read_parquet(folder / "evidence.parquet")


@pytest.fixture(scope="session")
def demo_evidence(evidence) -> pd.DataFrame:
    """What test_frozen_evidence compares."""
    return evidence


@pytest.fixture(scope="session")
def cleaned(opened) -> Cleaned:
    return opened.cleaned


@pytest.fixture(scope="session")
def key() -> pd.DataFrame:
    return pd.read_csv(KEY / "answer_key.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
