# syntax=docker/dockerfile:1
FROM rust:1.95.0-slim-bookworm AS build
# The toolchain of the image as it is, without the components that rust-toolchain.toml asks for.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked -p polypost \
 && cp target/release/polypost /polypost

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data polypost \
 && install --directory --owner=polypost --mode=0700 /data
COPY --from=build /polypost /usr/local/bin/polypost
USER 10001
ENV POLYPOST_LISTEN=0.0.0.0:8080 \
    POLYPOST_DATA_DIR=/data \
    POLYPOST_SPOOL_DIR=/data/spool \
    POLYPOST_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["polypost", "health"]
# The gateway gets the signals itself and ends in order within its grace of 30 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["polypost"]
CMD ["serve"]
