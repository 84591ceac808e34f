"""Stage 5: erase. One memory, one conversation, one import, one person, one organization."""
