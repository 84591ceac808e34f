"""Keys that are changed in the background."""

from souvenir.core.jobs import Job
from souvenir.search.rebuilding import rebuild_tokens
from tenants.resealing import seal_again
from workers.running import job_task

seal_again_task = job_task(Job.SEAL_AGAIN, seal_again, in_one_piece=True)
rebuild_tokens_task = job_task(Job.REBUILD_TOKENS, rebuild_tokens, cut_after_seconds=30.0)
