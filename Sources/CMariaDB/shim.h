// libmariadb's C API as Debian ships it (LGPL-2.1+, linked dynamically): <https://mariadb.com/kb/en/mariadb-connector-c/>.
#pragma once
#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>
