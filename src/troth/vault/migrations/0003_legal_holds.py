"""Tables for what a law requires to be kept, under keys of its own."""

import django.db.models.deletion
from django.db import migrations, models

import troth.core.clock
import troth.core.ids


class Migration(migrations.Migration):
    dependencies = [("vault", "0002_canaries_marked")]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=troth.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("slot", models.BigIntegerField(unique=True)),
                ("duty", models.CharField(max_length=16)),
                ("until", models.DateField(db_index=True)),
                ("invented", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=troth.core.clock.now)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="legal_holds",
                        to="vault.person",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LegalRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(default=troth.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("box", models.BinaryField()),
                ("created_at", models.DateTimeField(default=troth.core.clock.now)),
                (
                    "hold",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="records", to="vault.legalhold"
                    ),
                ),
            ],
        ),
    ]
