/* Options whose values are sizes and times: functions of rows in option_table. */
#ifndef PLIMSOLL_CLI_OPTION_VALUES_H
#define PLIMSOLL_CLI_OPTION_VALUES_H

#include "cli/options.h"

struct error *set_cache_size(struct options *options, const char *value);
struct error *set_db_max_age(struct options *options, const char *value);
struct error *set_timeout(struct options *options, const char *value);

#endif
