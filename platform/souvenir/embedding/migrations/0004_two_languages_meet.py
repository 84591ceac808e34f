from django.db import migrations

# The owner is held back by a forced policy like anybody: it would see no vector at all.
_SEEN = """
    ALTER TABLE ingestion_passagevector NO FORCE ROW LEVEL SECURITY;
    DELETE FROM embedding_embeddingmodel
        WHERE number = {old} AND NOT EXISTS (SELECT FROM ingestion_passagevector);
    INSERT INTO embedding_embeddingmodel (number, name, dimensions, state, since)
        SELECT {new}, 'multilingual-e5-small/q4/{new}', 384, 'serving', now()
        WHERE NOT EXISTS (SELECT FROM embedding_embeddingmodel);
    ALTER TABLE ingestion_passagevector FORCE ROW LEVEL SECURITY
"""


class Migration(migrations.Migration):
    """A new installation begins with the model in which French and English meet.

    One that has vectors keeps its model, and changes when its operator says so
    (docs/runbooks/search.md).
    """

    dependencies = [
        ('embedding', '0003_models'),
        ('ingestion', '0003_search_tables'),
    ]

    operations = [
        migrations.RunSQL(_SEEN.format(old=1, new=2), _SEEN.format(old=2, new=1)),
    ]
