"""The record: people, stores, conversations, messages, memories, and where each came from."""
