from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vault", "0003_legal_holds"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["frozen_at"], name="person_frozen", condition=models.Q(frozen_at__isnull=False)),
        ),
    ]
