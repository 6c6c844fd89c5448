"""Files of people for these tests, and the import as a script would run it."""

from troth.people import import_files, import_job, import_rows, import_topics

WORDS = "Send me the newsletter."


def job(path, said=None, ground=None, *, update=False, encoding="", date_format="", topics=()):
    """The import of this file."""
    options = import_files.ReadingOptions(
        ground or import_rows.read_ground(WORDS, "2024-05-01"), said or {}, date_format, encoding
    )
    files = import_files.files_of(path, options, import_topics.site_topics(topics))
    return import_job.PeopleImport(files, "fair in May", "test", update)


def examined(path, *words, **more):
    """What the first reading says."""
    return import_job.examine(job(path, *words, **more), lambda *_: None)


def taken_in(path, *words, **more):
    """Both readings; what became of the rows."""
    wanted = job(path, *words, **more)
    return +import_job.carry_out(wanted, import_job.examine(wanted, lambda *_: None), lambda *_: None)


def written(path, *lines, encoding="utf-8"):
    """A file of these lines."""
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path
