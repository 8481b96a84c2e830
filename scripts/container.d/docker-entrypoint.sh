#!/usr/bin/env bash
# MARIADB_DATABASE, MARIADB_USER, MARIADB_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD as the published image reads them, at the first start.
set -euo pipefail

data=/var/lib/mysql
if [[ ! -d $data/mysql ]]; then
    : "${MARIADB_RANDOM_ROOT_PASSWORD:?this stand-in makes no other root}" "${MARIADB_DATABASE:?}" "${MARIADB_USER:?}" "${MARIADB_PASSWORD:?}"
    chown mysql:mysql $data
    mariadb-install-db --user=mysql --datadir=$data --skip-test-db > /dev/null
    quoted=${MARIADB_PASSWORD//\\/\\\\}
    install -o mysql -m 600 /dev/stdin $data/first.sql <<END
CREATE DATABASE \`$MARIADB_DATABASE\`;
CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '${quoted//\'/\'\'}';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
CREATE USER healthcheck@localhost IDENTIFIED VIA unix_socket;
END
    first=(--init-file=$data/first.sql)
fi
exec "$@" --user=mysql "${first[@]}"
