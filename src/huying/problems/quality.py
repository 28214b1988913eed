"""How far the data can be trusted: forms and their endings, comments, flags, weights, and headlines with and without exclusions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from huying.estimates import estimate_shares, with_weights
from huying.problems.facts import Found, Study
from huying.problems.parallel import aware, first_old
from huying.samples import dispositions, resident_sample


def find(study: Study) -> Found:
    """Tables `endings`, `comments`, `flags`, `weights`, and the headlines of P16 and P17 with no row left out for its flags."""
    found = Found()
    if not study.cleaned.forms:
        return found
    found.tables["endings"] = dispositions(study.cleaned, study.county.exclude)
    rows = pd.concat([frame[["row_id", "form", "wave", "town_id"]] for frame in study.cleaned.forms.values()])
    flags = study.cleaned.flags.merge(rows, on="row_id", how="inner")
    found.tables["flags"] = flags.groupby(["form", "wave", "town_id", "flag"], as_index=False).size()
    found.tables["comments"] = comments(study)
    weights = [sample.diagnostics.assign(form=form, wave=wave) for (form, wave), sample in study.samples.items()]
    found.tables["weights"] = pd.concat(weights, ignore_index=True) if weights else pd.DataFrame({"place": []})
    fewest = study.county.thresholds["fewest_residents"]
    for wave in study.waves("resident"):
        sample = resident_sample(study.cleaned, study.county, study.book, wave, exclude=())
        for claim, indicator in (("P16", aware(sample)), ("P17", first_old(sample))):
            every = estimate_shares(sample.design, pd.DataFrame({"all rows": indicator}), wave=wave, fewest=fewest)
            found.add(claim, every, sub="no row excluded")
        if sample.design.margins:
            kept = study.samples["resident", wave]
            plain = with_weights(kept.design, np.ones(len(kept.rows)))
            raw = estimate_shares(plain, pd.DataFrame({"unweighted": aware(kept)}), wave=wave, fewest=fewest)
            found.add("P16", raw, sub="unweighted")
            known = (kept.rows["sex_group"] >= 0) & (kept.rows["age_group"] >= 0)
            whole = pd.DataFrame({"known": np.where(known, aware(kept), np.nan)})
            found.add("P16", estimate_shares(kept.design, whole, wave=wave, fewest=fewest), sub="sex and age known")
    return found


def comments(study: Study) -> pd.DataFrame:
    """How many residents and staff of each town wrote something in free text, and how much: n_forms, n_written, n_characters.

    Leaders are left out: there are too few in a town for it to be told.
    """
    parts = []
    for form in ("resident", "staff"):
        rows = study.cleaned.forms.get(form, pd.DataFrame({"disposition": []}))
        rows = rows[rows["disposition"] == "complete"]
        for item in (item for item in study.book.form(form) if item.type == "text" and item.id in rows):
            text = rows[item.id].fillna("").astype(str)
            counted = rows[["wave", "town_id"]].assign(
                n_forms=1, n_written=(text != "").astype(int), n_characters=text.str.len()
            )
            parts.append(counted.groupby(["wave", "town_id"], as_index=False).sum().assign(form=form))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"town_id": []})
