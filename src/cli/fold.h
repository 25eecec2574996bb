/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a text that end between words. */
#pragma once

#include <stddef.h>

/**
 * Break a text into lines of at most `width` characters: at spaces, and within a word only where it is
 * longer than a line.
 * @param ret_text `size` bytes; what does not fit is cut
 */
void fold(const char *text, size_t width, char *ret_text, size_t size);
