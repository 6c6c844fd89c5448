"""Files in a site's folder that several packages read or write."""
