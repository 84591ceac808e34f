"""What a job's error is about may name a file of somebody's: it is sealed from here on."""

from collections.abc import Iterable

from django.db import migrations

import tenants.sealed
from tenants.isolation.operations import MarkContent
from tenants.isolation.statements import Place, StatementsOperation


class ForgetClearNames(StatementsOperation):
    """Take what was written in clear out of errors that a person can act on; their code stays.

    Not undone: what was there is not to come back.
    """

    def forwards(self, place: Place) -> Iterable[str]:
        for name in ("job", "jobitem"):
            table = place.table(name)
            yield f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
            yield f"UPDATE {table} SET error_params = '{{}}' WHERE error_class = 'permanent'"  # noqa: S608
            yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"

    def backwards(self, place: Place) -> Iterable[str]:
        del place
        return ()


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_rings")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="error_told",
            field=tenants.sealed.SealedJsonField(null=True),
        ),
        MarkContent("Job", "error_told"),
        ForgetClearNames(),
    ]
