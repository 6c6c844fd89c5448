"""The people of all rooms: search, pages, import and export."""
