"""Stage 5 in the background."""

from souvenir.core.jobs import Job
from souvenir.deletion.erasing import erase
from workers.running import job_task

erase_task = job_task(Job.ERASE, erase)
