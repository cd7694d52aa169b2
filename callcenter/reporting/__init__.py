"""Statistics as folds of the journal: what happened, counted once, by quarter hours. See this package's README."""
