"""Deliveries to an EHR: their words, what follows an outcome, and what a person may resolve."""
