# The image of the runtime: scheduler and gateway. Build context: a directory with dist/runtime/.
# The user and the Docker group are given when the container is created.
ARG BASE=node:24-slim
FROM ${BASE}

WORKDIR /app
# A runtime is idle most of its time, on a small server: a small nursery for what lives short, one arena.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/dist/runtime/main.js"]

# Last, so that new code is one small layer.
COPY dist/runtime/ /app/dist/runtime/
