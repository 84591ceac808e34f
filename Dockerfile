# One image for the web, the workers, the sweeper and the migrations. docs/deploying.md says how it
# is run. To build from a base that you checked, give its digest:
#   --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
# Before the code, so that a change of code does not install everything again.
COPY requirements.lock ./
# Hashes for all of it, and wheels only: nothing of anyone's runs while it is installed.
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY manage.py ./
COPY platform/ platform/
COPY tenants/ tenants/
COPY workers/ workers/
RUN python manage.py compile_translations \
    && python -m compileall -q manage.py platform tenants workers

FROM ${PYTHON_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Souvenir" \
      org.opencontainers.image.description="A sovereign, multi-tenant memory platform for AI assistants" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# What stands before the web in its pod. From the base's own distribution, which mends it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends nginx \
    && rm -rf /var/lib/apt/lists/*
# Owned by root, and so not to be changed by whom it runs as.
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
RUN groupadd --gid 10001 souvenir \
    && useradd --uid 10001 --gid souvenir --no-create-home --home-dir /tmp --shell /usr/sbin/nologin souvenir \
    && install --directory --owner=souvenir --group=souvenir --mode=0700 /var/lib/souvenir/objects
# `platform/` is a source root; the workers find the settings by their name.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app/platform:/app \
    DJANGO_SETTINGS_MODULE=souvenir.config.settings \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# The root may be read-only: heartbeats in memory, and no control socket in a home folder.
CMD ["gunicorn", "souvenir.config.wsgi:application", "--bind", "0.0.0.0:8000", \
     "--config", "python:souvenir.config.serving", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
