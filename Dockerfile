# One image per service, all made here:
#   docker build --build-arg SERVICE=orders --tag onsale/orders .
# SERVICE names the dependency list (requirements/$SERVICE.txt, if it needs more than all share), CODE the folder; `make images` builds all of them.
# Optional secrets: `certificates` (a CA bundle) and `pip` (a pip.conf), where the package index needs them.
#
# What is shipped is put together below /image, with one time for all files, and copied to / as a whole: the same
# content gives the same layers, whenever it is built.

# The one place where the base is pinned. Whatever has Python 3.11 or newer and its venv as `python` can stand in for it.
ARG BASE_IMAGE=python:3.13.16-slim-trixie

# A pip of the build's own (the environment that is shipped has none), and that environment, empty.
FROM ${BASE_IMAGE} AS tools
RUN python -m venv /opt/pip && python -m venv --without-pip /venv \
    && mkdir -p /image/shared && mv /venv /image/shared/ && ln -s /image/shared/venv /venv

# What all services share, in a layer that all images have in common.
FROM tools AS shared
COPY requirements/install.sh requirements/base.txt /opt/requirements/
RUN --mount=type=secret,id=certificates --mount=type=secret,id=pip \
    --mount=type=cache,id=onsale-pip,target=/root/.cache/pip \
    sh /opt/requirements/install.sh /opt/requirements/base.txt /image/shared/venv /opt/shared.json

# What this one adds to it. All lists are copied, since COPY refuses a file that is not there: who adds nothing has no list.
FROM shared AS own
ARG SERVICE
COPY requirements/ /opt/requirements/
RUN --mount=type=secret,id=certificates --mount=type=secret,id=pip \
    --mount=type=cache,id=onsale-pip,target=/root/.cache/pip \
    sh /opt/requirements/install.sh "/opt/requirements/${SERVICE}.txt" /image/own/venv /opt/own.json

# Its code: as it is, for file sync; and compiled.
FROM tools AS source
ARG SERVICE
ARG CODE=services/${SERVICE}
WORKDIR /image/source/app
COPY chassis/ chassis/
COPY tracing/ tracing/
COPY services/__init__.py services/
COPY ${CODE}/ ${CODE}/
RUN chmod -R u=rwX,go=rX . && find . -exec touch --date=@0 {} +

FROM source AS compiled
RUN PYTHONHASHSEED=0 python -m compileall -q --invalidation-mode unchecked-hash -s /image/source -p / . \
    && find . -exec touch --date=@0 {} +

# The bill of materials: what pip really installed, and what the base brings.
FROM own AS materials
ARG BASE_IMAGE
ARG VERSION=unknown
WORKDIR /image/materials/sbom
RUN --mount=type=bind,source=local/materials.py,target=/run/materials.py \
    /venv/bin/python /run/materials.py --image "onsale/${SERVICE}" --version "${VERSION}" --base "${BASE_IMAGE}" \
        /opt/shared.json /opt/own.json > "${SERVICE}.cdx.json" \
    && find . -exec touch --date=@0 {} +

FROM ${BASE_IMAGE} AS packages
# /app is the only folder that Python imports from beside its packages, wherever a process was started.
ENV PATH=/venv/bin:${PATH} PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2
COPY --from=shared /image/shared/ /
COPY --from=own /image/own/ /

# For `skaffold dev`: the code belongs to who runs it, and is compiled when it is read.
FROM packages AS dev
ARG SERVICE
ARG VERSION=unknown
ENV ONSALE_SERVICE=${SERVICE} ONSALE_VERSION=${VERSION}
COPY --from=source --chown=10001:10001 /image/source/ /
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["chassis.serve"]

FROM packages AS service
ARG SERVICE
COPY --from=compiled /image/source/ /
COPY --from=materials /image/materials/ /
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["chassis.serve"]
ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE
ARG CREATED
ENV ONSALE_SERVICE=${SERVICE} ONSALE_VERSION=${VERSION}
LABEL org.opencontainers.image.title="onsale/${SERVICE}" \
      org.opencontainers.image.description="Onsale sells tickets when everybody wants them at once: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
