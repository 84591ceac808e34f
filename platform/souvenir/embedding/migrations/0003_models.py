import django.utils.timezone
from django.db import migrations, models
from tenants.isolation.grants import GrantControlTable


class Migration(migrations.Migration):
    """Which models make vectors. Until now there was one."""

    dependencies = [
        ('embedding', '0002_vectors_move'),
    ]

    operations = [
        migrations.CreateModel(
            name='EmbeddingModel',
            fields=[
                ('number', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=63, unique=True)),
                ('dimensions', models.IntegerField()),
                ('state', models.CharField(choices=[('filling', 'Filling'), ('serving', 'Serving'), ('retired', 'Retired')], max_length=16)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'retired'), _negated=True), fields=('state',), name='one_model_serves_one_fills')],
            },
        ),
        GrantControlTable("embedding_embeddingmodel", "SELECT, INSERT, UPDATE"),
        migrations.RunSQL(
            "INSERT INTO embedding_embeddingmodel (number, name, dimensions, state, since)"
            " VALUES (1, 'multilingual-e5-small/q4/1', 384, 'serving', now())",
            migrations.RunSQL.noop,
        ),
    ]
