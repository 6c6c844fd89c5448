"""A mark for invented people, and one for the rows of the ledger that proof runs caused."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_BY_A_PROOF = b"\xa5actor\xa5proof"
"""How MessagePack writes that a proof did it."""


def mark_proofs(apps: Apps, schema: BaseDatabaseSchemaEditor) -> None:
    """Mark what proof runs wrote before there was a mark."""
    rows = apps.get_model("vault", "LedgerRow").objects.filter(content__isnull=False)
    told = rows.values_list("number", "content").iterator(chunk_size=2000)
    numbers = [number for number, content in told if content and _BY_A_PROOF in bytes(content)]
    for start in range(0, len(numbers), 500):
        rows.filter(number__in=numbers[start : start + 500]).update(proof=True)


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Canary",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="vault.person",
                    ),
                ),
                ("calls_since", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField("ledgerrow", "proof", models.BooleanField(default=False)),
        migrations.RunPython(mark_proofs, migrations.RunPython.noop),
    ]
