"""A mark that tables have the names of `core.schema.renamed_tables`. A version that knows only the earlier ones knows the label
`office` as well, and refuses a database or a backup with a migration of it that it doesn't know.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("office", "0001_initial")]

    operations = []
