"""What is declared in one place and named in another agrees."""

from pathlib import Path

from huying.claims.declared import house_claims
from huying.templates.dictionary import dictionary

ROOT = Path(__file__).parents[2]


def test_the_data_dictionary_is_generated_from_the_declarations():
    assert (ROOT / "survey_data" / "README.md").read_text("utf-8") == dictionary()


def test_every_claim_names_the_notebook_that_judges_it():
    for claim in house_claims().values():
        (file,) = (ROOT / "notebooks").glob(f"{claim.notebook}.ipynb")
        assert f'judge(\\"{claim.id}\\"' in file.read_text("utf-8"), claim.id


def test_every_chart_of_the_gallery_is_drawn_by_a_notebook():
    drawn = "".join(path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb"))
    for path in (ROOT / "figures" / "gallery").glob("*.png"):
        name = path.stem.rsplit("_", 2)[0]
        assert f'\\"{name}\\"' in drawn, name


def test_the_frozen_rules_of_the_demo_county_are_those_of_the_package():
    from huying.claims.declared import claims_of, read_freeze, rule_hashes
    from huying.folder import read_county

    demo = read_county(ROOT / "survey_data" / "demo")
    assert read_freeze(demo).hashes == rule_hashes(demo, claims_of(demo))
