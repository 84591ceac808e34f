"""What a filter asks of passages is read from one index, without the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0015_bucket_before_passage")]

    operations = [
        migrations.AddIndex(
            model_name="passage",
            index=models.Index(
                fields=["tenant_id", "store", "id"],
                include=[
                    "terms", "past_version", "trust", "occurred_at",
                    "kind", "role", "provider", "language",
                ],
                name="passage_facts",
            ),
        ),
        migrations.RemoveIndex(model_name="passage", name="passage_lengths"),
    ]
