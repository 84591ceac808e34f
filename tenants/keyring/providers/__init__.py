"""Where the keys of organizations live. Each provider wraps a person's key; none gives its own."""
