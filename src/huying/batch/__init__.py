"""Every notebook for every place, one process a job; refuses to take an output for done without its receipt."""
