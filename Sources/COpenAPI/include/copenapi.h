// The OpenAPI documents, embedded in the binary so that it needs no files beside it.
#pragma once

/// The control plane's document, ended by a zero byte.
extern const char *copenapi_control_plane(void);
/// The data plane's document, ended by a zero byte.
extern const char *copenapi_data_plane(void);
