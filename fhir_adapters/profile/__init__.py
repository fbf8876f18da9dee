"""What one EHR is: what it advertises, what its vendor is known to do, and the plan for it."""
