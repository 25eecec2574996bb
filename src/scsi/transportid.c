/* SPDX-License-Identifier: BSD-2-Clause */
/* TransportIDs, bytes to types and back: see transportid.h. */
#include "scsi/transportid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
        FORMAT_DEVICE = 0x00, /* FORMAT CODE 00b, in place in byte 0 */
        FORMAT_PORT = 0x40,   /* 01b, iSCSI only */
        ISID_SIZE = 6,
};

static const char separator[] = ",i,0x"; /* between iSCSI name and ISID (SPC-4 table 506) */

/* Where the identifier is in the TransportIDs of fixed size (SPC-4 tables 500 to 508). */
static const struct layout {
        uint8_t protocol, offset, size;
        const char *prefix;
} layouts[] = {
        { TRANSPORTID_FCP, 8, 8, "fc" },
        { TRANSPORTID_SPI, 2, 6, "spi" }, /* SCSI ADDRESS, two obsolete bytes, RELATIVE TARGET PORT IDENTIFIER */
        { TRANSPORTID_SBP, 8, 8, "sbp" },
        { TRANSPORTID_SRP, 8, 16, "srp" },
        { TRANSPORTID_SAS, 4, 8, "sas" },
        { TRANSPORTID_SOP, 2, 2, "sop" },
};

static const struct layout *layout_of(uint8_t protocol)
{
        for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
                if (layouts[i].protocol == protocol)
                        return &layouts[i];
        return NULL;
}

/* RFC 7143 4.2.7: no comma, no white space, nothing that moves a cursor. UTF-8 passes. */
static int name_set(struct transportid *id, const uint8_t *name, size_t length)
{
        if (length == 0 || length > TRANSPORTID_NAME_MAX)
                return -EINVAL;
        for (size_t i = 0; i < length; i++)
                if (name[i] <= ' ' || name[i] == ',' || name[i] == 0x7f)
                        return -EINVAL;
        memcpy(id->name, name, length);
        return 0;
}

