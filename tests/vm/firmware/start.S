/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the processor starts: in 16-bit mode, 16 bytes below 4 GiB, with CS.base
 * at the top 64 KiB. Switches to flat 32-bit mode and calls run() of firmware.c.
 */

        .code16
        .section .reset, "ax"           /* 0xfffffff0 */
        jmp     start

        .section .start, "ax"           /* 0xfffff000: offset 0xf000 in CS */
        .globl start
start:
        cli
        lgdtl   %cs:(gdt_pointer - start + 0xf000)
        movl    %cr0, %eax
        orl     $1, %eax                /* protection enable */
        movl    %eax, %cr0
        ljmpl   $8, $start32

        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 8: code, base 0, 4 GiB, 32 bit */
        .quad   0x00cf93000000ffff      /* 16: data, the same */
gdt_pointer:
        .word   3 * 8 - 1
        .long   gdt

        .code32
start32:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x80000, %esp          /* RAM below 640 KiB, above .bss */
        call    run
stop:
        hlt
        jmp     stop

        .section .note.GNU-stack, "", @progbits
