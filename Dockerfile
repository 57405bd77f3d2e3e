# The image for staging and production: no development tools, no embedded stores, a user without privileges.
#
#   docker build --build-arg COMMIT="$(git rev-parse HEAD)" -t okapi .
#   docker run --rm -p 3000:3000 --env-file production.env okapi
#
# It is "production" unless ENVIRONMENT says otherwise, so it asks for DATABASE_URL, MONGO_URL, the signing keys,
# TRUST_PROXY and CORS_ALLOW_ORIGINS. Each secret can be a mounted file: DATABASE_URL_FILE=/run/secrets/database-url.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json instrumentation.ts ./
COPY scripts scripts
COPY src src
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:26-slim
WORKDIR /app
ARG COMMIT=unknown
# Containers log to the console. For files, set LOG_FILES=true and mount a volume at /app/logs.
ENV ENVIRONMENT=production PROJECT_COMMIT=$COMMIT LOG_FILES=false
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir logs && chown node:node logs
USER node
EXPOSE 3000
# Only the process itself: while PostgreSQL is away a restart would not help. Orchestrators ask /health/ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between: SIGTERM reaches the service.
CMD ["node", "--max-semi-space-size=16", "--no-parallel-scavenge", "--v8-pool-size=0", \
  "--import", "./dist/scripts/prepare-node.js", "--import", "./dist/instrumentation.js", "dist/src/main.js"]
