"""A migration operation that is nothing but SQL statements, forwards and backwards."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation works: the app, the database, and the models as they are there."""

    app_label: str
    editor: BaseDatabaseSchemaEditor
    state: ProjectState

    def model(self, name: str) -> type[Model]:
        """The model of this app, as it was at this point of the migrations."""
        model: type[Model] = self.state.apps.get_model(self.app_label, name)
        return model

    def table(self, name: str) -> str:
        """The name of that model's table."""
        return str(self.model(name)._meta.db_table)


class StatementsOperation(Operation):
    """Runs what `forwards` yields, and to undo it what `backwards` yields.

    Each statement is run before the next is asked for: one may look at what those before it made.
    Django's own idea of the models does not change.
    """

    reversible = True
    reduces_to_sql = True

    def forwards(self, place: Place) -> Iterable[str]:
        """The statements, in order. `place` has the models as they are afterwards."""
        raise NotImplementedError

    def backwards(self, place: Place) -> Iterable[str]:
        """The statements that undo it, in order. `place` has the models as they are now."""
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes for Django."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        place = Place(app_label, schema_editor, to_state)
        self._run(place, self.forwards(place))

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        place = Place(app_label, schema_editor, from_state)
        self._run(place, self.backwards(place))

    @staticmethod
    def _run(place: Place, statements: Iterable[str]) -> None:
        if router.allow_migrate(place.editor.connection.alias, place.app_label):
            for statement in statements:
                place.editor.execute(statement)
