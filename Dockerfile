# syntax is plain Dockerfile: builds with and without BuildKit.
# NODE_IMAGE is any image with Node >= 22.19, npm and a shell; the default is the public one.
ARG NODE_IMAGE=node:24-bookworm-slim

# Compiles TypeScript.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY toolchain/package.json toolchain/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run -s build

# What runs needs neither the tools nor the pinned Node of a checkout.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
COPY toolchain/package.json toolchain/
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && rm -rf node_modules/pilotlight-toolchain

FROM ${NODE_IMAGE}
# An init reaps what replicas of the process runtime leave behind and passes signals on.
RUN command -v tini > /dev/null || \
    (apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*)
WORKDIR /app
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY config config
COPY config/container.yaml /etc/pilotlight/config.yaml
RUN mkdir -p /var/lib/pilotlight && chown 1000:1000 /var/lib/pilotlight
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/pilotlight
# 1000 is the user `node` of the public image. To start containers it needs the socket's group: --group-add.
USER 1000:1000
VOLUME /var/lib/pilotlight
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["node", "-e", \
  "fetch('http://127.0.0.1:9400/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# See docs/operations.md, Memory.
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=4", "/app/dist/pilotlight.js"]
CMD ["run"]
