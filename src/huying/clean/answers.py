"""Answers of an export as typed rows; refuses a row without a known town or outside its wave, a cell that is no answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from huying.clean import cells
from huying.clean.cells import ANSWERED, BLANK, FIRST_FAULT, SILENT, SKIPPED, Bools, Cell, Matcher
from huying.clean.flags import Booked, all_rejected, make_flags
from huying.codebook import MANY, WHY_MISSING, WORDS, Item, Option, holds, names_in
from huying.folder import Span, Survey
from huying.kinds import clean_text, parse_instants
from huying.ledgers import no_rejects, set_aside
from huying.scrub import mask_cells, mask_text
from huying.sources.wjx import Answers, option_places
from huying.words import CountyError, InputError, Text, language, say

DISPOSITIONS = ("complete", "refused", "elsewhere", "not_resident", "under_age")
Listed = Sequence[tuple[int, str, Text]]  # a county's list: code, key and label, such as 1, T01 and 均值镇
Items = Sequence[Item]
Ids = Sequence[str]
META_IDS = ("village_id", "interviewer_id")
ENDS = {"town": "elsewhere", "screen": "not_resident", "age": "under_age"}  # by the role of the item that ends the form


def clean_answers(
    answers: Answers, items: Items, survey: Survey, span: Span, towns: Matcher, order: Ids, villages: Ids | None = None
) -> Booked:
    """The typed rows of one export, what was set aside and why, and the flags of single answers.

    `items` have the county's lists among their options, but that of the town: `order` has the ids of the towns in the
    order of the form; `villages`: the ids of the register, where there is one. The flags that compare
    forms are left to `find_flags`: a wave may lie in several files. Raises InputError for an option or item at odds with
    the questionnaire or the other export nearly everywhere.

    `kept`: row_id, form, wave, town_id, village_id, interviewer_id, submitted_at, seconds, disposition, then the columns
    of every item and for each answer `<cell>_missing` (a category of WHY_MISSING).
    """
    listed = number_towns(items, order)
    codes, has_rules = {town: code for code, town, _ in listed}, any(item.asked_if for item in items)
    cleaner = Cleaner(answers, survey, span, towns, codes, villages, has_rules)
    for item in items:
        cleaner.add(with_list(item, {"towns": listed}) if item.role == "town" else item)
    return cleaner.finish()


def number_towns(items: Items, order: Ids) -> Listed:
    """The towns as a list of the county: coded in their order, from 1 where the codes of the item's own options leave room."""
    own = [option.code for item in items if item.role == "town" for option in item.options]
    first = 1 if len(order) < min(own, default=1000) or 1 in own else 1001
    return [(code, town, Text(town, town)) for code, town in enumerate(order, first)]


def with_list(item: Item, lists: Mapping[str, Listed]) -> Item:
    """The item with its county's list before its own options; raises CountyError where the list grows into their codes.

    Options that count from 1 are the list itself, written out.
    """
    own, listed = {option.code for option in item.options}, lists.get(item.options_from, ())
    if 1 not in own and (taken := [code for code, _, _ in listed if code in own]):
        raise CountyError("codebook.code_taken", item=item.id, list=item.options_from, n=len(listed), code=taken[0])
    added = [Option(code, label, key) for code, key, label in listed if code not in own]
    return replace(item, options=(*added, *item.options))


