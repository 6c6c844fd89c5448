"""One kind of mail more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gate", "0002_held_causes")]

    operations = [
        migrations.AlterField(
            "delivery",
            "kind",
            models.CharField(
                choices=[
                    ("confirmation", "Confirmation"),
                    ("answer", "Answer"),
                    ("rights", "Link to what is kept"),
                    ("export", "What is kept"),
                    ("notice", "Notice to an operator"),
                    ("report", "Figures for an operator"),
                    ("alarm", "Alarm to an operator"),
                ],
                max_length=16,
            ),
        ),
    ]
