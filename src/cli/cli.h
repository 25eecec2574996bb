/* SPDX-License-Identifier: BSD-2-Clause */
/* What all of pr-manager shares: exit statuses, messages, and the way out when memory is gone. */
#pragma once

#include <stdio.h>

/** Exit statuses, as sg3_utils(8) numbers them. */
enum cli_exit {
        CLI_GOOD = 0,
        CLI_SYNTAX = 1,          /**< the command line, or the user at the question, says no */
        CLI_NOT_READY = 2,
        CLI_MEDIUM = 3,          /**< medium or hardware error */
        CLI_ILLEGAL = 5,         /**< ILLEGAL REQUEST, but for the following */
        CLI_ATTENTION = 6,       /**< unit attention: the command was not carried out */
        CLI_PROTECT = 7,
        CLI_INVALID_OPCODE = 9,
        CLI_COPY_ABORTED = 10,
        CLI_ABORTED = 11,
        CLI_MISCOMPARE = 14,
        CLI_FILE = 15,           /**< the device, the socket or the output cannot be opened or used */
        CLI_NO_SENSE = 20,
        CLI_RECOVERED = 21,
        CLI_CONFLICT = 24,
        CLI_CONDITION_MET = 25,
        CLI_BUSY = 26,
        CLI_TASK_SET_FULL = 27,
        CLI_ACA_ACTIVE = 28,
        CLI_TASK_ABORTED = 29,
        CLI_TIMEOUT = 33,
        CLI_PROTECTION = 40,     /**< ABORTED COMMAND, protection information */
        CLI_ERRNO = 50,          /**< and the errno above it, where that is less than 47 */
        CLI_MALFORMED = 97,      /**< an answer that contradicts the standard or the protocol */
        CLI_OTHER_SENSE = 98,
        CLI_OTHER = 99,          /**< transport errors, and whatever is none of these */
};

#define CLI_NAME "pr-manager"

/** Text from elsewhere: what is not printable ASCII becomes \xNN. */
void put_text(const char *text, FILE *to);

/** A line to stderr, after the program's name, as put_text() does it. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Memory that was asked for: `pointer` where there was some, else the end of the program. */
void *need_memory(void *pointer);

/** Describe the owner of a file: "root:kvm". Numbers where there are no names. */
void format_owner(unsigned user, unsigned group, char *ret_text, size_t size);

/**
 * @return CLI_GOOD, or CLI_FILE where stdout did not take all that was printed: after a message,
 *         unless all that is wrong is that nobody reads it any more
 */
int flush_output(void);
