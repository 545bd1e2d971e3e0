// SPDX-License-Identifier: MIT
/*
 * Who, where, and what for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fiber/fiber.h>

#include "extra.h"
#include "owner.h"
#include "tell.h"

#define LINE_MAX 512

static void flush(struct fiber_lines *lines)
{
	size_t done = 0;
	ssize_t n;

	while (done < lines->len) {
		n = write(STDERR_FILENO, lines->buf + done, lines->len - done);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? n : 0;
	}
	lines->len = 0;
}

void _fiber_tell(struct fiber_lines *lines, const char *format, ...)
{
	va_list args;
	int n;

	if (sizeof(lines->buf) - lines->len < LINE_MAX)
		flush(lines);
	va_start(args, format);
	n = vsnprintf(lines->buf + lines->len, LINE_MAX, format, args);
	va_end(args);
	if (n > 0)
		lines->len += n < LINE_MAX ? n : LINE_MAX - 1;
}

void _fiber_tell_end(struct fiber_lines *lines)
{
	flush(lines);
}

/* By copy: it may be ending, and give it back. */
static void read_name(const struct fiber *f, char *name)
{
	const struct fiber_extra *extra;

	name[0] = '\0';
	if (!_fiber_look_copy(&extra, &f->extra, sizeof(extra)) || !extra ||
	    !_fiber_look_copy(name, extra->name, FIBER_NAME_SIZE))
		name[0] = '\0';
	name[FIBER_NAME_SIZE - 1] = '\0';
	for (; *name; name++) {
		if (*name < ' ' || *name > '~')
			*name = '?';
	}
}

/*
 * The function that it was entered at, as addr2line -e FILE takes it. Only names
 * that the dynamic linker knows are found.
 */
void _fiber_place(const struct fiber *f, char *buf, size_t size)
{
	Dl_info info;
	bool named;

	buf[0] = '\0';
	if (!fiber_kind_is_fiber(at_load(&f->kind, RELAXED)))
		return;
	if (!dladdr((void *)f->fn, &info) || !info.dli_fname) {
		snprintf(buf, size, "entered at %p", (void *)f->fn);
		return;
	}
	named = info.dli_sname && info.dli_saddr == (void *)f->fn;
	snprintf(buf, size, "entered at %s%s%s+%#lx%s",
		 named ? info.dli_sname : "", named ? " (" : "", info.dli_fname,
		 (unsigned long)((uintptr_t)f->fn - (uintptr_t)info.dli_fbase),
		 named ? ")" : "");
}

void _fiber_tell_who(struct fiber_lines *lines, const struct fiber *f)
{
	bool is_thread = at_load(&f->kind, RELAXED) == FIBER_KIND_THREAD;
	char name[FIBER_NAME_SIZE];

	read_name(f, name);
	_fiber_tell(lines, "%s %llu%s%s%s", is_thread ? "thread" : "fiber",
		    (unsigned long long)fiber_id(f), name[0] ? " '" : "", name,
		    name[0] ? "'" : "");
}

static void tell_object(struct fiber_lines *lines, const struct fiber *f,
			const struct fiber_look *look)
{
	struct fiber *owner = _fiber_owner(f, look);

	if (owner && look->call == FIBER_CALL_JOIN) {
		_fiber_tell(lines, " for ");
		_fiber_tell_who(lines, owner);
	} else if (look->call == FIBER_CALL_SELECT) {
		_fiber_tell(lines, " of %u", look->row);
	} else if (look->on) {
		_fiber_tell(lines, " on %p",
			    _fiber_look_object(look->call, look->on));
	}
	if (owner && look->call != FIBER_CALL_JOIN) {
		_fiber_tell(lines, " of ");
		_fiber_tell_who(lines, owner);
		if (at_load(&owner->kind, RELAXED) == FIBER_KIND_FREE)
			_fiber_tell(lines, ", which has ended");
	}
}

void _fiber_tell_wait(struct fiber_lines *lines, const struct fiber *f,
		      const struct fiber_look *look)
{
	uint32_t ms = _fiber_clock_coarse() - look->since;
	char place[LINE_MAX / 2];

	_fiber_tell(lines, "fiber:   ");
	_fiber_tell_who(lines, f);
	_fiber_tell(lines, " waits in %s", _fiber_look_call_name(look->call));
	tell_object(lines, f, look);
	_fiber_place(f, place, sizeof(place));
	_fiber_tell(lines, ", for %u ms%s%s\n", ms, place[0] ? ", " : "",
		    place);
}
