# syntax=docker/dockerfile:1
# Three images, by target: `control-plane`; `envoy` with the filter and the demo's configuration; `demo`, its upstream and load.
#   docker build --target control-plane -t rekindle/control-plane .
# Pinned by tag; to pin by digest, give the arguments as `20.20.2-bookworm-slim@sha256:…`.
ARG NODE_TAG=20.20.2-bookworm-slim
ARG ENVOY_TAG=v1.40.0

FROM node:${NODE_TAG} AS build
WORKDIR /rekindle
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY asconfig.json tsconfig.json tsconfig.build.json ./
COPY filter filter
COPY scripts scripts
COPY control-plane control-plane
COPY envoy envoy
COPY test/filter/host/webassembly.d.ts test/filter/host/
RUN npm run build
RUN node dist/envoy/compose/envoy-configuration.js > build/envoy.json

FROM node:${NODE_TAG} AS dependencies
WORKDIR /rekindle
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:${NODE_TAG} AS control-plane
WORKDIR /rekindle
COPY package.json LICENSE ./
COPY --from=dependencies /rekindle/node_modules node_modules
COPY --from=build /rekindle/dist/control-plane dist/control-plane
# The embedded store; not used with REDIS_URL.
RUN mkdir /var/lib/rekindle && chown node:node /var/lib/rekindle
ENV NODE_ENV=production REKINDLE_HOST=0.0.0.0 REKINDLE_DATA_DIR=/var/lib/rekindle
# Node's user by its number: Kubernetes can tell that it is not root.
USER 1000
EXPOSE 7700
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["node", "dist/control-plane/health-check.js"]
CMD ["node", "dist/control-plane/main.js"]

FROM control-plane AS demo
COPY --from=build /rekindle/dist/scripts dist/scripts
COPY --from=build /rekindle/dist/envoy dist/envoy
COPY envoy/demo/policy.yaml envoy/demo/
HEALTHCHECK NONE
CMD ["node", "dist/envoy/compose/upstream.js"]

FROM envoyproxy/envoy:${ENVOY_TAG} AS envoy
COPY --from=build /rekindle/build/rekindle.wasm /rekindle/build/envoy.json /etc/envoy/
USER 101
EXPOSE 10000 9901
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9901 && printf 'GET /ready HTTP/1.1\\r\\nHost: envoy\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q LIVE <&3"]
CMD ["envoy", "-c", "/etc/envoy/envoy.json", "--concurrency", "2"]
