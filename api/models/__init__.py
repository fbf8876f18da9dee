"""The shapes of requests and answers. Each request shape turns into a wish of the domain."""
