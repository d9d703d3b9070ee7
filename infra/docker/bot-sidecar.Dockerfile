# The sidecar of bots, from the root of the repository:
#   docker build -f infra/docker/bot-sidecar.Dockerfile -t reeve/bot-sidecar .
# Where npm needs settings of its own (a mirror, a private CA): --secret id=npmrc,src=<an npmrc>

# Only the manifests: what is installed is cached until one of them changes.
FROM node:24-slim AS manifests
WORKDIR /reeve
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -depth -type d -empty -delete

# It imports nothing of ours, so that nothing else is built.
FROM node:24-slim AS build
WORKDIR /reeve
COPY --from=manifests /reeve ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build --workspace packages/bot-sidecar \
 && find packages/bot-sidecar/dist \( -name '*.d.ts' -o -name '*.map' \) -delete

FROM node:24-slim AS production
WORKDIR /reeve
COPY --from=manifests /reeve/package.json /reeve/package-lock.json ./
COPY --from=manifests /reeve/packages/bot-sidecar ./packages/bot-sidecar
# As the only workspace: npm installs with it what the packages need that its tests are written with.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \
    npm pkg set --json 'workspaces=["packages/bot-sidecar"]' \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace packages/bot-sidecar \
 && find . -path '*/node_modules/*' -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.test.*js' \) -delete
COPY --from=build /reeve/packages/bot-sidecar/dist ./packages/bot-sidecar/dist
COPY infra/docker/sbom.mjs /tmp/
RUN rm -rf package-lock.json node_modules/.package-lock.json \
 && find packages -mindepth 1 -maxdepth 1 ! -name bot-sidecar -exec rm -rf {} + \
 && mkdir -p /out/node/usr/local/bin /out/dependencies/reeve /out/own/reeve \
 && node /tmp/sbom.mjs reeve-bot-sidecar > /out/own/reeve/sbom.cdx.json \
 && cp "$(command -v node)" /out/node/usr/local/bin/ \
 && mv node_modules /out/dependencies/reeve/ \
 && mv packages /out/own/reeve/
# As in Dockerfile: one commit gives one tree.
ARG SOURCE_DATE_EPOCH=0
RUN chmod -R u=rwX,go=rX /out && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch AS sbom
COPY --from=production /out/own/reeve/sbom.cdx.json /

# Node alone, on the Debian that it comes on.
FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="reeve-bot-sidecar" org.opencontainers.image.licenses="Apache-2.0"
# Loopback alone, unless HOST says another address: the bot shares its network (one pod, `network_mode: service:…`).
ENV NODE_ENV=production PORT=5178
COPY --from=production /out/node/ /
COPY --from=production /out/dependencies/ /
COPY --from=production /out/own/ /
WORKDIR /reeve/packages/bot-sidecar
# A number, since Kubernetes cannot tell of a name that it is not root's.
USER 1000:1000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://${(process.env.HOST || '127.0.0.1').replace(/.*:.*/, '[$&]')}:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "dist/main.js"]
