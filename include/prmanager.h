/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libprmanager: PERSISTENT RESERVE commands for programs without privilege.
 *
 * A *pr-manager* carries SCSI persistent reservation commands to a disk that
 * the caller has open. Its class says how: `pr-manager-helper` through the
 * socket of qemu-pr-helper(8), `pr-manager-direct` by SG_IO in this process.
 * What is done with it comes in two levels: prm_execute() takes and fills a
 * `struct sg_io_hdr`, as code that does SG_IO has it; the typed calls, from
 * prm_read_keys() to prm_move(), take keys and types.
 *
 *     struct prm_manager *manager;
 *     prm_manager_from_string("pr-manager-helper,path=/run/qemu-pr-helper.sock", &manager, NULL);
 *     struct prm_nexus nexus = { manager, open("/dev/sdb", O_RDWR), 0, 0 };
 *     prm_reserve(&nexus, 0xa1, PRM_WRITE_EXCLUSIVE, &result);
 *
 * Conventions:
 *   - Calls return 0 or a negative errno. A SCSI status is no error but data: a command that was
 *     answered with RESERVATION CONFLICT returns 0, and its `struct prm_result` says so.
 *   - Results leave through `ret_` parameters, which are untouched on failure, and which may not be
 *     NULL unless it is said. Text is UTF-8, one line, without a newline at its end.
 *   - All calls may be made from any thread, on the same manager too. A manager lives until its
 *     last reference is gone; each call borrows the caller's.
 *   - After fork() the child may use the managers that it has of its parent, whatever other threads
 *     were doing at that moment; not so after vfork(), _Fork() or clone(2). Each begins anew there: it
 *     connects by itself with its first command. What the parent's threads are doing, and what
 *     prm_execute_async() has not ended, stays the parent's: it is not done twice, `done` is not called
 *     in the child, and such a manager is not freed there. The child is known by its process id: one in
 *     a new PID namespace, where parent and child may both be 1, must not use its parent's managers.
 *   - Descriptors that the library keeps or gives are close-on-exec, and never 0, 1 or 2.
 *   - Clauses are those of SPC-4 (T10/1731-D r37).
 */
#ifndef PRMANAGER_H
#define PRMANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sg_io_hdr; /* <scsi/sg.h> */

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum {
        PRM_CDB_SIZE = 16,              /**< bytes; shorter CDBs are padded with zeros */
        PRM_SENSE_SIZE = 96,            /**< bytes */
        PRM_TRANSFER_MAX = 8192,        /**< what the helper protocol carries one way, bytes */
        PRM_TEXT_SIZE = 256,            /**< of any message, with its NUL */
        PRM_TRANSPORT_TEXT_SIZE = 912,  /**< of any TransportID as text, with its NUL */
        PRM_UNIT_ATTENTIONS_MAX = 8,    /**< that a result remembers */
};

/** For `timeout_ms`: wait for ever. */
#define PRM_NO_TIMEOUT UINT32_MAX

/** Why something could not be made or reached, in words. */
struct prm_error {
        char text[PRM_TEXT_SIZE];
};

/* ---- The manager ----------------------------------------------------------------------------- */

/** A pr-manager of any class. Opaque and reference-counted. */
struct prm_manager;

/** A property of a manager, as `name=value` has it. */
struct prm_property {
        const char *name;
        const char *value;
};

/**
 * Make a manager of a class.
 *
 * | class               | property        |                                                             |
 * |---------------------|-----------------|-------------------------------------------------------------|
 * | `pr-manager-helper` | `path`          | the helper's socket, in the file system; required           |
 * |                     | `timeout`       | for a command from call to return, seconds; 60; 0: no limit |
 * | `pr-manager-direct` | `timeout`       | for a command in the kernel, seconds; 30                    |
 * |                     | `allow-stacked` | `on`: serve partitions and device-mapper volumes too; `off` |
 *
 * Nothing is connected yet: the first command does that, or prm_manager_connect().
 *
 * @param id          the name to find it by: a letter, then letters, digits, `-`, `.`, `_`;
 *                    NULL for a manager that is not to be found
 * @param properties  `count` of them, copied
 * @param ret_manager a reference, the caller's to drop by prm_manager_unref()
 * @param ret_error   what was wrong, or NULL
 * @return 0; -ENOENT: no such class; -EINVAL: a property missing, unknown, given twice or with a value
 *         that it cannot have, or an ill-formed id; -EEXIST: the id is taken; -ENOMEM
 */
