from django.db import migrations

from tenants.isolation.grants import ShowToSweeper


class Migration(migrations.Migration):
    """The parents of jobs, and what else a job has had since 0003."""

    dependencies = [("tenants", "0003_job_items")]

    operations = [ShowToSweeper("Job")]