static int digit_of(uint8_t c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Up to twelve hexadecimal digits of either case; fewer are a number with leading zeros left out. */
static int isid_set(struct transportid *id, const uint8_t *digits, size_t count)
{
        uint64_t isid = 0;

        if (count == 0 || count > 2 * ISID_SIZE)
                return -EINVAL;
        for (size_t i = 0; i < count; i++) {
                int digit = digit_of(digits[i]);
                if (digit < 0)
                        return -EINVAL;
                isid = isid << 4 | (uint64_t)digit;
        }
        for (size_t i = 0; i < ISID_SIZE; i++)
                id->id[i] = (uint8_t)(isid >> (8 * (ISID_SIZE - 1 - i)));
        id->has_isid = true;
        return 0;
}

/* The first NUL ends the text, without regard for ADDITIONAL LENGTH (SPC-4 7.6.4.6). */
static int iscsi_parse(struct reader *r, uint8_t format, struct transportid *id)
{
        (void)read_u8(r);
        size_t size = read_be16(r);
        const uint8_t *text = read_bytes(r, size);

        if (!text || size + 4 < TRANSPORTID_SIZE_MIN || size % 4 != 0)
                return -EINVAL;

        const uint8_t *end = memchr(text, '\0', size);
        if (!end)
                return -EINVAL;
        size_t length = (size_t)(end - text);

        if (format == FORMAT_DEVICE)
                return name_set(id, text, length);

        const uint8_t *comma = memchr(text, ',', length);
        if (!comma)
                return -EINVAL;
        const uint8_t *isid = comma + strlen(separator);
        if (isid > end || memcmp(comma, separator, strlen(separator)) != 0)
                return -EINVAL;
        int r_name = name_set(id, text, (size_t)(comma - text));
        return r_name < 0 ? r_name : isid_set(id, isid, (size_t)(end - isid));
}

static int fixed_parse(struct reader *r, struct transportid *id)
{
        const struct layout *layout = layout_of(id->protocol);
        const uint8_t *rest = read_bytes(r, TRANSPORTID_SIZE_MIN - 1);

        if (!layout || !rest)
                return -EINVAL;
        memcpy(id->id, rest + layout->offset - 1, layout->size);
        if (id->protocol == TRANSPORTID_SPI)
                memset(id->id + 2, 0, 2);
        return 0;
}

int transportid_parse(struct reader *r, struct transportid *ret_id)
{
        uint8_t first = read_u8(r);
        uint8_t format = first & 0xc0;
        struct transportid id = { .protocol = first & 0x0f };
        bool iscsi = id.protocol == TRANSPORTID_ISCSI;

        if (r->failed || (format != FORMAT_DEVICE && !(iscsi && format == FORMAT_PORT)))
                return -EINVAL;

        int parsed = iscsi ? iscsi_parse(r, format, &id) : fixed_parse(r, &id);
        if (parsed == 0)
                *ret_id = id;
        return parsed;
}

static void iscsi_encode(const struct transportid *id, struct writer *w)
{
        char text[TRANSPORTID_SIZE_MAX] = { 0 };
        int length = snprintf(text, sizeof text, "%s", id->name);

        if (id->has_isid)
                length += snprintf(text + length, sizeof text - (size_t)length,
                                   "%s%02x%02x%02x%02x%02x%02x", separator, id->id[0], id->id[1],
                                   id->id[2], id->id[3], id->id[4], id->id[5]);

        size_t size = ((size_t)length + 1 + 3) / 4 * 4;
        if (size < TRANSPORTID_SIZE_MIN - 4)
                size = TRANSPORTID_SIZE_MIN - 4;
        write_u8(w, (id->has_isid ? FORMAT_PORT : FORMAT_DEVICE) | TRANSPORTID_ISCSI);
        write_u8(w, 0);
        write_be16(w, (uint16_t)size);
        write_bytes(w, text, size);
}

void transportid_encode(const struct transportid *id, struct writer *w)
{
        const struct layout *layout = layout_of(id->protocol);

        if (!layout) {
                iscsi_encode(id, w);
                return;
        }
        write_u8(w, id->protocol);
        write_zeros(w, layout->offset - 1u);
        write_bytes(w, id->id, layout->size);
        write_zeros(w, (size_t)TRANSPORTID_SIZE_MIN - layout->offset - layout->size);
}

int transportid_from_name(const char *name, struct transportid *ret_id)
{
        struct transportid id = { .protocol = TRANSPORTID_ISCSI };
        int r = name_set(&id, (const uint8_t *)name, strlen(name));

        if (r == 0)
                *ret_id = id;
        return r;
}

bool transportid_equal(const struct transportid *a, const struct transportid *b)
{
        return a->protocol == b->protocol && a->has_isid == b->has_isid &&
               memcmp(a->id, b->id, sizeof a->id) == 0 && strcmp(a->name, b->name) == 0;
}

bool transportid_selects(const struct transportid *listed, const struct transportid *port)
{
        if (listed->protocol == TRANSPORTID_ISCSI && !listed->has_isid)
                return port->protocol == TRANSPORTID_ISCSI && strcmp(listed->name, port->name) == 0;
        return transportid_equal(listed, port);
}

/* Append to a text of `size` bytes, of which *length are taken, and cut what does not fit. */
__attribute__((format(printf, 4, 5)))
static void append(char *text, size_t size, size_t *length, const char *format, ...)
{
        va_list args;

        if (*length >= size)
                return;
        va_start(args, format);
        int wrote = vsnprintf(text + *length, size - *length, format, args);
        va_end(args);
        if (wrote > 0)
                *length += (size_t)wrote;
}

/* Whether a name reads like the text of another protocol's identifier. */
static bool is_ambiguous(const char *name)
{
        for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
                size_t length = strlen(layouts[i].prefix);
                if (strncmp(name, layouts[i].prefix, length) == 0 && name[length] == ':')
                        return true;
        }
        return false;
}

static bool is_plain(char c)
{
        return c > ' ' && c < 0x7f && c != '\\';
}

void transportid_format(const struct transportid *id, char *ret_text, size_t size)
{
        const struct layout *layout = layout_of(id->protocol);
        size_t id_size = layout ? layout->size : id->has_isid ? ISID_SIZE : 0;
        size_t length = 0;

        if (size > 0)
                ret_text[0] = '\0';
        if (id->protocol == TRANSPORTID_SPI) {
                append(ret_text, size, &length, "spi:%u,%u", id->id[0] << 8 | id->id[1],
                       id->id[4] << 8 | id->id[5]);
                return;
        }
        for (const char *c = id->name; *c; c++)
                append(ret_text, size, &length,
                       is_plain(*c) && !(c == id->name && is_ambiguous(c)) ? "%c" : "\\x%02x", (uint8_t)*c);
        if (layout)
                append(ret_text, size, &length, "%s:0x", layout->prefix);
        else if (id->has_isid)
                append(ret_text, size, &length, "%s", separator);
        for (size_t i = 0; i < id_size; i++)
                append(ret_text, size, &length, "%02x", id->id[i]);
}