int prm_manager_create(const char *class_name, const char *id, const struct prm_property *properties,
                       size_t count, struct prm_manager **ret_manager, struct prm_error *ret_error);

/**
 * Make a manager from the text that QEMU's `-object` takes:
 * `pr-manager-helper,id=helper0,path=/run/qemu-pr-helper.sock`. `,,` is a comma in a value.
 * @return as prm_manager_create()
 */
int prm_manager_from_string(const char *text, struct prm_manager **ret_manager,
                            struct prm_error *ret_error);

/** The manager of this id, with a reference for the caller, or NULL where there is none. */
struct prm_manager *prm_manager_find(const char *id);

/** One more reference. Returns `manager`. */
struct prm_manager *prm_manager_ref(struct prm_manager *manager);

/**
 * Drop a reference. With the last the id is free, and the manager is disconnected and freed as soon
 * as it has no command in the background. NULL is fine.
 */
void prm_manager_unref(struct prm_manager *manager);

/** The manager's id, or NULL where it has none. Lives as long as the manager. */
const char *prm_manager_id(const struct prm_manager *manager);

/** The name of its class. Static storage. */
const char *prm_manager_class(const struct prm_manager *manager);

/**
 * Connect now, by a single attempt, unless it is connected: to learn at once what is wrong with a
 * path. A command needs no such call; it connects by itself, with five attempts a second apart.
 * Where the class needs no connection there is nothing to do.
 * @param ret_error what was wrong, or NULL
 * @return 0; -EPROTO: it answers, but not as a helper does; -ETIMEDOUT; or the errno of connect(2)
 */
int prm_manager_connect(struct prm_manager *manager, struct prm_error *ret_error);

/** Whether it is connected, as far as can be told without a command. Always true for a direct one. */
bool prm_manager_is_connected(struct prm_manager *manager);

/**
 * Called when a manager got connected or lost its connection, by the thread that found out, one call
 * at a time. It may ask prm_manager_is_connected(), but not run commands on this manager, nor set
 * the callback. That a child of fork() does not have its parent's connection is no loss of one.
 */
typedef void (*prm_status_callback)(struct prm_manager *manager, bool connected, void *opaque);

/** Set or with NULL remove the callback. On return the former one does not run and never will. */
void prm_manager_set_status_callback(struct prm_manager *manager, prm_status_callback callback,
                                     void *opaque);

/* ---- Commands as SG_IO has them -------------------------------------------------------------- */

/**
 * Carry out the PERSISTENT RESERVE command in `header`, in place of ioctl(fd, SG_IO, header).
 *
 * What comes back is as from the kernel: status, masked_status, driver_status, sb_len_wr, resid,
 * duration, info, and the buffers at `dxferp` and `sbp`. host_status is always 0. When there was no
 * way to the device the status is CHECK CONDITION and the sense B/08/00, LOGICAL UNIT COMMUNICATION
 * FAILURE; the command may have been carried out all the same, and is not sent again. A transfer
 * length in the CDB above PRM_TRANSFER_MAX is answered with 5/24/00, INVALID FIELD IN CDB.
 *
 * @param fd     the device; for PERSISTENT RESERVE OUT open for writing
 * @param header interface_id 'S'; cmd_len 10 to 16; iovec_count 0; timeout in ms from call to
 *               return, 0: the manager's own, PRM_NO_TIMEOUT: none
 * @return 0; -EBADF; -EINVAL where `header` is none of that, is for another command, or has less data
 *         than the parameter list length in its CDB says
 */
