"""Kinds of email are declared by packages, so a new one needs no migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gate", "0003_alarms")]

    operations = [migrations.AlterField("delivery", "kind", models.CharField(max_length=16))]
