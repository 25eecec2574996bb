// SPDX-License-Identifier: BSD-2-Clause
//
// A guest in 64 KiB: firmware that takes SCSI commands as lines of text on the
// serial port and sends them to a virtio-scsi disk. It stands for an operating
// system, which takes minutes to boot where an emulator runs in an emulator.
//
// QEMU's side: -M pc -bios firmware.bin, -serial, isa-debug-exit at 0xf4 and
// -device virtio-scsi-pci,addr=4,disable-modern=on with the disk at target 0.
//
// It says "ready" when it is. Then, one line each:
//   in CDB LENGTH       a command that reads LENGTH bytes       (CDB in hex)
//   out CDB DATA        one that writes DATA: hex, or "-" for none, or "a5*512"
//   quit                end QEMU
// The answer to a command, in hex:
//   response=00 status=02 sense=70000600... data=
//
// The device is driven through virtio's legacy interface (virtio 1.0, 4.1.4.8 and
// 2.4.2), by polling: no interrupts, one command at a time.

#include "io.h"

enum {
        IO_BASE = 0xc000,               // where we put the device's registers
        PCI_DEVICE = 4,
        PCI_COMMAND = 0x04,
        PCI_BAR0 = 0x10,
        VIRTIO_VENDOR = 0x1af4,

        REG_GUEST_FEATURES = IO_BASE + 0x04,
        REG_QUEUE_ADDRESS = IO_BASE + 0x08,
        REG_QUEUE_SIZE = IO_BASE + 0x0c,
        REG_QUEUE_SELECT = IO_BASE + 0x0e,
        REG_QUEUE_NOTIFY = IO_BASE + 0x10,
        REG_STATUS = IO_BASE + 0x12,
        STATUS_ACKNOWLEDGE = 1,
        STATUS_DRIVER = 2,
        STATUS_DRIVER_OK = 4,

        REQUEST_QUEUE = 2,              // after the control and the event queue
        QUEUES = 3,
        PAGE = 4096,

        DESC_NEXT = 1,
        DESC_WRITE = 2,                 // the device writes here
        DEBUG_EXIT = 0xf4,
};

struct descriptor {
        uint64_t address;
        uint32_t length;
        uint16_t flags;
        uint16_t next;
};

struct request {                        // virtio 1.0, 5.6.6.1
        uint8_t lun[8];
        uint64_t tag;
        uint8_t attribute, priority, crn;
        uint8_t cdb[32];
} __attribute__((packed));

struct response {
        uint32_t sense_length;
        uint32_t residual;
        uint16_t qualifier;
        uint8_t status;
        uint8_t response;
        uint8_t sense[96];
} __attribute__((packed));

static uint8_t queues[QUEUES][4 * PAGE] __attribute__((aligned(PAGE)));
static uint16_t queue_size;             // of the request queue
static uint16_t sent;                   // commands so far: its available index
static struct request request;
static struct response response;
static uint8_t data[16384];
static char line[sizeof data * 2 + 128];

// ---- the device

static uint32_t pci_read(uint32_t offset)
{
        outl(0xcf8, 0x80000000u | PCI_DEVICE << 11 | offset);
        return inl(0xcfc);
}

static void pci_write(uint32_t offset, uint32_t value)
{
        outl(0xcf8, 0x80000000u | PCI_DEVICE << 11 | offset);
        outl(0xcfc, value);
}