int prm_execute(struct prm_manager *manager, int fd, struct sg_io_hdr *header);

/** Told that `header` has been filled, by a thread of the library; that thread may be used for more. */
typedef void (*prm_completion)(struct sg_io_hdr *header, void *opaque);

/**
 * Start a command and call `done` when it has ended. Commands of a manager that are started this way
 * are carried out one after the other, in the order of the calls. A command's time counts from
 * its call (the `timeout` of a direct manager from its turn): what has none left when its turn comes is
 * not sent, and ends with B/08/00. It is told then, which is late where one before it has more time.
 * `fd` is duplicated and the manager is kept alive; `header` and its buffers have to stay.
 * @return 0; -EINVAL and -EBADF as prm_execute(), -ENOMEM, -EAGAIN, -EMFILE: `done` is not called
 */
int prm_execute_async(struct prm_manager *manager, int fd, struct sg_io_hdr *header,
                      prm_completion done, void *opaque);

/**
 * Start a command and get an eventfd(2) that is readable when it has ended: for a poll loop.
 * @param ret_event the caller's to read and close, but not before it is readable
 * @return as prm_execute_async(), or the errno of eventfd(2)
 */
int prm_execute_event(struct prm_manager *manager, int fd, struct sg_io_hdr *header, int *ret_event);

/* ---- Commands as types: how they are sent and how they end ----------------------------------- */

/**
 * The way to one device: what a command needs to know besides itself. A plain value that owns
 * nothing. To the device it is the I_T nexus of whoever sends in the end.
 */
struct prm_nexus {
        struct prm_manager *manager;
        int fd;                  /**< the device; for PERSISTENT RESERVE OUT open for writing */
        uint32_t timeout_ms;     /**< for one command; 0: the manager's own, PRM_NO_TIMEOUT: none */
        unsigned unit_attention_retries; /**< commands sent again that ended with a unit attention; 0: it
                                              is returned. Such a command was not carried out (SAM-5 5.14);
                                              one that is `in_doubt` is returned, and not sent again. */
};

/** SCSI status codes (SAM-5 5.3.1). */
enum prm_status {
        PRM_GOOD = 0x00,
        PRM_CHECK_CONDITION = 0x02,
        PRM_BUSY = 0x08,
        PRM_RESERVATION_CONFLICT = 0x18,
        PRM_TASK_SET_FULL = 0x28,
};

/** SENSE KEY, ADDITIONAL SENSE CODE and its QUALIFIER (4.5). */
struct prm_sense {
        uint8_t key, asc, ascq;
};

/**
 * How a command ended. It always has a SCSI status. Where the way to the device failed, `error` says
 * what happened, and the status is what a guest is to be told: with a helper CHECK CONDITION,
 * B/08/00; directly as the helper would say it.
 */
struct prm_result {
        uint8_t status;                    /**< enum prm_status, or any other byte */
        struct prm_sense sense;            /**< zero unless CHECK CONDITION */
        uint8_t sense_data[PRM_SENSE_SIZE]; /**< the same as it came */
        uint32_t size;                     /**< bytes of data that came; 0 unless IN and GOOD */
        int error;    /**< 0: the device's or the helper's answer. Else negative errno: -EPROTO where the
                           helper broke the protocol, -ETIMEDOUT, -ECONNRESET, errno of connect(2), ... */
        bool in_doubt; /**< the command may have been carried out: it was sent, and then the way failed
                            (`error`); or it was OUT, and the helper answered with ABORTED COMMAND or
                            6/29/xx, by which it also says that its own way to the device failed, or that
                            a bus was reset. A reading command tells what is so. */
        char text[PRM_TEXT_SIZE]; /**< with `error`, or where a command was refused unsent: why; else "" */
        unsigned unit_attentions; /**< how many came and were retried */
        struct prm_sense unit_attention[PRM_UNIT_ATTENTIONS_MAX]; /**< the first of them, oldest first */
};

/** CHECK CONDITION with sense key 6: something else is to be told. Unless `in_doubt` it was not carried out. */
bool prm_result_is_unit_attention(const struct prm_result *result);

