"""The papermill engine `huying`: a notebook in a process that stays warm between calls; refuses no kernel option, and needs no kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from papermill.engines import Engine


class WarmEngine(Engine):  # type: ignore[misc]
    """`papermill --engine huying …`, or `execute_notebook(…, engine_name="huying")`; the second call finds the process warm."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, execution_timeout: float | None = None, **unused: Any
    ) -> None:
        """Run the notebook's cells in a child of the warm process and put what they gave into `nb_man`."""
        import nbformat

        from huying.batch.crew import Limits, shared_crew
        from huying.batch.work import Order, Product

        crew, found = shared_crew(), list[Product]()
        changed = {name: value for name, value in os.environ.items() if crew.environ.get(name) != value}
        crew.limits = Limits(seconds=execution_timeout or float("inf"))
        crew.run([Order(nbformat.writes(nb_man.nb), "", {}, str(Path.cwd()), changed, keep_files=False)],
                 lambda number, product: found.append(product))  # fmt: skip
        if not found[0].notebook:
            told = found[0].failure or {}
            raise RuntimeError(f"{told.get('ename')}: {told.get('evalue')}")
        made = nbformat.reads(found[0].notebook.decode("utf-8"), as_version=4)
        for ours, theirs in zip(nb_man.nb.cells, made.cells, strict=True):
            if ours.cell_type == "code":
                ours.outputs, ours.execution_count = theirs.outputs, theirs.execution_count
        nb_man.nb.metadata["language_info"] = made.metadata["language_info"]
        if failure := found[0].failure:
            nb_man.cell_exception(nb_man.nb.cells[failure["cell"]])
