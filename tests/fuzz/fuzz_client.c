/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the daemon: any bytes, cut anywhere, with any descriptors on
 * them, and a kernel that answers SG_IO with anything.
 *
 * Everything that the client sends is there before it is served, and its
 * sending half is shut then, so that nothing ever waits. What is held here: no
 * GOOD but the device's own, replies as docs/protocol.md has them, no ioctl
 * where none may be, no descriptor left open, nothing reserved in the log.
 *
 * Input: flags; then what happens, by its two lowest bits: bytes with
 * descriptors, IN, OUT, or an answer of SG_IO for later.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "device/sgio.h"
#include "fuzz.h"
#include "helper/client.h"
#include "helper/devices.h"
#include "helper/events.h"
#include "kinds.h"
#include "quiet_log.h"
#include "replies.h"

enum { FDS_MAX = 5, ANSWERS_MAX = 32 };

enum flags { TRACED = 1, CLOSES = 2, STACKED = 4, STOPS = 8, NO_HANDSHAKE = 16, LOG_FULL = 32,
             NO_SEQUENCE = 64 };

static struct {
        int ours, theirs; /* the client's end, the daemon's */
        uint8_t flags;
        atomic_bool stopping;
        struct ioctl_answer answers[ANSWERS_MAX];
        unsigned answer_count, answers_used;
} s;

static int event;

static void stop(void)
{
        atomic_store(&s.stopping, true);
}

static void check_header(const struct sg_io_hdr *h, int fd)
{
        bool out = h->cmdp[0] == PR_OPCODE_OUT;
        int direction = h->dxfer_len == 0 ? SG_DXFER_NONE : out ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV;
        int mode = fcntl(fd, F_GETFL);
        enum kind kind = kinds_kind(fd);

        fuzz_check(kind <= KIND_VOLUME, "an ioctl on kind %d", kind);
        fuzz_check(kind < KIND_PARTITION || kind == KIND_MULTIPATH || (s.flags & STACKED), "kind %d", kind);
        fuzz_check(!(mode & O_PATH) && (!out || (mode & O_ACCMODE) != O_RDONLY), "mode %#x", mode);
        fuzz_check(!out || kind != KIND_MULTIPATH, "OUT on a multipath map");
        fuzz_check(h->interface_id == 'S' && h->cmd_len == PR_CDB_SIZE && h->mx_sb_len == SENSE_SIZE &&
                   h->dxfer_direction == direction && h->dxfer_len <= PR_DATA_MAX && h->timeout == 1234 &&
                   h->iovec_count == 0 && h->flags == 0, "header");
}

/* What is asked of nothing but a whole disk. */
static int answer_sequence(int fd, uint64_t *ret_sequence)
{
        enum kind kind = kinds_kind(fd);

        fuzz_check(kind == KIND_SCSI, "the sequence number of kind %d", kind);
        if (s.flags & NO_SEQUENCE) {
                errno = ENOTTY;
                return -1;
        }
        *ret_sequence = 7;
        return 0;
}

/* SG_IO as the input has it. */
static int answer_ioctl(int fd, unsigned long request, void *argument)
{
        static const struct ioctl_answer good = { .data = PR_DATA_MAX };
        struct sg_io_hdr *h = argument;

        if (request == BLKGETDISKSEQ)
                return answer_sequence(fd, argument);
        const struct ioctl_answer *a = s.answers_used < s.answer_count ? &s.answers[s.answers_used++] : &good;
        fuzz_check(request == SG_IO, "ioctl %#lx", request);
        check_header(h, fd);
        replies_note_ioctl(h, a);
        errno = a->error;
        return a->error ? -1 : 0;
}

static struct sgio_context context = { .timeout_ms = 1234, .ioctl = answer_ioctl, .fstat = kinds_fstat };

/* A request has come: its reply is the next one. Make room for it. */
static void identify(const void *argument, int fd, struct device *device)
{
        if (!(s.flags & CLOSES))
                replies_drain(s.ours);
        if (!replies_expect() || (s.flags & STOPS))
                stop();
        sgio_identify(argument, fd, device);
}

