# The image of the door: it holds the port of webhooks. Build context: a directory with dist/door/.
# The user is given when the container is created.
ARG BASE=node:24-slim
FROM ${BASE}

WORKDIR /app
ENTRYPOINT ["node", "/app/dist/door/door.mjs"]

COPY dist/door/ /app/dist/door/
