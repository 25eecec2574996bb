/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of options, and how their values are parsed: see options.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum {
        TIMEOUT_MAX_S = 86400,
        INTERVAL_MAX_S = 86400,
        INITIATORS_MAX = 256,
};

static int refuse(const struct cli_option *option, const char *value, const char *wanted)
{
        message("invalid --%s '%s': %s", option->name, value, wanted);
        return CLI_SYNTAX;
}

static int parse_flag(const struct cli_option *option, const char *value, void *member)
{
        (void)option, (void)value;
        *(bool *)member = true;
        return 0;
}

static int parse_text(const struct cli_option *option, const char *value, void *member)
{
        if (value[0] == '\0')
                return refuse(option, value, "it is empty");
        *(const char **)member = value;
        return 0;
}

/* Digits without a prefix would be hexadecimal to sg_persist and decimal to others: they are refused. */
static int parse_key(const struct cli_option *option, const char *value, void *member)
{
        static const char wanted[] =
                "a key is hexadecimal with 0x in front and up to 16 digits, such as 0xa1, or 0";
        const char *digits = value + 2;

        if (strcmp(value, "0") == 0) {
                *(uint64_t *)member = 0;
                return 0;
        }
        if (value[0] != '0' || (value[1] != 'x' && value[1] != 'X') || digits[0] == '\0' ||
            strspn(digits, "0123456789abcdefABCDEF") != strlen(digits) || strlen(digits) > 16)
                return refuse(option, value, wanted);
        *(uint64_t *)member = strtoull(digits, NULL, 16);
        return 0;
}

/* To move, 0 is not the same as none. */
static int parse_new_key(const struct cli_option *option, const char *value, void *member)
{
        struct options *options = (struct options *)((char *)member - offsetof(struct options, new_key));

        options->new_key_given = true;
        return parse_key(option, value, member);
}

static int parse_type(const struct cli_option *option, const char *value, void *member)
{
        enum prm_type type;

        if (prm_type_parse(value, &type) < 0 || type == PRM_NONE)
                return refuse(option, value,
                              "a type is write-exclusive (WE, 1), exclusive-access (EA, 3), "
                              "write-exclusive-registrants-only (WERO, 5), "
                              "exclusive-access-registrants-only (EARO, 6), "
                              "write-exclusive-all-registrants (WEAR, 7) or "
                              "exclusive-access-all-registrants (EAAR, 8)");
        *(unsigned *)member = type;
        return 0;
}

static int parse_number(const struct cli_option *option, const char *value, unsigned min,
                        unsigned max, const char *wanted, void *member)
{
        size_t digits = strspn(value, "0123456789");

        if (digits == 0 || digits > 9 || value[digits] != '\0')
                return refuse(option, value, wanted);
        unsigned long number = strtoul(value, NULL, 10);
        if (number < min || number > max)
                return refuse(option, value, wanted);
        *(unsigned *)member = (unsigned)number;
        return 0;
}

static int parse_timeout(const struct cli_option *option, const char *value, void *member)
{
        return parse_number(option, value, 1, TIMEOUT_MAX_S, "whole seconds from 1 to 86400", member);
}

static int parse_interval(const struct cli_option *option, const char *value, void *member)
{
        return parse_number(option, value, 1, INTERVAL_MAX_S, "whole seconds from 1 to 86400", member);
}

static int parse_port(const struct cli_option *option, const char *value, void *member)
{
        return parse_number(option, value, 0, UINT16_MAX,
                            "a relative target port identifier, 0 to 65535", member);
}

/* Whatever has no other prefix would be an iSCSI name to the library; a typing error is none. */
static bool is_port(const char *text, struct prm_transport_id *ret_id)
{
        if (prm_transport_id_parse(text, ret_id) < 0)
                return false;
        return ret_id->protocol != PRM_PROTOCOL_ISCSI || strncmp(text, "iqn.", 4) == 0 ||
               strncmp(text, "eui.", 4) == 0 || strncmp(text, "naa.", 4) == 0;
}

