"""What every layer stands on: errors, ids, jobs, sealing, paging. Nothing of the domain."""
