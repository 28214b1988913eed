import os
from pathlib import Path

import pandas as pd
import pytest

from huying.batch import county_step
from huying.folder import read_county
from huying.problems.facts import Study
from huying.store import Cleaned, load_cleaned

ROOT = Path(__file__).parents[2]
# benchmarks/planted.py runs these tests on other seeds of the demo county
DEMO = Path(os.environ.get("HUYING_DEMO", ROOT / "survey_data" / "demo"))
KEY = Path(os.environ.get("HUYING_DEMO_KEY", ROOT / "tests" / "data" / "demo_key"))


@pytest.fixture(scope="session")
def demo():
    return read_county(DEMO)


@pytest.fixture(scope="session")
def folder(demo, tmp_path_factory):
    """The demo county's results, made afresh."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
        return county_step.prepare(demo)


@pytest.fixture(scope="session")
def evidence(folder) -> pd.DataFrame:
    return pd.read_parquet(folder / "evidence.parquet")


@pytest.fixture(scope="session")
def cleaned(folder) -> Cleaned:
    return load_cleaned(folder / "data")


@pytest.fixture(scope="session")
def study(demo, cleaned) -> Study:
    return county_step.make_study(demo, cleaned)


@pytest.fixture(scope="session")
def key() -> pd.DataFrame:
    return pd.read_csv(KEY / "answer_key.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
