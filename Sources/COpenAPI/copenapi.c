#include "copenapi.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char control_plane[] = {
#embed "control-plane.json" suffix(, )
    0};
static const char data_plane[] = {
#embed "data-plane.json" suffix(, )
    0};

const char *copenapi_control_plane(void) { return control_plane; }
const char *copenapi_data_plane(void) { return data_plane; }
