# The ledger as an image, one for every role:        docker build --tag compact-ledger .
# nats-server as docker-compose.yml runs it, not as root:  docker build --target nats --tag compact-ledger-nats .
#
# Building and running use the same Debian, so that the program finds the C library it was linked with.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --package compact-ledger \
    && install -D target/release/compact-ledger /out/compact-ledger

# The official image, and a directory for its streams: a new volume takes over the owner of what it covers.
FROM nats:2.12-alpine AS nats
RUN mkdir -m 0750 /data && chown 10001:10001 /data
USER 10001:10001

FROM debian:bookworm-slim AS ledger
RUN groupadd --gid 10001 ledger \
    && useradd --uid 10001 --gid ledger --no-create-home --home-dir /var/lib/compact-ledger \
        --shell /usr/sbin/nologin ledger \
    && install -d -o ledger -g ledger -m 0750 /var/lib/compact-ledger
COPY --from=build /out/compact-ledger /usr/local/bin/compact-ledger
COPY LICENSE /usr/share/doc/compact-ledger/LICENSE
USER 10001:10001
WORKDIR /var/lib/compact-ledger
EXPOSE 8080
ENTRYPOINT ["compact-ledger"]
CMD ["--help"]
