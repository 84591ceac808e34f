"""The web process. It refuses to start on a database that would let tenants meet."""

import os

from django.core.wsgi import get_wsgi_application

from tenants.isolation.catalogue import refuse_broken_isolation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "souvenir.config.settings")

application = get_wsgi_application()
refuse_broken_isolation()
