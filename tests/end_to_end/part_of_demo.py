"""A part of the demo county in a folder of its own: one wave and few files, so that a test cleans it in seconds."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "survey_data" / "demo"
LEDGERS = ("towns", "margins", "villages", "org_map", "org_roster", "unit_check", "documents")


def copy_part(folder: Path, forms: tuple[str, ...] = ("resident", "staff"), wave: str = "2023") -> Path:
    """The county in `folder`: these forms of one wave, and the ledgers of LEDGERS."""
    declared = re.split(r"\n(?=\[)", (DEMO / "county.toml").read_text("utf-8"))
    kept = [table for table in declared if is_kept(table, forms, wave)]
    (folder / "raw").mkdir(parents=True)
    for table in kept:
        for file in re.findall(r'"(raw/[^"]+)"', table):
            shutil.copy(DEMO / file, folder / file)
    (folder / "county.toml").write_text("\n".join(kept), "utf-8")
    return folder


def is_kept(table: str, forms: tuple[str, ...], wave: str) -> bool:
    """Whether a table of the declaration belongs to the part."""
    if table.startswith("[[survey]]"):
        return f'wave = "{wave}"' in table and any(f'form = "{form}"' in table for form in forms)
    if table.startswith("[[ledger]]"):
        return any(f'table = "{name}"' in table for name in LEDGERS)
    return not table.startswith("[report]")
