"""From a county's folder to its evidence, and one executed notebook a place; refuses to take an output for done without its receipt."""
