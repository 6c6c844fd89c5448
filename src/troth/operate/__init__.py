"""Making a site and looking after it: its folder, its configuration for web servers and systemd, doctor."""
