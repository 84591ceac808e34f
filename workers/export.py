"""Stage 4 in the background."""

from souvenir.core.jobs import Job
from souvenir.export.writing import write_export
from workers.running import job_task

write_export_task = job_task(Job.WRITE_EXPORT, write_export, in_one_piece=True)
