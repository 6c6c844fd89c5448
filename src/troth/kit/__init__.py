"""What the console is made of: the base page, tables, forms, paging, small charts. It knows no room."""
