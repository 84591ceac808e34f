"""Joëlle Haché's year with three assistants: the invented archive of the demo organization.

`chatgpt/`, `claude/` and `lechat/` hold export files in the providers' own shapes, so that the
demonstration goes in by the ordinary import. `questions.json` asks about them, in both languages,
and names the messages that hold each answer. The person, the companies and the pages are invented.
"""
