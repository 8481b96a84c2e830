#include "cdashboard.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char index_html[] = {
#embed "files/index.html" suffix(, )
    0};
static const char style_css[] = {
#embed "files/style.css" suffix(, )
    0};
static const char api_js[] = {
#embed "files/api.js" suffix(, )
    0};
static const char app_js[] = {
#embed "files/app.js" suffix(, )
    0};
static const char chart_js[] = {
#embed "files/chart.js" suffix(, )
    0};
static const char dom_js[] = {
#embed "files/dom.js" suffix(, )
    0};
static const char editor_js[] = {
#embed "files/editor.js" suffix(, )
    0};
static const char explain_js[] = {
#embed "files/explain.js" suffix(, )
    0};
static const char fleet_js[] = {
#embed "files/fleet.js" suffix(, )
    0};
static const char revisions_js[] = {
#embed "files/revisions.js" suffix(, )
    0};
static const char steering_js[] = {
#embed "files/steering.js" suffix(, )
    0};
static const char targets_js[] = {
#embed "files/targets.js" suffix(, )
    0};

#define SCRIPT "text/javascript; charset=utf-8"

static const struct {
    const char *path, *type, *body;
} files[] = {
    {"/", "text/html; charset=utf-8", index_html},
    {"/dashboard/style.css", "text/css; charset=utf-8", style_css},
    {"/dashboard/api.js", SCRIPT, api_js},
    {"/dashboard/app.js", SCRIPT, app_js},
    {"/dashboard/chart.js", SCRIPT, chart_js},
    {"/dashboard/dom.js", SCRIPT, dom_js},
    {"/dashboard/editor.js", SCRIPT, editor_js},
    {"/dashboard/explain.js", SCRIPT, explain_js},
    {"/dashboard/fleet.js", SCRIPT, fleet_js},
    {"/dashboard/revisions.js", SCRIPT, revisions_js},
    {"/dashboard/steering.js", SCRIPT, steering_js},
    {"/dashboard/targets.js", SCRIPT, targets_js},
};

long cdashboard_count(void) { return sizeof files / sizeof files[0]; }
const char *cdashboard_path(long index) { return files[index].path; }
const char *cdashboard_type(long index) { return files[index].type; }
const char *cdashboard_body(long index) { return files[index].body; }
