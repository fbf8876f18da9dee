"""Schema history. Each revision goes up from the one before and is never edited after landing."""
