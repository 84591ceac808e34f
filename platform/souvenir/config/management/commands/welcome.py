"""`manage.py welcome`: makes the demonstration at the first start, and says where to sign in."""

from argparse import ArgumentParser

from django.conf import settings

from souvenir.config import demonstration
from souvenir.config.embedded.speech import say, spoken
from souvenir.core.errors import gettext_noop
from tenants.commands import ServingCommand

_ROLES = {
    demonstration.MEMBER: gettext_noop("a person, for “My memory”"),
    demonstration.OWNER: gettext_noop("the organization’s owner"),
    demonstration.ADMIN: gettext_noop("the platform’s administrator"),
}


class Command(ServingCommand):
    help = "Make the demonstration at the first start, and say where to sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-logins", action="store_true", help="give the demo logins new passwords and keys"
        )

    def handle(self, *, new_logins: bool, **_: object) -> None:
        is_first = not demonstration.has_logins()
        if settings.SOUVENIR_DEMO:
            demonstration.make_demonstration()
        say("")
        say(gettext_noop("Souvenir is ready: {address}"), address=settings.SOUVENIR_PUBLIC_URL)
        if not (is_first or new_logins):
            say(gettext_noop("The logins were shown at the first start. For new ones: make logins"))
        elif settings.SOUVENIR_DEMO:
            say(
                gettext_noop(
                    "It holds a demonstration: {name}’s year with three assistants. It can be "
                    "searched by its words in a few seconds, by its meaning a few minutes later."
                ),
                name=demonstration.PERSON_NAME,
            )
            self._show(demonstration.new_credentials())
        else:
            self._show(demonstration.administrator_only())

    def _show(self, credentials: demonstration.Credentials) -> None:
        say(gettext_noop("Copy these now: they are not shown again."))
        for email, password in credentials.passwords.items():
            say("  {email:<24} {password}", email=email, password=password)
            say("  {indent:<24} {role}", indent="", role=spoken(_ROLES[email]))
        if credentials.organization_key:
            say(gettext_noop("  Key of the organization:  {key}"), key=credentials.organization_key)
        say(gettext_noop("  Key of the platform:      {key}"), key=credentials.platform_key)
