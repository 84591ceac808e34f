"""Webhooks in the background."""

from souvenir.core.jobs import Job
from tenants.webhooks.delivering import deliver
from workers.running import job_task

deliver_webhooks_task = job_task(Job.DELIVER_WEBHOOKS, deliver)
