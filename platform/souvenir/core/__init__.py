"""What every layer stands on: errors, ids, jobs, sealing primitives, paging. Nothing of the domain."""
