"""The addresses. A route says who may use it, takes the request apart, and answers."""
