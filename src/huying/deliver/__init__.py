"""What people are given: made from the county's declaration and evidence, and from nothing else."""
