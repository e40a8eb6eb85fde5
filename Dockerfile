# syntax=docker/dockerfile:1

# One image with both programs; the chart runs /app/webhook.js and /app/reconciler.js of it as two containers. To build:
#   docker build --tag fleetscan:dev .
# A release names the base by digest: --build-arg BASE_IMAGE=docker.io/library/node:26-slim@sha256:…
ARG BASE_IMAGE=docker.io/library/node:26-slim

# The bundles are the same for every platform, so they are made once, on the builder's own.
FROM --platform=${BUILDPLATFORM} ${BASE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="fleetscan" \
      org.opencontainers.image.description="Keeps container images current, in the cluster and in Git, and keeps the two in agreement" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

# The reconciler runs git, and git runs ssh, which wants its user to have a name; ssh-keygen and gpg sign commits; tini buries
# what a killed git leaves behind. Nothing installs packages at run time, so npm goes. Versions are those of the base, which a release pins by digest.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git gpg gpg-agent openssh-client tini \
 && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /opt/yarn-* \
 && groupadd --gid 65532 fleetscan \
 && useradd --uid 65532 --gid 65532 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin fleetscan \
 && install --directory --owner=65532 --group=65532 /cache

WORKDIR /app
# package.json says that the files are ES modules.
COPY package.json LICENSE ./
COPY --from=build /src/dist/webhook.js /src/dist/reconciler.js /src/dist/THIRD-PARTY-LICENSES.txt ./

ENV NODE_ENV=production
# Each arena of glibc's allocator holds on to memory of its own, and two threads have no use for eight times the cores.
ENV MALLOC_ARENA_MAX=2
# A number, so that the kubelet can tell that it is not root. Written to: /tmp and /cache only.
USER 65532:65532
STOPSIGNAL SIGTERM
# Probes are the cluster's: see the chart.
HEALTHCHECK NONE
# The base brings an entry point that guesses; node itself gets the signals, and both programs handle them.
ENTRYPOINT []
CMD ["node", "/app/webhook.js"]
