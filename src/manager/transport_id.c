/* SPDX-License-Identifier: BSD-2-Clause */
/* TransportIDs to and from text: see prmanager.h. */
#include "manager/transport_id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof((struct prm_transport_id){ 0 }.name) == sizeof((struct transportid){ 0 }.name) &&
                       (int)PRM_TRANSPORT_TEXT_SIZE >= (int)TRANSPORTID_TEXT_SIZE,
               "the header promises room for what scsi/ has");

struct prm_transport_id transport_id_of(const struct transportid *id)
{
        struct prm_transport_id copy = { .protocol = id->protocol, .has_isid = id->has_isid };

        memcpy(copy.id, id->id, sizeof copy.id);
        memcpy(copy.name, id->name, sizeof copy.name);
        return copy;
}

/* The other way. What is no name in the caller's struct does not run over its end. */
static struct transportid transportid_of(const struct prm_transport_id *id)
{
        struct transportid copy = { .protocol = id->protocol, .has_isid = id->has_isid };

        memcpy(copy.id, id->id, sizeof copy.id);
        memcpy(copy.name, id->name, sizeof copy.name - 1);
        return copy;
}

int transport_id_encode(const struct prm_transport_id *id, struct writer *w)
{
        struct transportid scsi = transportid_of(id), ignored;

        switch (id->protocol) {
        case PRM_PROTOCOL_FC:
        case PRM_PROTOCOL_SPI:
        case PRM_PROTOCOL_SBP:
        case PRM_PROTOCOL_SRP:
        case PRM_PROTOCOL_SAS:
        case PRM_PROTOCOL_SOP:
                break;
        case PRM_PROTOCOL_ISCSI:
                if (transportid_from_name(scsi.name, &ignored) < 0)
                        return -EINVAL;
                break;
        default:
                return -EINVAL;
        }
        transportid_encode(&scsi, w);
        return 0;
}

void prm_transport_id_format(const struct prm_transport_id *id, char *ret_text, size_t size)
{
        const struct transportid scsi = transportid_of(id);

        transportid_format(&scsi, ret_text, size);
}

bool prm_transport_id_equal(const struct prm_transport_id *a, const struct prm_transport_id *b)
{
        const struct transportid left = transportid_of(a), right = transportid_of(b);

        return transportid_equal(&left, &right);
}

/* Exactly `size` bytes in hexadecimal, and nothing behind them. */
static int hex_parse(const char *text, uint8_t *ret_bytes, size_t size)
{
        if (strlen(text) != 2 * size || strspn(text, "0123456789abcdefABCDEF") != 2 * size)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                const char digits[] = { text[2 * i], text[2 * i + 1], '\0' };
                ret_bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
        }
        return 0;
}

/* "address,port", two 16-bit numbers. */
static int spi_parse(const char *text, struct prm_transport_id *id)
{
        unsigned address, port;
        int end = 0;

        if (sscanf(text, "%5u,%5u%n", &address, &port, &end) != 2 || text[end] != '\0' ||
            address > UINT16_MAX || port > UINT16_MAX)
                return -EINVAL;
        id->id[0] = (uint8_t)(address >> 8);
        id->id[1] = (uint8_t)address;
        id->id[4] = (uint8_t)(port >> 8);
        id->id[5] = (uint8_t)port;
        return 0;
}

/* The bytes that a name's text stands for, where \xNN is one of them. */
static int name_parse(const char *text, size_t length, char *ret_name, size_t size)
{
        size_t count = 0;

        for (size_t i = 0; i < length; i++) {
                char byte = text[i];
                if (byte == '\\') {
                        if (length - i < 4 || text[i + 1] != 'x')
                                return -EINVAL;
                        const char digits[] = { text[i + 2], text[i + 3], '\0' };
                        if (hex_parse(digits, (uint8_t *)&byte, 1) < 0)
                                return -EINVAL;
                        i += 3;
                }
                if (count + 1 >= size || byte == '\0')
                        return -EINVAL;
                ret_name[count++] = byte;
        }
        ret_name[count] = '\0';
        return 0;
}

/* A name, or a name and an ISID. */
static int iscsi_parse(const char *text, struct prm_transport_id *id)
{
        static const char separator[] = ",i,0x";
        const char *isid = strstr(text, separator);
        size_t length = isid ? (size_t)(isid - text) : strlen(text);
        struct transportid named;

        if (name_parse(text, length, id->name, sizeof id->name) < 0 ||
            transportid_from_name(id->name, &named) < 0)
                return -EINVAL;
        id->has_isid = isid;
        return isid ? hex_parse(isid + strlen(separator), id->id, 6) : 0;
}

int prm_transport_id_parse(const char *text, struct prm_transport_id *ret_id)
{
        static const struct {
                const char *prefix;
                uint8_t protocol, size;
        } forms[] = {
                { "fc:0x", PRM_PROTOCOL_FC, 8 },    { "sbp:0x", PRM_PROTOCOL_SBP, 8 },
                { "srp:0x", PRM_PROTOCOL_SRP, 16 }, { "sas:0x", PRM_PROTOCOL_SAS, 8 },
                { "sop:0x", PRM_PROTOCOL_SOP, 2 },
        };
        struct prm_transport_id id = { .protocol = PRM_PROTOCOL_ISCSI };
        int r = -EINVAL;
        size_t i = 0;

        while (i < sizeof forms / sizeof forms[0] &&
               strncmp(text, forms[i].prefix, strlen(forms[i].prefix)) != 0)
                i++;
        if (i < sizeof forms / sizeof forms[0]) {
                id.protocol = forms[i].protocol;
                r = hex_parse(text + strlen(forms[i].prefix), id.id, forms[i].size);
        } else if (strncmp(text, "spi:", 4) == 0) {
                id.protocol = PRM_PROTOCOL_SPI;
                r = spi_parse(text + 4, &id);
        } else {
                r = iscsi_parse(text, &id);
        }
        if (r == 0)
                *ret_id = id;
        return r;
}
