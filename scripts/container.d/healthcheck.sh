#!/usr/bin/env bash
# --connect: the server answers by TCP, if only to refuse. --innodb_initialized: InnoDB says so.
set -euo pipefail

for test in "$@"; do
    case $test in
    --connect) mariadb-admin --no-defaults --host=127.0.0.1 --connect-timeout=3 ping > /dev/null 2>&1 ;;
    --innodb_initialized)
        [[ $(mariadb --no-defaults --skip-column-names --execute "SELECT 1 FROM information_schema.ENGINES
            WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT', 'ENABLED')") == 1 ]] ;;
    *) echo "healthcheck.sh: unknown test $test" >&2; exit 1 ;;
    esac
done
