/* SPDX-License-Identifier: BSD-2-Clause */
/* Views of JSON documents: see view.h. */
#include "cli/view.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/fold.h"
#include "cli/options.h"

enum {
        CELL_SIZE = 1024,
        COLUMNS_MAX = 32,
        FOLD_MIN = 20, /* a terminal that leaves less is not worth it */
};

/* A table's columns in the order to print. */
struct selection {
        const struct column *columns[COLUMNS_MAX];
        size_t count;
};

static const struct column *find_column(const struct table *table, const char *name, size_t length)
{
        for (const struct column *c = table->columns; c->name; c++)
                if (strlen(c->name) == length && strncasecmp(c->name, name, length) == 0)
                        return c;
        return NULL;
}

/* @return 0, or the length of the name at *ret_unknown that is no column */
static size_t select_columns(const struct table *table, const char *names,
                             struct selection *ret_selection, const char **ret_unknown)
{
        ret_selection->count = 0;
        if (!names) {
                for (const struct column *c = table->columns; c->name; c++)
                        ret_selection->columns[ret_selection->count++] = c;
                return 0;
        }
        for (const char *at = names;; at++) {
                size_t length = strcspn(at, ",");
                const struct column *column = find_column(table, at, length);
                if (!column || ret_selection->count == COLUMNS_MAX) {
                        *ret_unknown = at;
                        return length > 0 ? length : 1;
                }
                ret_selection->columns[ret_selection->count++] = column;
                at += length;
                if (*at == '\0')
                        return 0;
        }
}

static const struct table *find_table(const struct view *view, const char *name)
{
        for (const struct table *t = view->tables; t && t->name; t++)
                if (!name || strcmp(t->name, name) == 0)
                        return t;
        return NULL;
}

int view_check(const struct view *view, const struct options *options)
{
        const struct table *table = find_table(view, options->table);
        struct selection selection;
        const char *unknown;

        if (!view->tables)
                return 0;
        if (!table) {
                message("there is no table '%s': try `" CLI_NAME " %s --help'", options->table,
                        options->command->name);
                return CLI_SYNTAX;
        }
        if ((options->output || options->no_headings) && !options->table && table[1].name) {
                message("which table? Give --table=NAME with --output and --noheadings");
                return CLI_SYNTAX;
        }
        size_t length = select_columns(table, options->output, &selection, &unknown);
        if (length == 0)
                return 0;

        char names[CELL_SIZE] = "";
        for (const struct column *c = table->columns; c->name; c++)
                snprintf(names + strlen(names), sizeof names - strlen(names), " %s", c->name);
        message("there is no column '%.*s'; there are%s", (int)length, unknown, names);
        return CLI_SYNTAX;
}

json_t *view_member(const json_t *document, const char *path)
{
        const json_t *at = document;

        while (at) {
                size_t length = strcspn(path, ".");
                char name[64];
                snprintf(name, sizeof name, "%.*s", (int)length, path);
                json_t *found = json_object_get(at, name);
                if (path[length] == '\0')
                        return json_is_null(found) ? NULL : found;
                at = found;
                path += length + 1;
        }
        return NULL;
}

static void format(format_value as, const json_t *value, const char *none, char *ret_text, size_t size)
{
        if (!value || (json_is_string(value) && json_string_length(value) == 0))
                snprintf(ret_text, size, "%s", none ? none : "-");
        else if (as)
                as(value, ret_text, size);
        else if (json_is_string(value))
                snprintf(ret_text, size, "%s", json_string_value(value));
        else if (json_is_integer(value))
                snprintf(ret_text, size, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value))
                snprintf(ret_text, size, "%.6g", json_real_value(value));
        else
                snprintf(ret_text, size, "%s", json_is_true(value)    ? "yes"
                                               : json_is_false(value) ? "no"
                                                                      : "?");
}

static struct libscols_table *new_table(FILE *to, const struct options *options)
{
        struct libscols_table *table = need_memory(scols_new_table());

        scols_table_set_stream(table, to);
        scols_table_enable_noheadings(table, options->no_headings);
        scols_table_enable_colors(table, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
        return table;
}

/* A column of text in lines, as fold() makes them. */
static struct libscols_column *new_text_column(struct libscols_table *table, const char *name)
{
        struct libscols_column *column = need_memory(scols_table_new_column(table, name, 0, SCOLS_FL_WRAP));

