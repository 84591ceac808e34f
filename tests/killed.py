"""A process that dies in the middle, as seen from inside."""


class Killed(BaseException):
    """What a kill -9 looks like: nothing after it runs, and nobody tidies up."""
