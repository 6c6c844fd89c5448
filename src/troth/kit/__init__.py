"""Holds what the console is built of: base page, tables, forms, paging, charts. It imports no package with pages."""
