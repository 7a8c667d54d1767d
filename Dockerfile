# syntax is plain Dockerfile: builds with and without BuildKit.
# NODE_IMAGE is any image of Debian 12 or later with Node >= 22.19 and npm; the default is the public one.
ARG NODE_IMAGE=node:24-bookworm-slim

# The image has a Node of its own, so the workspace that pins that of a checkout (as large as all others) stays out.
FROM ${NODE_IMAGE} AS packages
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false --no-audit --no-fund

# Compiles TypeScript, and lists what it all is made of, for which npm wants to see every workspace.
FROM packages AS build
COPY tsconfig.json tsconfig.build.json ./
COPY toolchain toolchain
COPY src src
RUN ln -s ../toolchain node_modules/pilotlight-toolchain && npm run -s build && chmod +x dist/pilotlight.js

# What runs needs neither the tools, nor what compilers and debuggers read.
FROM packages AS dependencies
RUN npm prune --workspaces=false --omit=dev --omit=optional --no-audit --no-fund && \
    find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -exec rm -f {} + && \
    find node_modules -depth -type d -empty -exec rmdir {} \;

# The files of a small system: Node with its libraries, a shell with the usual small programs, and an init, which reaps
# what replicas of the process runtime leave behind and passes signals on. Public Node images are larger than all of this.
FROM ${NODE_IMAGE} AS system
RUN (command -v busybox && command -v tini) > /dev/null || \
    (apt-get update && apt-get install -y --no-install-recommends busybox-static tini)
RUN mkdir -p /system/bin /system/usr/bin /system/usr/local/bin /system/etc /system/tmp /system/var/lib/pilotlight && \
    chmod 1777 /system/tmp && chown 1000:1000 /system/var/lib/pilotlight && \
    for file in "$(command -v node)" $(LD_TRACE_LOADED_OBJECTS=1 node | grep -o '/[^ ]*'); do \
      mkdir -p "/system$(dirname "$file")" && cp -L "$file" "/system$file"; done && \
    cp -L "$(which tini-static || which tini)" /system/usr/local/bin/tini && \
    cp -L "$(which busybox)" /system/bin/busybox && \
    for name in $(busybox --list | grep -v '^busybox$'); do ln -s busybox "/system/bin/$name"; done && \
    ln -s ../../bin/busybox /system/usr/bin/env && \
    ln -s /app/dist/pilotlight.js /system/usr/local/bin/pilotlight && \
    printf 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n' > /system/etc/passwd && \
    printf 'root:x:0:\nnode:x:1000:\n' > /system/etc/group

FROM scratch
COPY --from=system /system /
WORKDIR /app
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY config config
COPY packaging/man/pilotlight.1 /usr/local/share/man/man1/
COPY packaging/completions/pilotlight.bash /usr/local/share/bash-completion/completions/pilotlight
COPY packaging/completions/_pilotlight /usr/local/share/zsh/site-functions/
COPY packaging/completions/pilotlight.fish /usr/local/share/fish/vendor_completions.d/
COPY config/container.yaml /etc/pilotlight/config.yaml
ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp NODE_ENV=production STATE_DIRECTORY=/var/lib/pilotlight
# 1000 is the user `node`. To start containers it needs the socket's group: --group-add.
USER 1000:1000
VOLUME /var/lib/pilotlight
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["node", "-e", \
  "fetch('http://127.0.0.1:9400/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# See docs/operations.md, Memory.
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=4", "/app/dist/pilotlight.js"]
CMD ["run"]
