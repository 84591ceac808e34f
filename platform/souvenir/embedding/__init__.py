"""Stage 2: what a text means, as a vector. Embedders behind one Protocol, and their vectors."""
