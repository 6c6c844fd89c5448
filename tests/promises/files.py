"""Files of people for these tests, and the import as a script would run it."""

from troth.promises import csvfile, importmap, importrows, imports

WORDS = "Send me the newsletter."


def job(path, said=None, ground=None, *, update=False, encoding="", date_format=""):
    """The import of this file."""
    shape = csvfile.find_shape(path, encoding)
    columns = importmap.find_mapping(imports.headers(path, shape), said or {})
    judge = importrows.Judge(columns, ground or importrows.read_ground(WORDS, "2024-05-01"), date_format)
    return imports.Import(path, shape, columns, judge, "fair in May", "test", update)


def examined(path, *words, **more):
    """What the first reading says."""
    return imports.examine(job(path, *words, **more), lambda *_: None)


def taken_in(path, *words, **more):
    """Both readings; what became of the rows."""
    wanted = job(path, *words, **more)
    return +imports.carry_out(wanted, imports.examine(wanted, lambda *_: None), lambda *_: None)


def written(path, *lines, encoding="utf-8"):
    """A file of these lines."""
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path
