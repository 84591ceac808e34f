"""Stage 1 in the background."""

from souvenir.core.jobs import Job
from souvenir.ingestion.importing import run_import
from workers.running import job_task

run_import_task = job_task(Job.RUN_IMPORT, run_import, in_one_piece=True)  # for archives
