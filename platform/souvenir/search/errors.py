"""What can go wrong with a question."""

from souvenir.core.errors import Invalid, gettext_noop


class QuestionEmpty(Invalid):
    code = "question-empty"
    message = gettext_noop("There is no question: the text holds only white space.")
