// libmaxminddb's C API as Debian ships it (Apache-2.0, linked dynamically): <https://github.com/maxmind/libmaxminddb>.
#pragma once
#include <maxminddb.h>
