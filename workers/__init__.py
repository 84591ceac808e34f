"""The Celery application: one module per stage says when, how often and with what retries."""
