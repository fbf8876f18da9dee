"""Rules that several chapters of care share: calendar, gates, reviews, the fold of events."""
