"""People across all packages: search, pages, import and export."""
