"""How the time and memory of 12 shares grow from 20 to 40,000 towns; exits 1 where a row costs more among more towns."""

import json
import sys

import pandas as pd
from estimates import draw_people, ours
from process import in_child, peak_bytes

TOWNS = (20, 200, 2_000, 40_000)  # of 100 respondents
SLACK = 1.3  # by which a row may cost more among 40,000 towns than among 2,000: noise


def measure(towns: int) -> dict[str, float]:
    """Least CPU seconds of three runs (others use the machine too), and the peak above the bare interpreter, the data included."""
    bare, people, seconds = peak_bytes(), draw_people(towns * 100, towns), []
    for _ in range(3):
        took, _ = ours(people, towns)
        seconds.append(float(took[0]))
    return {"towns": towns, "rows": len(people), "cpu_s": min(seconds), "mb": (peak_bytes() - bare) / 1e6}


def main() -> int:
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return 0
    table = pd.DataFrame([in_child(__file__, towns) for towns in TOWNS])
    table["us_per_row"], table["bytes_per_row"] = (table[name] * 1e6 / table["rows"] for name in ("cpu_s", "mb"))
    print(table.round(2).to_string(index=False))
    per_row = table[["us_per_row", "bytes_per_row"]].to_numpy()
    is_linear = bool((per_row[-1] <= SLACK * per_row[-2]).all())
    print("at most linear" if is_linear else "more than linear")
    return 0 if is_linear else 1


if __name__ == "__main__":
    sys.exit(main())
