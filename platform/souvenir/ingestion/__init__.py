"""Stage 1: bring things in. Imports, raw objects, assets, and the cutting into passages."""
