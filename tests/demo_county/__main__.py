"""`make demo`: writes the synthetic county to `survey_data/demo/` and its answer key, outside what any run reads, to `tests/data/demo_key/`."""

from pathlib import Path

from demo_county.write import write_demo

if __name__ == "__main__":
    root = Path(__file__).parents[2]
    write_demo(root / "survey_data" / "demo", root / "tests" / "data" / "demo_key", seed=2023)
