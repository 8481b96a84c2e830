# Stands in for the published image of the same name: Debian, what the compiler needs of it, and this machine's toolchain. The context is
# the toolchain's folder.
ARG DEBIAN
FROM debian:${DEBIAN}-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends binutils ca-certificates git gcc libc6-dev libcurl4-openssl-dev libedit2 libncurses-dev \
        libsqlite3-0 libstdc++-12-dev libxml2-dev pkg-config tzdata zlib1g-dev && \
    rm -rf /var/lib/apt/lists/*
COPY . /usr/
# Whom this machine trusts the build trusts too: its mirrors may have a certificate of their own. The image that is built does not.
RUN find /machine-authorities -name '*.crt' -exec cp -t /usr/local/share/ca-certificates {} + && update-ca-certificates
CMD ["bash"]
