"""The pages, by area: each parses, makes one call, and renders."""
