"""Invoices, receipts and credit notes: what is on one, as PDF with the electronic invoice in it, and their numbers."""
