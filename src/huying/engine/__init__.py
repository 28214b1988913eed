"""The papermill engine `huying`: a notebook's cells in the process that asks for it, with the outputs that a kernel would give."""
