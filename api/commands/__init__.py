"""Commands: one door from a request to the pathway, and what is answered."""
