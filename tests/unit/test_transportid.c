/* SPDX-License-Identifier: BSD-2-Clause */
/* TransportIDs: SPC-4 7.6.4, format by format. */
#include "scsi/transportid.h"

#include <errno.h>

#include "tap.h"

#define ISCSI(length, text) "\x05\x00\x00" length text
#define PORT(length, text) "\x45\x00\x00" length text

/* One that parses: its text, and (NULL: the very same) the bytes it is encoded to. */
static const struct {
        const char *what;
        const char *bytes;
        size_t size;
        const char *text;
} good[] = {
        { "FC", "\x00\0\0\0\0\0\0\0\x21\x00\x00\x0e\x1e\x11\x01\x01\0\0\0\0\0\0\0", 24, "fc:0x2100000e1e110101" },
        { "SPI", "\x01\0\x00\x07\0\0\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "spi:7,1" },
        { "SBP", "\x03\0\0\0\0\0\0\0\x00\x11\x22\x33\x44\x55\x66\x77\0\0\0\0\0\0\0", 24, "sbp:0x0011223344556677" },
        { "SRP", "\x04\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 24,
          "srp:0x0102030405060708090a0b0c0d0e0f10" },
        { "SAS", "\x06\0\0\0\x50\x00\xc5\x00\x12\x34\x56\x78\0\0\0\0\0\0\0\0\0\0\0", 24, "sas:0x5000c50012345678" },
        { "SOP", "\x0a\0\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "sop:0x0102" },
        { "iSCSI device, shortest", ISCSI("\x14", "iqn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24, "iqn.a" },
        { "iSCSI device, name and NUL fill it", ISCSI("\x14", "iqn.2026-11.org:abc"), 24, "iqn.2026-11.org:abc" },
        { "iSCSI device, one word more", ISCSI("\x18", "iqn.2026-11.org:abcd\0\0\0"), 28, "iqn.2026-11.org:abcd" },
        { "iSCSI device, UTF-8", ISCSI("\x14", "iqn.\xc3\xa4\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24, "iqn.\\xc3\\xa4" },
        { "iSCSI port", PORT("\x1c", "iqn.2026,i,0x00023d000001\0\0"), 32, "iqn.2026,i,0x00023d000001" },
        { "iSCSI port, short name", PORT("\x14", "a,i,0x00023d000001\0"), 24, "a,i,0x00023d000001" },
};

static void check_good(void)
{
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                struct reader r = reader_over(good[i].bytes, good[i].size);
                struct transportid id;
                uint8_t again[TRANSPORTID_SIZE_MAX];
                char text[TRANSPORTID_TEXT_SIZE];

                is_int(transportid_parse(&r, &id), 0, "%s parses", good[i].what);
                ok(reader_finished(&r), "%s: to its end", good[i].what);
                transportid_format(&id, text, sizeof text);
                is_string(text, good[i].text, "%s as text", good[i].what);
                struct writer w = writer_over(again, sizeof again);
                transportid_encode(&id, &w);
                is_int(w.length, good[i].size, "%s: encoded size", good[i].what);
                is_bytes(again, good[i].bytes, good[i].size, "%s: encoded again", good[i].what);
                ok(transportid_equal(&id, &id) && transportid_selects(&id, &id), "%s: is itself", good[i].what);

                for (size_t cut = 0; cut < good[i].size; cut++) {
                        r = reader_over(good[i].bytes, cut);
                        if (transportid_parse(&r, &id) != -EINVAL)
                                ok(false, "%s cut to %zu bytes is refused", good[i].what, cut);
                }
        }
}

static const struct {
        const char *what;
        const char *bytes;
        size_t size;
} bad[] = {
        { "nothing", "", 0 },
        { "FC, format 01b", "\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
        { "SAS, format 11b", "\xc6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
        { "SSA, which has none", "\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
        { "protocol Fh", "\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
        { "iSCSI, format 10b", "\x85\0\0\x14iqn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
        { "iSCSI, length 16", ISCSI("\x10", "iqn.a\0\0\0\0\0\0\0\0\0\0"), 20 },
        { "iSCSI, length 21", ISCSI("\x15", "iqn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 25 },
        { "iSCSI, length beyond the end", ISCSI("\x18", "iqn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24 },
        { "iSCSI, no NUL", ISCSI("\x14", "iqn.2026-11.org:abcd"), 24 },
        { "iSCSI, no name", ISCSI("\x14", "\0qn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24 },
        { "iSCSI, a space", ISCSI("\x14", "iqn a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24 },
        { "iSCSI, an escape", ISCSI("\x14", "iqn\x1b" "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24 },
        { "iSCSI device with an ISID", ISCSI("\x1c", "iqn.2026,i,0x00023d000001\0\0"), 32 },
        { "iSCSI port without", PORT("\x14", "iqn.2026-11.org\0\0\0\0"), 24 },
        { "iSCSI port, separator cut", PORT("\x14", "iqn.2026-11.org,i,\0"), 24 },
        { "iSCSI port, no digits", PORT("\x14", "iqn.2026-11.o,i,0x\0"), 24 },
        { "iSCSI port, 13 digits", PORT("\x14", "a,i,0x0123456789abc"), 24 },
        { "iSCSI port, not a digit", PORT("\x14", "a,i,0x0123456789ag\0"), 24 },
        { "iSCSI port, another separator", PORT("\x14", "a,t,0x00023d000001\0"), 24 },
        { "iSCSI port, no name", PORT("\x14", ",i,0x00023d000001\0\0"), 24 },
};

static void check_bad(void)
{
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct reader r = reader_over(bad[i].bytes, bad[i].size);
                struct transportid id = { .protocol = 0x77 };

                is_int(transportid_parse(&r, &id), -EINVAL, "%s is refused", bad[i].what);
                is_int(id.protocol, 0x77, "%s: the result is untouched", bad[i].what);
        }
}

static struct transportid parsed(const char *bytes, size_t size)
{
        struct reader r = reader_over(bytes, size);
        struct transportid id = { 0 };

        is_int(transportid_parse(&r, &id), 0, "parses");
        return id;
}

static void check_same(void)
{
        struct transportid device = parsed(ISCSI("\x14", "iqn.a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24);
        struct transportid padded = parsed(ISCSI("\x1c", "iqn.a\0 behind the NUL.......\0"), 32);
        struct transportid other = parsed(ISCSI("\x14", "iqn.b\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 24);
        struct transportid port = parsed(PORT("\x18", "iqn.a,i,0x00023D00000A\0"), 28);
        struct transportid lower = parsed(PORT("\x18", "iqn.a,i,0x23d00000a\0\0\0\0"), 28);
        struct transportid port2 = parsed(PORT("\x18", "iqn.a,i,0x00023d00000b\0"), 28);
        struct transportid fc = parsed("\x00\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0", 24);
        struct transportid fc2 = parsed("\x30\xff\xff\xff\xff\xff\xff\xff\1\2\3\4\5\6\7\x08\xff\xff\xff\xff\xff\xff\xff\xff", 24);
        struct transportid spi = parsed("\x01\0\0\7\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
        struct transportid spi2 = parsed("\x01\xff\0\7\xff\xff\0\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
        struct transportid sas = parsed("\x06\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0\0\0\0\0", 24);

        ok(transportid_equal(&device, &padded), "padding does not matter, nor what is in it");
        ok(!transportid_equal(&device, &other), "another name");
        ok(transportid_equal(&port, &lower), "an ISID is a number");
        ok(!transportid_equal(&port, &port2), "another ISID");
        ok(!transportid_equal(&device, &port), "a device is not a port");
        ok(transportid_selects(&device, &port) && transportid_selects(&device, &port2), "a device means all its ports");
        ok(!transportid_selects(&port, &device), "a port does not mean the device");
        ok(!transportid_selects(&other, &port), "another device does not");
        ok(!transportid_selects(&device, &fc), "nor does it mean an FC port");
        ok(transportid_equal(&fc, &fc2), "reserved bytes are not looked at");
        ok(transportid_equal(&spi, &spi2), "nor are SPI's obsolete ones");
        ok(!transportid_equal(&fc, &sas), "the same number in another protocol");
}

static void check_names(void)
{
        char name[TRANSPORTID_NAME_MAX + 2], text[TRANSPORTID_TEXT_SIZE], small[8];
        struct transportid id;
        uint8_t bytes[TRANSPORTID_SIZE_MAX];

        memset(name, '\xff', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        is_int(transportid_from_name(name, &id), -EINVAL, "a name of 224 bytes");
        is_int(transportid_from_name("", &id), -EINVAL, "no name");
        is_int(transportid_from_name("iqn.a,b", &id), -EINVAL, "a name with a comma");
        is_int(transportid_from_name("iqn.a\n", &id), -EINVAL, "a name with a line feed");
        name[TRANSPORTID_NAME_MAX] = '\0';
        is_int(transportid_from_name(name, &id), 0, "a name of 223 bytes");

        id.has_isid = true;
        struct writer w = writer_over(bytes, sizeof bytes);
        transportid_encode(&id, &w);
        is_int(w.length, TRANSPORTID_SIZE_MAX, "the longest TransportID");
        transportid_format(&id, text, sizeof text);
        is_int(strlen(text), TRANSPORTID_TEXT_SIZE - 1, "the longest text fits");
        is_string(text + strlen(text) - 4, "0000", "to its end");

        is_int(transportid_from_name("iqn.2026-11.org", &id), 0, "a name");
        transportid_format(&id, small, sizeof small);
        is_string(small, "iqn.202", "text is cut to what there is room for");
        transportid_format(&id, NULL, 0);
        ok(true, "no room at all");
}

int main(void)
{
        check_good();
        check_bad();
        check_same();
        check_names();
        return done();
}
