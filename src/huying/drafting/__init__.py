"""A county's folder drafted from an export, for a person to complete."""