/** "GOOD", "CHECK CONDITION: 5/24/00 invalid field in CDB", "connect to ...: ...": cut to `size` bytes. */
void prm_result_format(const struct prm_result *result, char *ret_text, size_t size);

/** "RESERVATION CONFLICT", ...; "status" where the standard has none of that code. Static storage. */
const char *prm_status_name(uint8_t status);

/** What the standard calls it (annex F), such as "registrations preempted"; NULL where not known. */
const char *prm_sense_name(struct prm_sense sense);

/** Persistent reservation types (6.15.3.4). */
enum prm_type {
        PRM_NONE = 0,
        PRM_WRITE_EXCLUSIVE = 1,
        PRM_EXCLUSIVE_ACCESS = 3,
        PRM_WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5,
        PRM_EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 6,
        PRM_WRITE_EXCLUSIVE_ALL_REGISTRANTS = 7,
        PRM_EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 8,
};

/** "write-exclusive-registrants-only", ...; "none" for 0; NULL for what is no type. Static storage. */
const char *prm_type_name(unsigned type);

/** "WE", "EA", "WERO", "EARO", "WEAR", "EAAR"; "none" for 0; NULL. Static storage. */
const char *prm_type_short_name(unsigned type);

/**
 * A type by either of its names, in any case, or by its number.
 * @return 0, or -EINVAL
 */
int prm_type_parse(const char *text, enum prm_type *ret_type);

/**
 * Any PERSISTENT RESERVE command.
 * @param cdb   `cdb_size` bytes, 10 to 16
 * @param data  `size` bytes, the CDB's transfer length at least: the parameter list of OUT, or room
 *              for what IN returns, of which the first result.size bytes are set. NULL with 0.
 * @return 0: the result says how it ended; -EBADF; -EINVAL: another opcode, or too little data
 */
int prm_command(const struct prm_nexus *nexus, const uint8_t *cdb, size_t cdb_size, void *data,
                size_t size, struct prm_result *ret_result);

/* ---- PERSISTENT RESERVE IN ------------------------------------------------------------------- */

/*
 * The following return 0 when the command was sent or could not be; then *ret_result says how it
 * ended, and the report is set if that is PRM_GOOD and untouched otherwise. -EINVAL: the nexus has no
 * manager. -EBADF. -ENOMEM. -EBADMSG: the device's data contradicts the standard. A list that turns out
 * longer than the buffer is read again with a longer one, as far as the class of manager can carry
 * it (PRM_TRANSFER_MAX with a helper, 65535 bytes directly); what is longer yet is `truncated`.
 */

/** READ KEYS (6.15.2). */
struct prm_keys {
        uint32_t generation; /**< PRGENERATION */
        bool truncated;      /**< the device has more keys than these: `total` */
        size_t total;        /**< keys that it has */
        size_t count;        /**< of `keys` */
        uint64_t *keys;      /**< one a registration, in the device's order; equal ones are repeated */
};

int prm_read_keys(const struct prm_nexus *nexus, struct prm_keys *ret_keys,
                  struct prm_result *ret_result);

/** Free what prm_read_keys() gave. */
void prm_keys_free(struct prm_keys *keys);

/** READ RESERVATION (6.15.3). */
struct prm_reservation {
        uint32_t generation; /**< PRGENERATION */
        bool reserved;       /**< the rest is zero where not */
        uint8_t type;        /**< enum prm_type */
        uint8_t scope;       /**< 0: the logical unit */
        uint64_t key;        /**< of the holder; 0 for the all registrants types */
};

int prm_read_reservation(const struct prm_nexus *nexus, struct prm_reservation *ret_reservation,
                         struct prm_result *ret_result);

