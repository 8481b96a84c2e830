// The dashboard's files, embedded in the binary so that it needs none beside it.
#pragma once

/// How many there are.
extern long cdashboard_count(void);
/// Where the file of this index is served; ended by a zero byte, as all of these.
extern const char *cdashboard_path(long index);
/// Its media type.
extern const char *cdashboard_type(long index);
extern const char *cdashboard_body(long index);
