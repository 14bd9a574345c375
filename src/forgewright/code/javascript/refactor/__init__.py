"""Refactorings of JavaScript and TypeScript."""
