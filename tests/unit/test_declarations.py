"""What is declared in one place and named in another agrees."""

from pathlib import Path

import pandas as pd

from huying.claims.declared import Claim, house_claims
from huying.claims.rules import QUANTIFIERS
from huying.clean.intake import LISTS, county_lists
from huying.codebook import TYPES, WHY_MISSING, Item
from huying.folder import FORMS, SCHEME, THRESHOLDS, is_fit, schemas
from huying.templates import dictionary

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


def test_the_words_that_a_file_may_use_are_those_of_the_code():
    """What `data/declarations.toml` lists is what the rooms know."""
    item, claim = schemas()["codebook"]["item"][0], schemas()["claims"]["claim"][0]
    listed = {"form": FORMS, "type": TYPES}
    assert {key: words_of(item[f"{key}!"]) for key in listed} == {key: list(words) for key, words in listed.items()}
    assert words_of(item["missing"]["*"]) == list(WHY_MISSING)
    columns = {"kind", "title", *(name for _, _, *names in LISTS for name in names)}
    empty = pd.DataFrame({name: [] for name in columns})
    registers = {"documents": empty, **{table: empty for _, table, _, _ in LISTS}}
    assert words_of(item["options_from"]) == list(county_lists(registers))
    for spec in (claim["quantifier!"], claim["town_quantifier"], claim["subs"]["*"]["quantifier!"]):
        assert words_of(spec) == QUANTIFIERS
    assert {key.rstrip("!") for key in item} - {"zh", "en"} == set(Item.__dataclass_fields__) - {"text", "row_names"}
    assert {key.rstrip("!") for key in claim} - {"zh", "en"} == set(Claim.__dataclass_fields__) - {"text"}
    thresholds = schemas()["county"]["thresholds"]
    assert set(thresholds) == set(THRESHOLDS) and set(schemas()["county"]["scheme"]) == set(SCHEME)
    assert all(is_fit(value, thresholds[key]) for key, value in THRESHOLDS.items())


def words_of(spec):
    return [one.removeprefix("=") for one in spec.split(" | ")]
