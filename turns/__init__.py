"""A pathway's turn: what a person asks and what is due, decided and recorded in one transaction."""
