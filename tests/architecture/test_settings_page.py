"""docs/settings.md is what the typed settings say, and it gives no secret away."""

from souvenir.config.environment import Environment
from souvenir.config.management.commands.write_settings_page import settings_page
from tests.architecture.sources import CHECKOUT


def test_the_page_is_up_to_date() -> None:
    written = (CHECKOUT / "docs/settings.md").read_text(encoding="utf-8")

    assert written == settings_page(), "Run: python manage.py write_settings_page"


def test_every_setting_says_what_it_is() -> None:
    silent = [name for name, field in Environment.model_fields.items() if not field.description]

    assert silent == [], f"Give each a description in souvenir/config/environment.py: {silent}"


def test_the_page_names_no_folder_of_whoever_wrote_it() -> None:
    assert str(CHECKOUT) not in settings_page()
