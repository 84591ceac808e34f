"""The console: Django templates and htmx, in English and in French."""
