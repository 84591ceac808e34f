"""Organizations and what keeps them apart: isolation, keys, residency, egress, jobs."""
