"""The operators' console: sign-in, pages, and what wires them. It reads people through the keeper, for a purpose."""
