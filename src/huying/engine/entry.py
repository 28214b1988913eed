"""What papermill finds under the name `huying`; refuses what only another process could keep.

Every papermill imports this module, so that what it needs to run cells is imported only when cells are run.
"""

from pathlib import Path
from typing import Any

from papermill.engines import Engine


class HuyingEngine(Engine):  # type: ignore[misc]
    """`papermill --engine huying …`, or `execute_notebook(…, engine_name="huying")`: what a kernel gives, without a kernel."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, at_cell: Path | None = None, **told: Any) -> None:
        """Run the cells and put what they gave into `nb_man`; the file `at_cell` holds the count of the one that runs.

        Raises InputError for a limit of time, which only another process could keep.
        """
        from papermill.clientwrap import PapermillNotebookClient
        from papermill.log import logger

        from huying.engine.cells import connect, fresh_kernel
        from huying.words import InputError

        if told.get("execution_timeout"):
            raise InputError("engine.no_timeout")
        output = {name: told[name] for name in ("log_output", "stdout_file", "stderr_file") if name in told}
        with fresh_kernel() as kernel:
            manager = connect(kernel, at_cell)
            client = PapermillNotebookClient(nb_man, km=manager, log=logger, record_timing=False, **output)
            client.kc = manager
            client.execute()
