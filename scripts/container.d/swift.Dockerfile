# Stands in for the published image of the same name: Debian, what the compiler needs of it, and this machine's toolchain. The context is
# the toolchain's folder.
ARG DEBIAN
FROM debian:${DEBIAN}-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends binutils ca-certificates git gcc libc6-dev libcurl4-openssl-dev libedit2 libncurses-dev \
        libsqlite3-0 libstdc++-12-dev libxml2-dev pkg-config tzdata zlib1g-dev && \
    rm -rf /var/lib/apt/lists/*
COPY . /usr/
CMD ["bash"]
