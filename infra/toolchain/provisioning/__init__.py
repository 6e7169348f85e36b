"""Steps of the set-up, on the standard library alone."""