@dataclass
class Cleaner:
    """What becomes of one export while its items are read in their order: a skip rule looks back only."""

    answers: Answers
    survey: Survey
    span: Span
    towns: Matcher
    codes: Mapping[str, int]
    villages: Ids | None
    has_rules: bool

    def __post_init__(self) -> None:
        file = mask_text(self.survey.text or self.survey.file)
        self.n, self.place = len(self.answers.text), replace(self.answers.place, file=file)
        self.row_id = (self.place.file + "#" + pd.Series(self.answers.text.index).astype("str")).astype("str").array
        self.columns, self.state = dict[str, Any](), dict[str, Any]()  # state of a variable: answered, or why not
        self.flags, self.rejected, self.n_masked = [make_flags()], [no_rejects()], 0
        self.orders: dict[str, dict[tuple[int, ...], int]] = {}  # of each ranking, every order that occurs
        self.town, self.disposition = np.zeros((2, self.n), dtype=np.int64)
        self.ended, self.kept = np.zeros(self.n, dtype=bool), np.ones(self.n, dtype=bool)

    def flag(self, name: str, where: Bools, detail: Any = "") -> None:
        if where.any():
            self.flags.append(make_flags(self.row_id[where], name, detail))

    def set_aside(self, column: str, texts: pd.Series, reason: str, level: str = "cell") -> None:
        if len(texts):
            self.rejected.append(set_aside(self.place, column, texts, reason, level))

    def add(self, item: Item) -> None:
        """Read one item: its values, why they are missing, its skip rule, and whether the form ends with it."""
        stray, passed = np.zeros(self.n, dtype=bool), np.zeros(self.n, dtype=bool)
        for name in item.cells:
            asked, is_open = self.asked(item, name)
            cell = self.read(item, name)
            self.settle(item, name, cell, asked)
            # without any rule of the questionnaire the export's own marks tell who was not asked
            skipped = asked & ~is_open & (cell.state == SKIPPED) & self.has_rules
            stray, passed = stray | ~asked & (cell.state == ANSWERED), passed | skipped
            cell.take_out(skipped | (cell.state >= SILENT), BLANK)
            cell.take_out(~asked, SKIPPED)
            self.keep(item, name, cell)
        self.flag("skip_violation", stray, item.id)
        self.flag("skipped_but_asked", passed, item.id)
        if item.ends_if:
            hit = holds(item.ends_if, self.frame(item.ends_if)) & ~self.ended
            self.disposition[hit] = DISPOSITIONS.index(ENDS.get(item.role, "refused"))
            self.ended |= hit

    def frame(self, rule: str) -> pd.DataFrame:
        """The columns of which a rule speaks."""
        named = [name for name in re.findall(r"\w+", rule) if name in self.columns]
        return pd.DataFrame({name: self.columns[name] for name in named}, index=range(self.n))

    def asked(self, item: Item, name: str) -> tuple[Bools, Bools]:
        """Who was to be asked, and for whom that stays open because the answer that decides is blank or refused."""
        rule = item.asked_if.replace("*", name.removeprefix(f"{item.id}_"))
        table, is_open = self.frame(rule), np.zeros(self.n, dtype=bool)
        if not set(names_in(rule)) <= set(table):
            return ~self.ended, ~self.ended
        asked = holds(rule, table)
        for source in table:
            is_open |= ~asked & np.isin(self.state[str(source)], (BLANK, cells.REFUSED))
        return (asked | is_open) & ~self.ended, is_open

    def read(self, item: Item, name: str) -> Cell:
        """One cell from the export by text and, where there is one, by number."""
        text, codes = self.answers.text[name], self.answers.codes
        if item.type in WORDS:
            as_words = cells.read_words if item.type == "text" else cells.date_reader(cells.distinct(text)[1])
            return cells.spread(text, as_words)
        reader = by_code = cells.number_reader(item, self.span.first.year)
        if item.type == "ranking":
            orders, places = self.orders.setdefault(item.id, {}), {str(n + 1): n for n, _ in enumerate(item.options)}
            reader, by_code = (cells.ranking_reader(known, orders) for known in (option_places(item), places))
        elif item.options:
            reader = cells.option_reader(item)
            by_code = reader if item.type == "multi" else cells.code_reader(item, self.answers.numbering)
        cell = cells.spread(text, cells.town_reader(item, self.towns, self.codes) if item.role == "town" else reader)
        if codes is None or name not in codes:
            return cell
        number = cells.spread(codes[name], by_code)
        tied, cell = (cell.state == ANSWERED) & (number.state == cells.NO_RANKING), cells.reconcile(cell, number)
        cell.take_out(tied, cells.DISAGREE)
        return cell

    def settle(self, item: Item, name: str, cell: Cell, asked: Bools) -> None:
        """Set aside what is no answer, and rows without a known town; flag what was repaired."""
        text, codes, is_town = self.answers.text[name], self.answers.codes, item.role == "town"
        self.stop_at_odds(item, name, cell, asked)
        for state in np.unique(cell.state[(cell.state >= FIRST_FAULT) & asked]):
            shown = text[(cell.state == state) & asked]
            if codes is not None and name in codes:
                shown = shown.where(shown != "", codes[name][shown.index])
            self.set_aside(name, shown, cells.FAULTS[state - FIRST_FAULT], "row" if is_town else "cell")
        mended = cell.repaired & asked & (cell.state == ANSWERED)
        self.flag("town_repaired" if is_town else "age_from_birth_year", mended, text[mended].to_numpy(dtype=object))
        if is_town:
            silent = asked & (cell.state != ANSWERED) & (cell.state < FIRST_FAULT)
            self.set_aside(name, text[silent], "town_blank", "row")
            self.kept &= ~asked | (cell.state == ANSWERED)
            self.town = np.nan_to_num(np.where(asked, cell.value, 0)).astype(np.int64)

    def stop_at_odds(self, item: Item, name: str, cell: Cell, asked: Bools) -> None:
        """Raise InputError where an option or the whole item is at odds nearly everywhere: to set it aside would take one answer's people away."""
        text, codes = self.answers.text[name], self.answers.codes
        for words, at, of in cells.at_odds(item, text, cell, asked):
            by_number = "" if codes is None or name not in codes else codes[name][at].mode().iloc[0]
            known = "; ".join(option.text(language()) for option in item.options) or say("clean.a_number")
            shown = {"question": item.text(language()), "words": words or text[at].iloc[0], "known": known}
            meant = cells.code_reader(item, self.answers.numbering)(clean_text(by_number))[0]
            option = next((option.text(language()) for option in item.options if option.code == meant), "")
            shown["by_number"] = say("clean.by_number", code=by_number, option=option) if by_number else ""
            raise InputError("clean.at_odds", replace(self.place, column=name), item=item.id, n=len(at), of=of, **shown)

    def keep(self, item: Item, name: str, cell: Cell) -> None:
        """Store a cell as columns of the cleaned table."""
        for code, why in item.missing.items() if item.type not in MANY else ():
            cell.take_out((cell.state == ANSWERED) & (cell.value == code), WHY_MISSING.index(why))
        gone = cell.state != ANSWERED
        if item.type == "multi":
            self.keep_multi(item, cell, gone)
        elif item.type == "ranking":
            self.keep_ranking(item, cell, gone)
        elif item.type in WORDS:
            places, texts = cells.distinct(self.answers.text[name])
            kept = cells.iso_dates(texts) if item.type == "date" else texts
            self.columns[name] = self.words(places, kept, gone)
        elif item.type == "number":
            self.columns[name] = cell.value
        else:
            self.columns[name] = integers(cell.value, gone, "int32" if item.type == "whole" else "int16")
        if item.fill_in:
            places, texts = cells.distinct(self.answers.text[name])
            options = option_places(item)
            found = [cells.chosen(text, options) or {} for text in texts]
            for place, option in ((k, one) for k, one in enumerate(item.options) if one.code in item.fill_in):
                words = [parts.get(place) or None for parts in found]
                self.columns[f"{item.id}_{option.code}_text"] = self.words(places, words, gone)
        self.columns[f"{name}_missing"] = pd.Categorical.from_codes(cell.state, categories=list(WHY_MISSING))
        self.state |= dict.fromkeys((name, *(item.variables if item.type in MANY else ())), cell.state)

    def keep_multi(self, item: Item, cell: Cell, gone: Bools) -> None:
        """0/1 columns of a multiple choice; an exclusive option beside others is dropped, too many choices stay."""
        bits = np.where(gone, 0, cell.value).astype(np.int64)
        alone = sum(1 << place for place, option in enumerate(item.options) if option.code in item.exclusive)
        clash = ((bits & alone) > 0) & ((bits & ~alone) > 0)
        bits[clash] &= ~alone
        self.flag("exclusive_conflict", clash, item.id)
        self.flag("too_many_choices", np.bitwise_count(bits) > (item.max_choices or 64), item.id)
        for place, name in enumerate(item.variables):
            self.columns[name] = integers((bits >> place) & 1, gone, "int8")

    def keep_ranking(self, item: Item, cell: Cell, gone: Bools) -> None:
        """A rank from 1 for each option, missing where a person did not name it."""
        orders = [*self.orders.get(item.id, ()), ()]
        taken = np.where(gone, len(orders) - 1, np.nan_to_num(cell.value)).astype(np.int64)
        for place, name in enumerate(item.variables):
            ranks = np.array([order.index(place) + 1 if place in order else 0 for order in orders])[taken]
            self.columns[name] = integers(ranks, ranks == 0, "int8")

    def words(self, places: Any, words: Sequence[str | None], gone: Bools) -> Any:
        """Texts as a column, personal numbers and names beside titles masked."""
        plain = pd.Series(words, dtype="str")
        found = mask_cells(plain, names=True)
        self.n_masked += int(((found != plain) & plain.notna()).to_numpy()[places][~gone].sum())
        found = found.array.take(places)
        found[gone] = None
        return found

    def head(self) -> dict[str, Any]:
        """The columns before the answers; rows sent outside the wave are rejected, a stamp that cannot be read set aside."""
        meta = self.answers.meta
        places, texts = cells.distinct(meta["submitted_at"])
        stamps = pd.Series(texts, dtype="str")
        times = parse_instants(stamps)
        unread = (times.isna() & (stamps != "")).to_numpy()[places]
        self.set_aside("submitted_at", meta["submitted_at"][unread], "unreadable_time")
        sent, end = times.to_numpy()[places], np.datetime64(self.span.last) + np.timedelta64(1, "D")
        outside = (sent < np.datetime64(self.span.first)) | (sent >= end)
        self.set_aside("submitted_at", meta["submitted_at"][outside], "outside_wave", "row")
        self.kept &= ~outside
        took = cells.spread(meta["seconds"], cells.read_duration)
        self.set_aside("seconds", meta["seconds"][took.state >= FIRST_FAULT], "not_a_number")
        given = {"given_weight": self.weights(meta["weight"])} if "weight" in meta else {}
        town = pd.Index(list(self.codes.values()), dtype="int64").get_indexer(self.town)
        ids = {name: pd.array([clean_text(text) or None for text in meta[name]], dtype="str") for name in META_IDS}
        if self.villages is not None:
            typed = pd.Series(ids["village_id"])
            strange = (typed.notna() & ~typed.isin(list(self.villages))).to_numpy()
            self.set_aside("village_id", meta["village_id"][strange], "no_such_village")
            ids["village_id"] = typed.mask(strange).array
        head = {"row_id": self.row_id, "form": self.survey.form, "wave": self.survey.wave}
        head |= {"town_id": pd.array([*self.codes, None], dtype="str").take(town), **ids, "submitted_at": sent}
        head |= {"seconds": integers(took.value, took.state != ANSWERED, "int32")}
        return head | {"disposition": pd.array(DISPOSITIONS, dtype="str").take(self.disposition), **given}

    def weights(self, typed: pd.Series) -> Any:
        """The weights that the export gives; a row whose weight is no positive number is rejected."""
        found = pd.to_numeric(typed, errors="coerce").astype(float)
        bad = ~(np.isfinite(found) & (found > 0)).to_numpy()
        self.set_aside(str(typed.name), typed[bad], "bad_weight", "row")
        self.kept &= ~bad
        return found.to_numpy()

    def finish(self) -> Booked:
        """All columns of the rows kept, and the accounts."""
        rows = pd.DataFrame({**self.head(), **self.columns}, index=range(self.n))[self.kept]
        flags = pd.concat(self.flags, ignore_index=True)
        flags = flags[~flags["row_id"].isin(self.row_id[~self.kept])].reset_index(drop=True)
        rejected = all_rejected(self.answers.rejected, pd.concat(self.rejected, ignore_index=True))
        return Booked(rows.reset_index(drop=True), rejected, flags, self.n_masked)


def integers(value: Any, gone: Bools, kind: str) -> Any:
    """Whole numbers with gaps, in few bytes."""
    return pd.arrays.IntegerArray(np.where(gone, 0, value).astype(kind), gone.copy())
