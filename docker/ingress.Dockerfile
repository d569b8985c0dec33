# The image of the ingress: HTTPS for a project's public name, by the distribution's Caddy. Build context: a
# directory with dist/ingress/. The user is given when the container is created.
ARG BASE=node:24-slim
FROM ${BASE}

USER root

RUN set -eu; \
    if command -v caddy >/dev/null 2>&1; then exit 0; fi; \
    if command -v apt-get >/dev/null 2>&1; then \
      export DEBIAN_FRONTEND=noninteractive; \
      apt-get update; \
      apt-get install -y --no-install-recommends caddy ca-certificates; \
      rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log; \
    elif command -v apk >/dev/null 2>&1; then \
      apk add --no-cache caddy ca-certificates; \
    else \
      echo "The base image lacks caddy. It is neither Debian (apt-get) nor Alpine (apk):" >&2; \
      echo "install it in it, or use another base in [images] of config.toml." >&2; \
      exit 1; \
    fi

WORKDIR /app
ENTRYPOINT ["node", "/app/dist/ingress/ingress.mjs"]

COPY dist/ingress/ /app/dist/ingress/
