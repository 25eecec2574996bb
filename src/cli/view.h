/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How results are shown. A command makes a JSON document of what it found; its
 * view says which members are lines for people, and which lists are tables.
 *
 * With --json the document is printed instead, so that both say the same.
 * Tables and the lines above them are libsmartcols'; it shows what would not
 * print as \xNN.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/json.h"

struct options;

/** Make text of a value that is not null. */
typedef void (*format_value)(const json_t *value, char *ret_text, size_t size);

/** "Generation: 2" */
struct field {
        const char *label;  /**< NULL ends the list */
        const char *member; /**< of the document; inner ones are reached by dots: "limits.clients" */
        format_value format; /**< or NULL: as it is */
        const char *none;    /**< where it is null or missing; NULL: there is no line then */
};

enum column_flags {
        COLUMN_RIGHT = 1 << 0, /**< to the right: numbers */
        COLUMN_WRAP = 1 << 1,  /**< goes on below where the terminal is too narrow */
        COLUMN_FOLD = 1 << 2,  /**< the same between words; of a table's only column */
};

struct column {
        const char *name;   /**< heading, and what --output calls it; NULL ends the list */
        const char *member; /**< of the row */
        unsigned flags;
        format_value format; /**< or NULL: as it is */
        const char *none;    /**< where it is null or missing; NULL: "-" */
};

struct table {
        const char *name;             /**< member of the document: an array of objects; NULL ends the list */
        const struct column *columns;
        const char *title;            /**< a line above it, or NULL */
        const char *none;             /**< the line in its place where it is empty, or NULL */
        bool (*strong)(const json_t *row); /**< rows that stand out on a terminal, or NULL */
};

struct view {
        const struct field *fields; /**< or NULL */
        const struct table *tables; /**< or NULL */
};

/** Whether --table and --output name what there is. @return 0, or CLI_SYNTAX after a message */
int view_check(const struct view *view, const struct options *options);

/**
 * Print a document by its view to stdout, as JSON with --json. Its "notes", an array of strings,
 * go to stderr as "note: ...".
 * @param document consumed
 * @return 0, or CLI_FILE after a message where the output could not be written
 */
int view_print(const struct view *view, const struct options *options, json_t *document);

/** The text form alone. */
void view_write(const struct view *view, const struct options *options, const json_t *document,
                FILE *to);

/** Notes, an array of strings or NULL, to stderr. */
void notes_print(const json_t *notes);

/**
 * JSON text, and a newline where it ends without. What is not printable ASCII can be in strings only,
 * and becomes their escape: it is the same JSON, and nothing that a terminal obeys.
 * @param text valid JSON, thus valid UTF-8
 */
void put_json(const char *text, FILE *to);

/** The member that `path` leads to, or NULL. */
json_t *view_member(const json_t *document, const char *path);
