"""What is said to an EHR: which resources an event writes, and what each of them says."""
