"""Stage 2 in the background."""

from souvenir.core.jobs import Job
from souvenir.embedding.services import embed_store
from workers.running import job_task

embed_passages_task = job_task(Job.EMBED_PASSAGES, embed_store)
