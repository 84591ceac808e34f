"""Organizations and what keeps them apart: isolation, memberships, keys, residency, egress, jobs."""
