from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0007_subscriber_language"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["paused_until"], name="subscription_paused", condition=models.Q(paused_until__isnull=False)
            ),
        ),
    ]
