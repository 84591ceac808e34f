"""Which partition of their tenant's a store's vectors are in.

Most stores share one, and are scanned exactly. A large store moves to a bucket of its own, whose
partition has a graph index.
"""

COMMON = 0
