"""The REST door: parse, one call, render."""
