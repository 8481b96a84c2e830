# Stands in for the published image of the same name: Debian's MariaDB with the two programs of that image that the compose file relies on.
ARG DEBIAN
FROM debian:${DEBIAN}-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends mariadb-server && \
    rm -rf /var/lib/apt/lists/* /var/lib/mysql && \
    install -d -o mysql -g mysql /var/lib/mysql /run/mysqld && \
    printf '[mariadb]\nhost-cache-size = 0\nskip-name-resolve\nbind-address = 0.0.0.0\n' > /etc/mysql/mariadb.conf.d/90-container.cnf
COPY docker-entrypoint.sh healthcheck.sh /usr/local/bin/
VOLUME /var/lib/mysql
EXPOSE 3306
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mariadbd"]
