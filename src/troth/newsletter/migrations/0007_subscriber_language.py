from django.db import migrations, models


def _tag() -> "models.CharField[str, str]":
    return models.CharField(blank=True, default="", max_length=35)


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0006_drafted_feeds"),
    ]

    operations = [
        migrations.AddField(model_name="sentence", name="language", field=_tag()),
        migrations.AddField(model_name="request", name="language", field=_tag()),
        migrations.AddField(model_name="subscription", name="language", field=_tag()),
        migrations.AddField(model_name="campaign", name="to_language", field=_tag()),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["language", "person"], name="subscription_language"),
        ),
    ]
