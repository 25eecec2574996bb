// SPDX-License-Identifier: BSD-2-Clause
//
// Port I/O, and text on the first serial port.

#pragma once

#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
        __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
        uint8_t value;
        __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline uint16_t inw(uint16_t port)
{
        uint16_t value;
        __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline uint32_t inl(uint16_t port)
{
        uint32_t value;
        __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

// The 16550 at COM1.
enum {
        COM1 = 0x3f8,
        UART_DIVISOR_LOW = COM1,
        UART_DIVISOR_HIGH = COM1 + 1,
        UART_FIFO_CONTROL = COM1 + 2,
        UART_LINE_CONTROL = COM1 + 3,
        UART_LINE_STATUS = COM1 + 5,
};

static inline void serial_start(void)
{
        outb(UART_LINE_CONTROL, 0x83);  // 8n1, divisor visible
        outb(UART_DIVISOR_LOW, 1);      // 115200: QEMU paces its input by the baud rate
        outb(UART_DIVISOR_HIGH, 0);
        outb(UART_LINE_CONTROL, 0x03);
        outb(UART_FIFO_CONTROL, 0x07);  // FIFOs on and empty
}

static inline void put_char(char c)
{
        while (!(inb(UART_LINE_STATUS) & 0x20))
                ;
        outb(COM1, (uint8_t)c);
}

static inline void put_string(const char *s)
{
        while (*s)
                put_char(*s++);
}

static inline void put_hex(uint32_t value, int digits)
{
        while (digits--)
                put_char("0123456789abcdef"[value >> (4 * digits) & 15]);
}

static inline char get_char(void)
{
        while (!(inb(UART_LINE_STATUS) & 0x01))
                ;
        return (char)inb(COM1);
}