/** REPORT CAPABILITIES (6.15.4); the bits by the standard's names. */
struct prm_capabilities {
        bool replace_lost;               /**< RLR_C: REPLACE LOST RESERVATION */
        bool compatible_handling;        /**< CRH: RESERVE(6) and RELEASE(6) beside registrations */
        bool specify_initiator_ports;    /**< SIP_C: prm_register_ports() */
        bool all_target_ports;           /**< ATP_C: PRM_ALL_TARGET_PORTS */
        bool persist_through_power_loss; /**< PTPL_C: PRM_APTPL */
        bool persistence_active;         /**< PTPL_A: registrations now survive a loss of power */
        bool type_mask_valid;            /**< TMV: `types` means something */
        uint8_t allow_commands;          /**< ALLOW COMMANDS, 0 to 7 (table 208) */
        uint16_t types;                  /**< bit n for enum prm_type n */
};

int prm_report_capabilities(const struct prm_nexus *nexus, struct prm_capabilities *ret_capabilities,
                            struct prm_result *ret_result);

/** PROTOCOL IDENTIFIER of a TransportID (7.6.1, table 477). */
enum prm_protocol {
        PRM_PROTOCOL_FC = 0x0,
        PRM_PROTOCOL_SPI = 0x1,
        PRM_PROTOCOL_SBP = 0x3,
        PRM_PROTOCOL_SRP = 0x4,
        PRM_PROTOCOL_ISCSI = 0x5,
        PRM_PROTOCOL_SAS = 0x6,
        PRM_PROTOCOL_SOP = 0xa,
};

/** A TransportID: how an initiator port is named (7.6.4). Members that its protocol lacks are zero. */
struct prm_transport_id {
        uint8_t protocol; /**< enum prm_protocol */
        bool has_isid;    /**< iSCSI: names a port; else the whole initiator */
        uint8_t id[16];   /**< identifier of the port, its first byte first; iSCSI: 6 bytes of ISID */
        char name[224];   /**< iSCSI: name of the initiator */
};

/**
 * As text: "iqn.2000-01.org.example:a", "iqn...,i,0x00023d000001", "fc:0x2100...", "sas:0x5000...",
 * "srp:0x...", "sbp:0x...", "sop:0x0100", "spi:7,1". In a name \xNN stands for a byte that does not
 * print, or would be misread. Cut to `size`; PRM_TRANSPORT_TEXT_SIZE suffices.
 */
void prm_transport_id_format(const struct prm_transport_id *id, char *ret_text, size_t size);

/** From that text. @return 0, or -EINVAL */
int prm_transport_id_parse(const char *text, struct prm_transport_id *ret_id);

/** Whether they name the same port, or the same iSCSI initiator. */
bool prm_transport_id_equal(const struct prm_transport_id *a, const struct prm_transport_id *b);

/** One registration (6.15.5). */
struct prm_registrant {
        uint64_t key;
        bool holder;             /**< of the reservation; of the all registrants types all are */
        bool all_target_ports;   /**< stands for all target ports; `target_port` means nothing */
        uint8_t type;            /**< enum prm_type of a holder; else PRM_NONE */
        uint8_t scope;           /**< of a holder */
        uint16_t target_port;    /**< RELATIVE TARGET PORT IDENTIFIER */
        bool initiator_known;    /**< `initiator` is set: its TransportID could be decoded */
        struct prm_transport_id initiator;
};

/** READ FULL STATUS (6.15.5). Many devices do not have it: CHECK CONDITION, 5/24/00 or 5/20/00. */
struct prm_full_status {
        uint32_t generation; /**< PRGENERATION */
        bool truncated;      /**< the device has more registrations than these */
        size_t count;
        struct prm_registrant *registrants;
};

int prm_read_full_status(const struct prm_nexus *nexus, struct prm_full_status *ret_status,
                         struct prm_result *ret_result);

/** Free what prm_read_full_status() gave. */
void prm_full_status_free(struct prm_full_status *status);

/* ---- PERSISTENT RESERVE OUT ------------------------------------------------------------------ */

/*
 * The following return 0 when the command was sent or could not be, and *ret_result says how it
 * ended: PRM_GOOD, PRM_RESERVATION_CONFLICT where this nexus is not registered or not with `key`, ...
 * -EINVAL: the nexus has no manager, or an argument is no value of its type. -EBADF. Clause 5.13 has the
 * rules, 6.16 the commands. Scope is the logical unit.
 */