static void device_start(void)
{
        if ((pci_read(0) & 0xffff) != VIRTIO_VENDOR)
                put_string("no virtio device at 00:04.0\n");
        pci_write(PCI_BAR0, IO_BASE | 1);
        pci_write(PCI_COMMAND, 1 | 4);  // I/O space, bus master
        outb(REG_STATUS, 0);
        outb(REG_STATUS, STATUS_ACKNOWLEDGE);
        outb(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
        outl(REG_GUEST_FEATURES, 0);
        for (uint16_t i = 0; i < QUEUES; i++) {
                outw(REG_QUEUE_SELECT, i);
                queue_size = inw(REG_QUEUE_SIZE);
                outl(REG_QUEUE_ADDRESS, (uint32_t)queues[i] / PAGE);
        }
        outb(REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

// Append one buffer to the command's chain of descriptors.
static void chain(int *count, const void *buffer, uint32_t length, uint16_t flags)
{
        volatile struct descriptor *d = (struct descriptor *)queues[REQUEST_QUEUE];
        int n = (*count)++;

        if (n > 0) {
                d[n - 1].flags |= DESC_NEXT;
                d[n - 1].next = (uint16_t)n;
        }
        d[n].address = (uint32_t)buffer;
        d[n].length = length;
        d[n].flags = flags;
}

// Hand the chain over and wait until the device is done with it.
static void submit(void)
{
        uint8_t *queue = queues[REQUEST_QUEUE];
        volatile uint16_t *available = (uint16_t *)(queue + 16 * queue_size);
        uint32_t used_offset = (18u * queue_size + 6 + PAGE - 1) & ~(PAGE - 1u);
        volatile uint16_t *used = (uint16_t *)(queue + used_offset);

        available[2 + sent % queue_size] = 0;
        __asm__ volatile("" : : : "memory");
        available[1] = ++sent;
        __asm__ volatile("lock; addl $0, (%%esp)" : : : "memory", "cc");
        outw(REG_QUEUE_NOTIFY, REQUEST_QUEUE);
        while (used[1] != sent)
                __asm__ volatile("pause" : : : "memory");
}

// Send request.cdb to target 0; its data goes to or comes from `data`.
static void execute(int is_read, uint32_t length)
{
        int count = 0;

        request.lun[0] = 1;
        request.lun[2] = 0x40;
        request.tag = sent;
        response.response = 0xff;
        chain(&count, &request, sizeof request, 0);
        if (length && !is_read)
                chain(&count, data, length, 0);
        chain(&count, &response, sizeof response, DESC_WRITE);
        if (length && is_read)
                chain(&count, data, length, DESC_WRITE);
        submit();
}

// ---- the lines

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *skip_word(const char *p)
{
        while (*p && *p != ' ')
                p++;
        while (*p == ' ')
                p++;
        return p;
}

static uint32_t parse_number(const char *p)
{
        uint32_t value = 0;

        while (*p >= '0' && *p <= '9')
                value = value * 10 + (uint32_t)(*p++ - '0');
        return value;
}

// Hex up to the end of the word; "a5*512" is one byte many times. Returns its length.
static uint32_t parse_bytes(const char *p, uint8_t *buffer, uint32_t size)
{
        uint32_t n = 0;

        for (; n < size && hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0; p += 2)
                buffer[n++] = (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
        if (*p == '*')
                for (uint32_t count = parse_number(p + 1); n && n < count && n < size; n++)
                        buffer[n] = buffer[0];
        return n;
}

static void read_line(void)
{
        uint32_t n = 0;
        char c;

        while ((c = get_char()) != '\n')
                if (c != '\r' && n < sizeof line - 1)
                        line[n++] = c;
        line[n] = '\0';
}

static void put_bytes(const char *name, const uint8_t *bytes, uint32_t count)
{
        put_string(name);
        for (uint32_t i = 0; i < count; i++)
                put_hex(bytes[i], 2);
}

static void answer(int is_read, uint32_t length)
{
        uint32_t received = 0, sense = response.sense_length;

        put_bytes("response=", &response.response, 1);
        put_bytes(" status=", &response.status, 1);
        if (response.status != 2)
                sense = 0;
        put_bytes(" sense=", response.sense, sense < 18 ? sense : 18);
        if (is_read && response.status == 0 && response.residual <= length)
                received = length - response.residual;
        put_bytes(" data=", data, received);
        put_char('\n');
}

void run(void)
{
        serial_start();
        device_start();
        put_string("ready\n");
        for (;;) {
                const char *arguments;
                uint32_t length;
                int is_read;

                read_line();
                if (line[0] == 'q')
                        outb(DEBUG_EXIT, 0);
                is_read = line[0] == 'i';
                arguments = skip_word(line);
                for (uint32_t i = 0; i < sizeof request.cdb; i++)
                        request.cdb[i] = 0;
                parse_bytes(arguments, request.cdb, sizeof request.cdb);
                arguments = skip_word(arguments);
                length = is_read ? parse_number(arguments)
                                 : parse_bytes(arguments, data, sizeof data);
                if (length > sizeof data)
                        length = sizeof data;
                execute(is_read, length);
                answer(is_read, length);
        }
}
