"""What the files of a county do not bear out, though each is fit to be read: margins, lists of staff, days without a notice."""

import pandas as pd

from huying.codebook import Codebook
from huying.errors import EstimateError
from huying.folder import County
from huying.ledgers import TABLES
from huying.samples import resident_sample, staff_sample
from huying.store import Cleaned
from huying.waiting import time_calls
from huying.words import say
from huying.workdays import calendar

COLUMNS = ("source", "place", "is_fault", "note")
TOLD = 5  # calls that are named one by one


def find_shortfalls(cleaned: Cleaned, county: County, book: Codebook) -> pd.DataFrame:
    """A row a town and form, or a ledger of calls: `note` in words; `is_fault` where the file must be put right.

    The run goes on without what is named: the town is not weighted, its list counts as endless, the call is too young.
    """
    rows = []
    for form in ("resident", "staff"):
        for wave in sorted(cleaned.forms[form]["wave"].unique()) if form in cleaned.forms else ():
            how = (cleaned, county, book, wave) if form == "resident" else (cleaned, county, wave)
            try:
                told = (resident_sample if form == "resident" else staff_sample)(*how).diagnostics
            except EstimateError as error:
                rows.append((form, wave, True, error.say()))
                continue
            for one in told[told["note"] != ""].to_dict("records"):
                rows.append((f"{form} {wave}", one["place"], one["remark"] != "", one["note"]))
    for (table, period), calls in cleaned.ledgers.items():
        if table == "calls" and period in county.periods:
            days, taken = calendar(county.calendar, county.calendar_file), pd.Timestamp(county.periods[period].as_of)
            late = calls.loc[time_calls(calls, county.clock, days, taken)["is_deadline_unknown"], "call_id"]
            if len(late):
                note = say("workdays.unknown_deadlines", n=len(late), calls=", ".join(late.astype(str)[:TOLD]))
                rows.append((f"{TABLES[table].title()} {period}", "county", False, note))
    return pd.DataFrame(rows, columns=list(COLUMNS))
