# One image for every role: `docker build --tag coldmigrate .`, then `docker run coldmigrate worker --help`.
#
# Runs as any user, on a read-only root, with /tmp to write on. No HEALTHCHECK: roles tell how they are on --health-port,
# and Kubernetes asks there (helm/). No secret is ever in it: roles read theirs from variables and files when they run.
ARG PYTHON=3.13

# ---- what is needed to build, and stays behind
FROM python:${PYTHON}-slim AS build
ENV PYTHONDONTWRITEBYTECODE= PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/coldmigrate && python -m venv /opt/builder

WORKDIR /src
COPY requirements.lock .ci/build.lock ./
RUN /opt/coldmigrate/bin/python -m pip install --require-hashes --requirement requirements.lock
RUN /opt/builder/bin/python -m pip install --require-hashes --requirement build.lock

COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
RUN /opt/builder/bin/python -m hatchling build --target wheel \
 && /opt/coldmigrate/bin/python -m pip install --no-deps --no-index dist/*.whl

# Compiled now, because a read-only root can keep nothing later. Layers keep whole seconds of a file's time only, and what
# is kept of the rules goes by it: so all times are made whole first. Pip is not needed to run.
RUN /opt/coldmigrate/bin/python -m pip uninstall --yes pip \
 && find /opt/coldmigrate -type f -exec touch --date=@1700000000 {} + \
 && /opt/coldmigrate/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/coldmigrate/lib \
 && /opt/coldmigrate/bin/python -c 'from bot.diagnosis.engine import load_engine; load_engine().catalogue.needles.prepare()'

# ---- what runs
FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="coldmigrate" \
      org.opencontainers.image.description="A Slack bot that cold-migrates VMware VMs across a WAN and says why the copy died when it does." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/coldmigrate /opt/coldmigrate
ENV PATH=/opt/coldmigrate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    MPLCONFIGDIR=/tmp/matplotlib \
    COLDMIGRATE_CONFIG=/etc/coldmigrate/coldmigrate.toml
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["coldmigrate"]
CMD ["--help"]
