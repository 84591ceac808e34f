"""Stage 2 in the background."""

from souvenir.core.jobs import Job
from souvenir.embedding.filling import clear_store, fill_store
from souvenir.embedding.promotion import demote_store, promote_store
from souvenir.embedding.services import embed_store
from workers.running import job_task

embed_passages_task = job_task(Job.EMBED_PASSAGES, embed_store)
promote_store_task = job_task(Job.PROMOTE_STORE, promote_store, in_one_piece=True)
demote_store_task = job_task(Job.DEMOTE_STORE, demote_store, in_one_piece=True)
fill_model_task = job_task(Job.FILL_MODEL, fill_store, in_one_piece=True)
clear_model_task = job_task(Job.CLEAR_MODEL, clear_store, in_one_piece=True)
