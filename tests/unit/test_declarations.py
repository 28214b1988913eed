"""What is declared in one place and named in another agrees."""

from pathlib import Path

from huying.claims import house_claims
from huying.dictionary import dictionary
from huying.gallery import FIGURES

ROOT = Path(__file__).parents[2]


def test_the_data_dictionary_is_generated_from_the_declarations():
    assert (ROOT / "survey_data" / "README.md").read_text("utf-8") == dictionary()


def test_every_claim_names_a_figure_and_a_notebook_that_exist():
    for claim in house_claims().values():
        assert claim.figure in {"", *FIGURES}, claim.id
        assert (ROOT / "notebooks" / f"{claim.notebook}.ipynb").is_file(), claim.id


def test_every_figure_that_a_notebook_draws_exists():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for name in path.read_text("utf-8").split('draw(here, \\"')[1:]:
            assert name.split('\\"')[0] in FIGURES


def test_the_frozen_rules_of_the_demo_county_are_those_of_the_package():
    from huying.claims import claims_of, read_freeze, rule_hashes
    from huying.folder import read_county

    demo = read_county(ROOT / "survey_data" / "demo")
    assert read_freeze(demo).hashes == rule_hashes(demo, claims_of(demo))
