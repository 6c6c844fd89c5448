"""What proofs are made with: invented people, test visits, searches."""
