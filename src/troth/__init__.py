"""Troth: the back end of a software vendor's website that keeps its privacy policy by its shape."""

__version__ = "0.1.0"
