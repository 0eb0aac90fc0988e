# The product: broker, collector and every command. `docker build -t tillwatch .`, then `docker run tillwatch start`.
FROM node:22.23.2-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle-agent.mjs scripts/
COPY protocol protocol
COPY backbone backbone
COPY broker broker
COPY watch watch
COPY collector collector
COPY agent agent
COPY simulator simulator
COPY dashboards dashboards
COPY cli cli
RUN npm run build && npm prune --omit=dev --ignore-scripts && chmod 755 dist/cli/main.js

FROM node:22.23.2-bookworm-slim
# Within a container others reach the API under its own address; what is published outside is for who runs it to say. So it is for MQTT
# with TILLWATCH_MQTTS_LISTEN, or TILLWATCH_MQTT_LISTEN and TILLWATCH_INSECURE_LISTEN.
ENV NODE_ENV=production \
    TILLWATCH_DATA_DIR=/data \
    TILLWATCH_HTTP_LISTEN=0.0.0.0:8080
# A new volume takes owner and mode from here, and a folder that others may write to is refused.
RUN install -d -m 700 -o node -g node /data && ln -s /app/dist/cli/main.js /usr/local/bin/tillwatch
WORKDIR /app
COPY package.json README.md LICENSE ./
COPY deploy/grafana deploy/grafana
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
USER node
VOLUME /data
EXPOSE 1883 8080
ENTRYPOINT ["tillwatch"]
CMD ["start"]