/** For registrations; to be or'ed. */
enum prm_flags {
        PRM_APTPL = 1 << 0,            /**< keep all registrations through a loss of power; without it they
                                            are no longer kept, whatever was said before (5.13.5) */
        PRM_ALL_TARGET_PORTS = 1 << 1, /**< ALL_TG_PT: register through every target port */
        PRM_UNREGISTER = 1 << 2,       /**< UNREG: prm_register_and_move() removes the sender's */
        PRM_ABORT = 1 << 3,            /**< prm_move(): abort the old nexus' commands too */
};

/**
 * REGISTER: register, change a key, or unregister.
 * @param key     the present one; 0 where not registered
 * @param new_key 0 unregisters
 * @param flags   PRM_APTPL, PRM_ALL_TARGET_PORTS
 */
int prm_register(const struct prm_nexus *nexus, uint64_t key, uint64_t new_key, unsigned flags,
                 struct prm_result *ret_result);

/**
 * REGISTER with SPEC_I_PT: this nexus and the listed initiator ports, all or none.
 * @return also -EMSGSIZE: the list is longer than PRM_TRANSFER_MAX bytes; -EINVAL: an id is none
 */
int prm_register_ports(const struct prm_nexus *nexus, uint64_t new_key, unsigned flags,
                       const struct prm_transport_id *initiators, size_t count,
                       struct prm_result *ret_result);

/** REGISTER AND IGNORE EXISTING KEY; arguments as prm_register(). */
int prm_register_and_ignore(const struct prm_nexus *nexus, uint64_t new_key, unsigned flags,
                            struct prm_result *ret_result);

/** RESERVE. */
int prm_reserve(const struct prm_nexus *nexus, uint64_t key, enum prm_type type,
                struct prm_result *ret_result);

/** RELEASE; `type` has to be the reservation's. GOOD and nothing where this nexus does not hold it. */
int prm_release(const struct prm_nexus *nexus, uint64_t key, enum prm_type type,
                struct prm_result *ret_result);

/** CLEAR: the reservation and all registrations of all nexuses go. */
int prm_clear(const struct prm_nexus *nexus, uint64_t key, struct prm_result *ret_result);

/**
 * PREEMPT: remove all registrations with the key `victim`, and where it holds the reservation take
 * that over, as `type`.
 */
int prm_preempt(const struct prm_nexus *nexus, uint64_t key, uint64_t victim, enum prm_type type,
                struct prm_result *ret_result);

/** PREEMPT AND ABORT: the same, and the commands of those removed are aborted. */
int prm_preempt_and_abort(const struct prm_nexus *nexus, uint64_t key, uint64_t victim,
                          enum prm_type type, struct prm_result *ret_result);

/**
 * REGISTER AND MOVE: register another initiator port and hand it the reservation.
 * @param new_key     of the destination; not 0
 * @param initiator   the destination
 * @param target_port RELATIVE TARGET PORT IDENTIFIER by which it comes
 * @param flags       PRM_APTPL, PRM_UNREGISTER
 */
int prm_register_and_move(const struct prm_nexus *nexus, uint64_t key, uint64_t new_key,
                          const struct prm_transport_id *initiator, uint16_t target_port,
                          unsigned flags, struct prm_result *ret_result);

/* ---- Moving a registration to another nexus --------------------------------------------------- */

/** Where prm_move() got to, and what the device is left with. */
enum prm_move_state {
        PRM_MOVE_DONE,       /**< the nexus is registered with the new key and has what the old one had */
        PRM_MOVE_NO_KEY,     /**< no nexus is registered with the old key, and none with the new one or the
                                  temporary one, of an earlier call; nothing was changed */
        PRM_MOVE_UNCHANGED,  /**< a command failed before anything was changed */
        PRM_MOVE_REGISTERED, /**< the nexus is registered, with `key`; the old one has all that it had. Key 0:
                                  it was, and another one preempted or cleared that */
        PRM_MOVE_TAKEN,      /**< the old registration is gone and the nexus has what it had; it is
                                  registered with `key` yet, or could not be asked whether all is well */
        PRM_MOVE_LOST,       /**< the old registration is gone, and not by this call, or the nexus lost its own or
                                  the reservation: another one preempted or cleared it meanwhile, or took
                                  the reservation, or that cannot be ruled out. Registered only with `key` */
};

