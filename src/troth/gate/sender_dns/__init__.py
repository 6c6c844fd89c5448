"""The DNS records by which other mail servers tell that email from this site is genuine: SPF, DKIM and DMARC."""
