"""Stage 3: the right passage, in both languages, of those the caller may see."""