static int parse_initiator(const struct cli_option *option, const char *value, void *member)
{
        struct options *options =
                (struct options *)((char *)member - offsetof(struct options, initiators));
        struct prm_transport_id id;

        if (!is_port(value, &id))
                return refuse(option, value,
                              "an initiator port is like iqn.2000-01.org.example:a, "
                              "iqn.2000-01.org.example:a,i,0x00023d000001, fc:0x2100001b32000001 or "
                              "sas:0x5000c50000000001");
        if (options->initiator_count == INITIATORS_MAX)
                return refuse(option, value, "there are too many");
        options->initiators = need_memory(realloc(
                options->initiators, (options->initiator_count + 1) * sizeof *options->initiators));
        options->initiators[options->initiator_count++] = id;
        return 0;
}

#define MEMBER(name) offsetof(struct options, name)
#define FOR(command) (1u << COMMAND_##command)
#define ALL ((uint32_t)EVERY_COMMAND)
#define WITH_TABLE (FOR(SHOW) | FOR(STATUS) | FOR(READ_KEYS) | FOR(READ_FULL_STATUS))
#define WITH_KEY (FOR(RESERVE) | FOR(RELEASE) | FOR(CLEAR) | FOR(PREEMPT) | FOR(MOVE) | FOR(REGISTER_AND_MOVE))
#define WITH_TYPE (FOR(RESERVE) | FOR(RELEASE) | FOR(PREEMPT))
#define WITH_NEW_KEY (FOR(REGISTER) | FOR(REGISTER_AND_MOVE))
#define WITH_DEVICE (ALL & ~FOR(STATUS))

