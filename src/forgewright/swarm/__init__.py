"""Planner, Coder, Tester, Refactorer: the main job."""
