"""A county that the house was not tuned for: its notebooks run without a change, account for every row, and judge every claim."""

import pandas as pd
import pytest
from second_county import make_second

import huying as hy
from huying.claims.evidence import KEY
from run_notebook import evidence_of, recording, run_notebook

WAVES, SHOWN = ("2023", "2024"), ("estimate", "low", "high", "n", "verdict")
TOWNS = {f"V{n:03d}" for n in range(1, 27)}


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    folder = make_second(tmp_path_factory.mktemp("second") / "county")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUYING_RESULTS", str(tmp_path_factory.mktemp("results")))
        yield hy.county(folder, lang="en")


@pytest.fixture(scope="module")
def evidence(second):
    return evidence_of(second.declared.folder, WAVES, recording())


def test_every_row_of_every_file_is_accounted_for(second):
    numbers = second.cleaned.counts[["n_read", "n_kept", "n_rejected"]].astype(int)
    assert (numbers["n_read"] == numbers["n_kept"] + numbers["n_rejected"]).all()
    assert (numbers["n_kept"] > 0).all()
    assert numbers["n_rejected"].sum() < 0.05 * numbers["n_read"].sum()


@pytest.mark.slow
def test_every_claim_has_its_verdict_at_its_places(evidence):
    head = evidence[evidence["part"] == ""]
    assert head["claim"].nunique() == 72
    for claim in ("P16", "P13", "A05", "D09", "B07"):
        assert TOWNS | {"county"} == set(head.loc[head["claim"] == claim, "place"])
    assert set(head.loc[head["claim"] == "A06", "place"]) == {"V004"}
    assert (head["verdict"] != "").all()
    assert (head.loc[head["verdict"] == "cannot say", "reason"] != "").all()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", recording())
def test_its_notebooks_run_for_a_town_in_the_other_language(second, evidence, notebook, monkeypatch, tmp_path):
    """What the town's notebook judges equals what the county's run records."""
    monkeypatch.setenv("HUYING_FIGURES", str(tmp_path))
    names, _ = run_notebook(notebook, second.declared.folder, town="V004", wave="2023", lang="zh")
    assert "乙样县" in repr(names["county"])
    own = names["county"].recorded.reindex(columns=[*KEY, *SHOWN]).set_index(list(KEY))[list(SHOWN)]
    assert own.empty == ("own_claims" in notebook)  # of which the county declares none
    same = evidence.set_index(list(KEY)).loc[own.index, list(SHOWN)]
    pd.testing.assert_frame_equal(own, same, check_dtype=False, check_index_type=False)


@pytest.mark.slow
def test_its_own_report_is_read(evidence):
    own = evidence[(evidence["claim"] == "X04") & (evidence["part"] == "")]
    assert own["estimate"].iloc[0] > 0
