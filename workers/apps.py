"""Makes the Celery application the current one wherever Django runs, so that jobs can be rung."""

from django.apps import AppConfig

from workers.app import app


class WorkersConfig(AppConfig):
    name = "workers"

    def ready(self) -> None:
        app.set_default()
