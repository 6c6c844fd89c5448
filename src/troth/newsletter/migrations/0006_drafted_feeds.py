from django.db import migrations, models

import troth.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0005_campaign_language"),
    ]

    operations = [
        migrations.CreateModel(
            name="DraftedFeed",
            fields=[
                ("key", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ("items", models.BinaryField()),
                ("drafted_at", models.DateTimeField(default=troth.core.clock.now)),
            ],
        ),
    ]