        (void)scols_column_set_safechars(column, "\n");
        (void)scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        return column;
}

/* Fold a text to what the terminal has beside `taken` columns; elsewhere lines are as long as they are. */
static void fold_cell(struct libscols_table *table, size_t taken, char text[static CELL_SIZE])
{
        char lines[CELL_SIZE];
        size_t width = scols_table_get_termwidth(table);

        if (!isatty(STDOUT_FILENO) || width <= taken + FOLD_MIN)
                return;
        fold(text, width - taken, lines, sizeof lines);
        memcpy(text, lines, sizeof lines);
}

static void end_table(struct libscols_table *table)
{
        (void)scols_print_table(table);
        scols_unref_table(table);
}

static void add_cell(struct libscols_line *line, size_t column, const char *text)
{
        need_memory(scols_line_set_data(line, column, text) == 0 ? line : NULL);
}

/* The fields above the tables. @return how many there were */
static size_t write_fields(const struct field *fields, const struct options *options,
                           const json_t *document, FILE *to)
{
        struct libscols_table *table = new_table(to, options);
        size_t count = 0, label_width = 0;

        scols_table_enable_noheadings(table, 1);
        need_memory(scols_table_new_column(table, "LABEL", 0, 0));
        (void)new_text_column(table, "VALUE");
        for (const struct field *f = fields; f && f->label; f++)
                if (strlen(f->label) > label_width)
                        label_width = strlen(f->label);
        for (const struct field *f = fields; f && f->label; f++) {
                const json_t *value = view_member(document, f->member);
                char label[64], text[CELL_SIZE];
                if (!value && !f->none)
                        continue;
                struct libscols_line *line = need_memory(scols_table_new_line(table, NULL));
                snprintf(label, sizeof label, "%s:", f->label);
                format(f->format, value, f->none, text, sizeof text);
                fold_cell(table, label_width + 2, text);
                add_cell(line, 0, label);
                add_cell(line, 1, text);
                count++;
        }
        end_table(table);
        return count;
}

static void write_rows(const struct table *table, const struct selection *selection,
                       const struct options *options, const json_t *rows, FILE *to)
{
        struct libscols_table *out = new_table(to, options);
        json_t *row;

        for (size_t i = 0; i < selection->count; i++) {
                const struct column *c = selection->columns[i];
                int flags = (c->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
                            (c->flags & COLUMN_WRAP ? SCOLS_FL_WRAP : 0);
                if (c->flags & COLUMN_FOLD)
                        (void)new_text_column(out, c->name);
                else
                        need_memory(scols_table_new_column(out, c->name, 0, flags));
        }
        for_each(row, rows) {
                struct libscols_line *line = need_memory(scols_table_new_line(out, NULL));
                for (size_t i = 0; i < selection->count; i++) {
                        const struct column *c = selection->columns[i];
                        char text[CELL_SIZE];
                        format(c->format, view_member(row, c->member), c->none, text, sizeof text);
                        if (c->flags & COLUMN_FOLD)
                                fold_cell(out, 0, text);
                        add_cell(line, i, text);
                }
                if (table->strong && table->strong(row))
                        (void)scols_line_set_color(line, "bold");
        }
        end_table(out);
}

void view_write(const struct view *view, const struct options *options, const json_t *document,
                FILE *to)
{
        bool bare = options->output || options->no_headings || options->table;
        size_t parts = bare ? 0 : write_fields(view->fields, options, document, to);

        for (const struct table *t = view->tables; t && t->name; t++) {
                const json_t *rows = json_object_get(document, t->name);
                struct selection selection;
                const char *unknown;
                if (!rows || (options->table && strcmp(options->table, t->name) != 0))
                        continue;
                bool empty = json_array_size(rows) == 0;
                if (empty && (bare || !t->none))
                        continue;
                if (parts++ > 0)
                        fputc('\n', to);
                if (!bare && !empty && t->title)
                        fprintf(to, "%s\n", t->title);
                if (empty)
                        fprintf(to, "%s\n", t->none);
                else if (select_columns(t, options->output, &selection, &unknown) == 0)
                        write_rows(t, &selection, options, rows, to);
        }
}

/* Leave in the rows what --output names. */
static void filter_rows(const struct view *view, const struct options *options, json_t *document)
{
        const struct table *table = find_table(view, options->table);
        struct selection selection;
        const char *unknown;
        json_t *row;

        if (!options->output || !table ||
            select_columns(table, options->output, &selection, &unknown) != 0)
                return;
        json_t *rows = json_object_get(document, table->name);
        for_each(row, rows) {
                json_t *less = need_memory(json_object());
                for (size_t i = 0; i < selection.count; i++) {
                        const char *member = selection.columns[i]->member;
                        json_object_set(less, member, json_object_get(row, member));
                }
                json_array_set_new(rows, row_index, less);
        }
}

void notes_print(const json_t *notes)
{
        json_t *note;

        for_each(note, notes)
                message("note: %s", json_string_value(note));
}

/* Leave in the document the one table that was asked for. */
static void filter_tables(const struct options *options, json_t *document)
{
        json_t *table = json_incref(json_object_get(document, options->table));

        json_object_clear(document);
        json_object_set_new(document, options->table, table);
}

/* The code point that begins at *at, which goes behind it. */
static unsigned long next_point(const unsigned char **at)
{
        unsigned char first = *(*at)++;
        unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        unsigned long point = more == 0 ? first : first & (0x3fu >> more);

        for (; more > 0 && **at; more--)
                point = point << 6 | (*(*at)++ & 0x3f);
        return point;
}

void put_json(const char *text, FILE *to)
{
        const unsigned char *at = (const unsigned char *)text;
        unsigned long point = '\n';

        while (*at) {
                point = next_point(&at);
                if (point < 0x7f)
                        fputc((int)point, to);
                else if (point < 0x10000)
                        fprintf(to, "\\u%04lx", point);
                else
                        fprintf(to, "\\u%04lx\\u%04lx", 0xd800 + ((point - 0x10000) >> 10),
                                0xdc00 + ((point - 0x10000) & 0x3ff));
        }
        if (point != '\n')
                fputc('\n', to);
}

static void print_json(const json_t *document)
{
        char *text = need_memory(json_dumps(document, JSON_INDENT(3) | JSON_PRESERVE_ORDER));

        put_json(text, stdout);
        free(text);
}

int view_print(const struct view *view, const struct options *options, json_t *document)
{
        if (options->json) {
                if (options->table)
                        filter_tables(options, document);
                filter_rows(view, options, document);
                print_json(document);
        } else {
                view_write(view, options, document, stdout);
        }
        int status = flush_output();
        if (!options->json)
                notes_print(json_object_get(document, "notes"));
        json_decref(document);
        return status;
}