/** What became of a move. */
struct prm_move {
        enum prm_move_state state; /**< with result.in_doubt: this state or the next */
        uint64_t key;              /**< with which this call registered the nexus; 0 where it did not, or
                                        where that is known to be gone again */
        uint8_t type;              /**< enum prm_type of the reservation that was there; PRM_NONE */
        bool held;                 /**< the old key held it, so that it has to move */
        bool unproven;             /**< the old registration was gone already, by an earlier call, it seems; but
                                        another nexus may have removed it, to fence: only a holder can be told,
                                        and of the all registrants types none */
        bool registered_again;     /**< the device had removed the nexus' own registration with the old one */
        struct prm_result result;  /**< of the last command: unless PRM_MOVE_DONE, the one that failed; GOOD where
                                        it told that something is not there or not as it was */
};

/**
 * Take over the registration that another nexus has with `old_key`, and its reservation, as a virtual
 * machine needs it that has migrated here. All commands are sent on the new nexus:
 *
 *   1. READ KEYS, READ RESERVATION, REPORT CAPABILITIES: what is there. Its type and APTPL are kept;
 *      where the device does not know the last one, APTPL is what `flags` say.
 *   2. REGISTER from `old_key` to `new_key`, which says whether the old registration is this nexus' own, as
 *      where both are one host; if not, REGISTER AND IGNORE EXISTING KEY with `new_key`. Where that is
 *      `old_key` with a temporary one, its complement: for PREEMPT with one's own key may remove one's own
 *      registration (5.13.11.2.5), and with it the last holder of an all registrants reservation.
 *   3. READ KEYS, and PREEMPT of `old_key`: the only step that takes something away. It is atomic; at every
 *      moment the reservation is held by the old nexus or by the new one. Where another nexus removed the
 *      old registration first, that may be fencing: the new one is removed, too.
 *   4. REGISTER from the temporary key, or from `new_key`, to `new_key`: shows whether the nexus still is
 *      registered. If not, and PRGENERATION says that no other nexus changed anything: REGISTER AND IGNORE
 *      EXISTING KEY.
 *   5. READ RESERVATION: it is as it was; if not, after a second registration, RESERVE.
 *
 * Nothing else is undone on failure, and the same call again goes on from where it stopped, whatever was
 * sent, but for PRM_MOVE_LOST: somebody else was faster. Between two calls another nexus may have
 * fenced the old one, see `unproven`: to give up instead, unregister `key`. PREEMPT removes all
 * registrations with `old_key`, so that keys have to be unique among the nexuses of a device. Unit
 * attentions are retried, PRM_UNIT_ATTENTIONS_MAX at least for a command. Where PREEMPT is not answered with
 * GOOD, READ KEYS says whether it was carried out; whether commands were aborted it does not say.
 *
 * @param nexus    the new one
 * @param old_key  of the registration to take over, not 0
 * @param new_key  for the nexus, not 0; may be `old_key`
 * @param flags    PRM_APTPL: keep through a loss of power even where that is not active now;
 *                 PRM_ALL_TARGET_PORTS; PRM_ABORT
 * @param ret_move how it ended
 * @return 0, and *ret_move says how it ended. Before anything was changed also -EINVAL: a key is 0, a flag
 *         is none of these, the nexus has no manager; -EBADF, -EBADMSG, -ENOMEM
 */
int prm_move(const struct prm_nexus *nexus, uint64_t old_key, uint64_t new_key, unsigned flags,
             struct prm_move *ret_move);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif /* PRMANAGER_H */
