"""The vector spaces that the vectors of passages are in."""

DIMENSIONS = 384
# The number beside each vector. A model keeps its number for good.
MODEL_NUMBERS = {"multilingual-e5-small/q4/1": 1}
