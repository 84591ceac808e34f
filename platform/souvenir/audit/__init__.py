"""The audit log: append-only, a Merkle tree over it, and signed checkpoints. See docs/audit.md."""
