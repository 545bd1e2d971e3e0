// SPDX-License-Identifier: MIT
/*
 * Writing text.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "text.h"

void _fiber_text_init(struct fiber_text *text, int fd)
{
	text->fd = fd;
	text->err = 0;
	text->len = 0;
}

/* The reader is slow, and somebody wants no call on the file to block. */
static void await_room(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	(void)poll(&poll_fd, 1, -1);
}

int _fiber_text_flush(struct fiber_text *text)
{
	size_t done = 0;

	while (done < text->len && !text->err) {
		ssize_t n =
			write(text->fd, text->room + done, text->len - done);

		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			await_room(text->fd);
		else if (errno != EINTR)
			text->err = -errno;
	}
	text->len = 0;
	return text->err;
}

void _fiber_text_add(struct fiber_text *text, const char *format, ...)
{
	va_list args;
	int n;

	if (FIBER_TEXT_ROOM - text->len < FIBER_TEXT_PIECE)
		_fiber_text_flush(text);
	va_start(args, format);
	n = vsnprintf(text->room + text->len, FIBER_TEXT_PIECE, format, args);
	va_end(args);
	if (n > 0)
		text->len += n < FIBER_TEXT_PIECE ? n : FIBER_TEXT_PIECE - 1;
}
