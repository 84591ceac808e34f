from django.db import migrations


class Migration(migrations.Migration):
    """Two keyed digests are told apart from content, and keep no statistics, as all bytes do."""

    dependencies = [("idempotency", "0001_keep_answers_to_requests")]

    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE idempotency_replay"
                " ALTER digest SET STATISTICS 0, ALTER fingerprint SET STATISTICS 0",
                "COMMENT ON COLUMN idempotency_replay.digest IS 'digest'",
                "COMMENT ON COLUMN idempotency_replay.fingerprint IS 'digest'",
            ],
            [
                "ALTER TABLE idempotency_replay"
                " ALTER digest SET STATISTICS DEFAULT, ALTER fingerprint SET STATISTICS DEFAULT",
                "COMMENT ON COLUMN idempotency_replay.digest IS NULL",
                "COMMENT ON COLUMN idempotency_replay.fingerprint IS NULL",
            ],
        )
    ]