/* Send with descriptors on the first byte; what there is no room for is not sent. */
static void send_bytes(const uint8_t *bytes, size_t size, const int *fds, size_t count)
{
        union {
                struct cmsghdr alignment;
                char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } control = { 0 };
        struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (size == 0)
                return;
        if (count > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
                struct cmsghdr *header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(count * sizeof *fds);
                memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
        }
        (void)sendmsg(s.ours, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int take_fd(struct reader *r)
{
        enum kind kind = read_u8(r) % KINDS;

        if (kind == KIND_OWN && !(s.flags & CLOSES)) /* else nobody reads what its queue holds */
                return s.ours;
        return kinds_fd(kind == KIND_OWN ? KIND_SOCKET : kind);
}

static void take_bytes(struct reader *r, uint8_t op)
{
        int fds[FDS_MAX];
        size_t count = (op >> 2) % (FDS_MAX + 1), size;

        for (size_t i = 0; i < count; i++)
                fds[i] = take_fd(r);
        const uint8_t *bytes = fuzz_bytes(r, read_u8(r), &size);
        send_bytes(bytes, size, fds, count);
}

/* A whole request, its CDB in two parts where bit 7 says so. */
static void take_request(struct reader *r, uint8_t op)
{
        bool out = op & 1;
        uint8_t bytes[PR_CDB_SIZE + UINT8_MAX] = { out ? PR_OPCODE_OUT : PR_OPCODE_IN, op >> 2 & 0x1f };
        int fd = take_fd(r);
        size_t size = 0, first;

        if (out) {
                bytes[2] = read_u8(r);
                const uint8_t *list = fuzz_bytes(r, read_u8(r), &size);
                if (size > 0)
                        memcpy(bytes + PR_CDB_SIZE, list, size);
                bytes[8] = (uint8_t)size;
        } else {
                bytes[7] = read_u8(r);
                bytes[8] = read_u8(r);
        }
        first = op & 0x80 ? 1u + read_u8(r) % PR_CDB_SIZE : PR_CDB_SIZE + size;
        send_bytes(bytes, first, &fd, 1);
        send_bytes(bytes + first, PR_CDB_SIZE + size - first, NULL, 0);
}

static void take_answer(struct reader *r, uint8_t op)
{
        struct ioctl_answer a = { 0 };
        size_t size;

        if (s.answer_count == ANSWERS_MAX)
                return;
        a.error = op & 4 ? read_u8(r) : 0;
        a.status = op & 8 ? read_u8(r) : 0;
        a.host = op & 0x10 ? read_be16(r) : 0;
        a.driver = op & 0x20 ? read_be16(r) : 0;
        a.resid = op & 0x40 ? (int)read_be32(r) : 0;
        a.data = op & 0x80 ? read_be16(r) : PR_DATA_MAX;
        if (op & 8) {
                const uint8_t *sense = fuzz_bytes(r, read_u8(r) % (SENSE_SIZE + 1), &size);
                if (size > 0)
                        memcpy(a.sense, sense, size);
                a.sense_size = (uint8_t)size;
        }
        s.answers[s.answer_count++] = a;
}

static void play(struct reader *r)
{
        static const uint8_t no_features[4];

        if (!(s.flags & NO_HANDSHAKE))
                send_bytes(no_features, sizeof no_features, NULL, 0);
        while (r->left > 0 && !r->failed) {
                uint8_t op = read_u8(r);
                switch (op & 3) {
                case 0:
                        take_bytes(r, op);
                        break;
                case 1:
                case 2:
                        take_request(r, op);
                        break;
                default:
                        take_answer(r, op);
                }
        }
}

static void serve(void)
{
        const struct device_source source = { .context = &context, .identify = identify };
        struct ucred peer = { .pid = 4711, .uid = 107 };
        struct client client = { .sock = s.theirs, .number = 1, .source = &source, .stopping = &s.stopping,
                                 .eperm_cause = "this is a test" };

        audit_init(&client.audit, 1, &peer, event);
        client_serve(&client);
        audit_finish(&client.audit);
        devices_forget_client(1);
        fuzz_check(!atomic_load(&client.on_device), "still on a device");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        kinds_make();
        devices_init(16);
        context.sysfs = kinds_sysfs();
        int raised = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        event = fcntl(raised, F_DUPFD_CLOEXEC, 64);
        close(raised);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        struct fuzz_fds before = fuzz_fds_look();
        int ends[2];

        memset(&s, 0, sizeof s);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                abort();
        s.ours = ends[0];
        s.theirs = ends[1];
        s.flags = read_u8(&r);
        context.allow_stacked = s.flags & STACKED;
        for (size_t i = 0; i < EVENT_COUNT; i++)
                helper_events[i].enabled = s.flags & TRACED;
        quiet_log_full = s.flags & LOG_FULL ? 1 : 0;
        replies_reset();
        play(&r);
        (void)shutdown(s.ours, SHUT_WR);
        if (s.flags & CLOSES)
                close_fd(&s.ours);

        serve();
        close_fd(&s.theirs);
        if (!(s.flags & CLOSES))
                replies_finish(s.ours);
        close_fd(&s.ours);
        fuzz_check(quiet_log_reserved == 0, "%d places in the log", quiet_log_reserved);
        fuzz_fds_check(&before);
        return 0;
}
