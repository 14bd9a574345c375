"""Refactorings of Python that need to know what names mean. Each returns splices; none writes."""