const struct cli_option cli_options[] = {
        { "key", '\0', "KEY", VALUE_ANY,
          "the key with which this nexus is registered (0xa1);\n"
          "move: the key of the registration to take over", parse_key, MEMBER(key),
          WITH_KEY | FOR(REGISTER), WITH_KEY },
        { "new-key", '\0', "KEY", VALUE_ANY,
          "the key to register; register: 0 unregisters;\n"
          "move: the same key unless given", parse_new_key, MEMBER(new_key),
          WITH_NEW_KEY | FOR(MOVE), WITH_NEW_KEY },
        { "victim", '\0', "KEY", VALUE_ANY,
          "the key whose registrations are removed; 0: all\n"
          "others, with a reservation for all registrants", parse_key, MEMBER(victim),
          FOR(PREEMPT), FOR(PREEMPT) },
        { "type", '\0', "TYPE", VALUE_TYPE,
          "type of the reservation: write-exclusive (WE, 1),\n"
          "exclusive-access (EA, 3),\n"
          "write-exclusive-registrants-only (WERO, 5),\n"
          "exclusive-access-registrants-only (EARO, 6),\n"
          "write-exclusive-all-registrants (WEAR, 7),\n"
          "exclusive-access-all-registrants (EAAR, 8)", parse_type, MEMBER(type),
          WITH_TYPE, WITH_TYPE },
        { "ignore-existing", '\0', NULL, VALUE_ANY,
          "whatever key this nexus is registered with", parse_flag, MEMBER(ignore_existing),
          FOR(REGISTER), 0 },
        { "aptpl", '\0', NULL, VALUE_ANY,
          "keep all registrations through a loss of power;\n"
          "without it they are no longer kept", parse_flag, MEMBER(aptpl),
          FOR(REGISTER) | FOR(MOVE) | FOR(REGISTER_AND_MOVE), 0 },
        { "all-target-ports", '\0', NULL, VALUE_ANY,
          "register through all target ports", parse_flag, MEMBER(all_target_ports),
          FOR(REGISTER) | FOR(MOVE), 0 },
        { "initiator", '\0', "PORT", VALUE_ANY,
          "an initiator port, as show has it; register: register\n"
          "it too, may be given many times", parse_initiator, MEMBER(initiators),
          FOR(REGISTER) | FOR(REGISTER_AND_MOVE), FOR(REGISTER_AND_MOVE), FOR(REGISTER) },
        { "target-port", '\0', "NUMBER", VALUE_ANY,
          "relative identifier of the target port that it uses", parse_port,
          MEMBER(target_port), FOR(REGISTER_AND_MOVE), FOR(REGISTER_AND_MOVE) },
        { "unregister", '\0', NULL, VALUE_ANY,
          "unregister this nexus in the same step", parse_flag, MEMBER(unregister),
          FOR(REGISTER_AND_MOVE), 0 },
        { "abort", '\0', NULL, VALUE_ANY,
          "abort the commands of those who are removed", parse_flag, MEMBER(abort),
          FOR(PREEMPT) | FOR(MOVE), 0 },
        { "yes", 'y', NULL, VALUE_ANY,
          "do not ask before other registrations are removed", parse_flag, MEMBER(yes),
          FOR(CLEAR) | FOR(PREEMPT) | FOR(MOVE) | FOR(RAW), 0 },
        { "interval", '\0', "SECONDS", VALUE_ANY,
          "time between two looks at the device (default 5)", parse_interval, MEMBER(interval_s),
          FOR(WATCH), 0 },
        { "status-socket", '\0', "PATH", VALUE_PATH,
          "the socket of qemu-pr-helper --status-socket=PATH\n(default " DEFAULT_STATUS_SOCKET ")", parse_text,
          MEMBER(status_socket), FOR(STATUS), 0 },
        { "table", '\0', "NAME", VALUE_TABLE,
          "only this table: warnings, clients, devices, commands\n"
          "(those in flight) or latency", parse_text, MEMBER(table), FOR(STATUS), 0 },
        { "prometheus", '\0', NULL, VALUE_ANY,
          "metrics in the text format of Prometheus", parse_flag, MEMBER(prometheus), FOR(STATUS), 0 },
        { "output", 'o', "COLUMNS", VALUE_COLUMNS,
          "the columns of the table, separated by commas;\n"
          "nothing but the table is shown", parse_text, MEMBER(output),
          WITH_TABLE, 0 },
        { "noheadings", 'n', NULL, VALUE_ANY,
          "no headings; nothing but the table is shown", parse_flag, MEMBER(no_headings),
          WITH_TABLE, 0 },
        { "sysfs", '\0', "DIRECTORY", VALUE_PATH,
          "where sysfs is mounted (default /sys)", parse_text, MEMBER(sysfs),
          FOR(SHOW) | FOR(READ_FULL_STATUS), 0 },
        { "helper", '\0', "SOCKET", VALUE_PATH,
          "socket of the qemu-pr-helper that sends the commands\n"
          "(default $" HELPER_VARIABLE " or\n" DEFAULT_HELPER ")", parse_text,
          MEMBER(helper_given), WITH_DEVICE, 0 },
        { "direct", '\0', NULL, VALUE_ANY,
          "send the commands without a helper; needs root", parse_flag, MEMBER(direct),
          WITH_DEVICE, 0 },
        { "allow-stacked", '\0', NULL, VALUE_ANY,
          "serve partitions and device-mapper volumes too,\n"
          "with --direct; their reservations hold all of the disk", parse_flag, MEMBER(allow_stacked),
          WITH_DEVICE, 0 },
        { "timeout", '\0', "SECONDS", VALUE_ANY,
          "time for a command (default 60, with --direct 30)", parse_timeout, MEMBER(timeout_s),
          WITH_DEVICE, 0 },
        { "json", '\0', NULL, VALUE_ANY, "JSON instead of tables", parse_flag, MEMBER(json), ALL, 0 },
        { "completions", '\0', "SHELL", VALUE_SHELL,
          "print the completions of bash, zsh or fish and exit", parse_text, MEMBER(completions),
          ALL, 0 },
        { "help", 'h', NULL, VALUE_ANY, "show this help, or that of a command, and exit", parse_flag,
          MEMBER(help), ALL, 0 },
        { "version", 'V', NULL, VALUE_ANY, "show the version and exit", parse_flag, MEMBER(version),
          ALL, 0 },
        { 0 },
};

bool option_is_for(const struct cli_option *option, size_t index)
{
        return option->takes >> index & 1;
}

bool command_has_columns(const struct command *command)
{
        return WITH_TABLE >> (command - commands) & 1;
}
